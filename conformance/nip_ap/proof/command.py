"""`nip-ap prove`: run the suite against rogues, and say who was caught by what."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from nip_ap.model.faults import UsageFault
from nip_ap.proof.cache import cache_in, usual_folder
from nip_ap.proof.finding import Finding
from nip_ap.proof.matrix import Matrix, gaps
from nip_ap.proof.page import command, page, page_in_docs, stale_rows
from nip_ap.proof.role import Role, Task, role_named
from nip_ap.proof.signatures import write_signatures
from nip_ap.reporting.legible import counted
from nip_ap.reporting.printing import Painted, painted, say, say_json
from nip_ap.reporting.terminal import Progress
from nip_ap.rogue import GENERAL, Rogue

_ROWS_NAMED = 5


class UnknownRogue(UsageFault, ValueError):
    """A name that no rogue has."""


@dataclass(frozen=True)
class Order:
    """One call of `nip-ap prove`."""

    role: str
    names: Sequence[str]
    workers: str
    seed: str
    as_json: bool = False
    is_full: bool = False
    suggests: bool = False
    """Print for each rogue the declaration that would be exact, and not only where one is not."""
    page: Path | None = None
    cache: Path | None = None
    """The folder of the cache; the usual one of this machine where none is given."""


def prove(order: Order, stream: IO[str]) -> int:
    """Run the proof, print the matrix, and give the exit code.

    Raises UnknownRogue, ProofBroken and CacheUnusable.
    """
    began = time.monotonic()
    role = role_named(order.role)
    rogues = rogues_named(role, order.names)
    progress = Progress(stream)
    task = Task(
        rogues,
        order.workers,
        order.seed,
        _ignore if order.as_json else progress.add,
        order.is_full,
        partial(cache_in, order.cache or usual_folder()),
    )
    try:
        findings = role.findings(task)
    finally:
        progress.clear()
    found = [] if order.names else gaps(role, findings)
    matrix = Matrix(role, findings, found, order.seed, time.monotonic() - began)
    if order.page is not None:
        order.page.write_text(page(matrix), encoding="utf-8")
        write_signatures({one.rogue.name: one.red_checks for one in findings})
    if order.as_json:
        say_json(matrix.to_json(), stream)
    else:
        _print(matrix, stream, suggests=order.suggests)
        if not order.names:
            _tell_of_stale_page(matrix, stream)
    return 0 if matrix.is_proven else 1


def rogues_named(role: Role, names: Sequence[str]) -> list[Rogue]:
    """The rogues of these names, or all that a proof takes. Raises UnknownRogue."""
    every = role.rogues()
    known = {one.name: one for one in every}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UnknownRogue(
            f"no rogue {role.name} is named {', '.join(unknown)}; there are {', '.join(known)}"
        )
    return [known[name] for name in names] if names else list(every)


def _ignore(result: object, expected: int) -> None:
    """What happens to results while a proof goes on that prints JSON."""


def _print(matrix: Matrix, stream: IO[str], *, suggests: bool) -> None:
    width = max((len(finding.rogue.name) for finding in matrix.findings), default=0)
    for finding in matrix.findings:
        name = f" {finding.rogue.name:<{width}} "
        say("  ", _sign(good=not finding.complaints), name, _caught(finding), file=stream)
        for complaint in finding.complaints:
            say(f"      {complaint}", file=stream)
        if suggests or finding.complaints:
            _print_declaration(finding.exact_declaration, stream)
    for gap in matrix.gaps:
        say("  ", _sign(good=False), f" {gap}", file=stream)
    say(
        painted("proven" if matrix.is_proven else "not proven", bold=True),
        f": {counted(len(matrix.findings), f'rogue {matrix.role.name}')}, "
        f"{counted(matrix.checks_run, 'check')} run ({matrix.seconds:.0f} s)",
        file=stream,
    )


def _sign(*, good: bool) -> Painted:
    return painted("✓" if good else "✗", fg="green" if good else "red")


def _caught(finding: Finding) -> str:
    if finding.rogue.kind == GENERAL:
        return f"{finding.run.verdict}, {len(finding.red)} clauses red"
    return ", ".join(sorted(finding.red)) or str(finding.run.verdict)


def _print_declaration(declaration: Mapping[str, str], stream: IO[str]) -> None:
    if declaration:
        say("      exact would be:", file=stream)
    for name, clauses in declaration.items():
        say(f'          {name}="{clauses}",', file=stream)


def _tell_of_stale_page(matrix: Matrix, stream: IO[str]) -> None:
    file = page_in_docs(matrix.role)
    stale = stale_rows(matrix, file.read_text(encoding="utf-8")) if file is not None else []
    if stale:
        named = ", ".join(stale[:_ROWS_NAMED])
        more = f" and {len(stale) - _ROWS_NAMED} more" if len(stale) > _ROWS_NAMED else ""
        say(
            f"docs/{matrix.role.page.file} is out of date ({named}{more}): {command(matrix.role)}",
            file=stream,
        )
