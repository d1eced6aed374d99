"""A part of the soak as a value, and the table that docs/reliability.md shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- soak: written by python -m tests.soak -->", "<!-- end of the soak -->"


@dataclass(frozen=True)
class Soak:
    """How much is done: `scale` is a share of the whole, and `seed` chooses."""

    scale: float
    seed: int
    folder: Path

    def share(self, whole: int, least: int = 1) -> int:
        """So much of a number."""
        return max(least, round(whole * self.scale))


@dataclass(frozen=True)
class Finding:
    """The outcome of one part: what was done, what was found, and whether that is in bounds."""

    done: str
    found: str
    bound: str
    holds: bool


@dataclass(frozen=True)
class Part:
    """One part by name; `run` takes the soak and gives its finding."""

    name: str
    run: Callable[[Soak], Finding]


@dataclass(frozen=True)
class Row:
    """A finding of a named part, and the seconds that it took."""

    part: str
    finding: Finding
    seconds: float


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown."""
    lines = [
        "| part | what was done | what was found | bound | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        one = row.finding
        verdict = "holds" if one.holds else "**broken**"
        lines.append(
            f"| {row.part} | {one.done} ({row.seconds:.0f} s) | {one.found} | {one.bound} | "
            f"{verdict} |"
        )
    return "\n".join(lines)


def written_into(page: str, block: str) -> str:
    """A page with another table in the place for it. Raises ValueError where there is none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} with {END} after it")
    return f"{before}{BEGIN}\n{block}\n{END}{after}"
