"""A difference for people: on a terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from nip_ap.model.frame import Frame
from nip_ap.model.report import Document
from nip_ap.reporting.compare.alignment import Parting
from nip_ap.reporting.compare.difference import Change, Difference, changes_of
from nip_ap.reporting.legible import on_one_line
from nip_ap.reporting.markdown import code, plain
from nip_ap.reporting.printing import painted, say

_COLOURS = {"regressions": "red", "undecided now": "magenta", "repairs": "green"}
_LONGEST = 300


def print_difference(found: Difference, stream: IO[str]) -> None:
    """Write it as text, coloured on a terminal."""

    def line(*parts: str) -> None:
        say(*parts, file=stream)

    line(f"  old: {_title(found.old)}")
    line(f"  new: {_title(found.new)}")
    for heading, changes in changes_of(found):
        if changes:
            line()
            line(painted(f"{heading}: {len(changes)}", fg=_COLOURS.get(heading), bold=True))
        for change in changes:
            line(f"  {on_one_line(change.check)}: {change.before} -> {change.now}")
            for name, text in _explained(change, heading):
                line(f"    {name:<8} {text}")
    for heading, lines in _rest(found):
        line()
        line(painted(f"{heading}: {len(lines)}", bold=True))
        for text in lines:
            line(f"  {text}")
    line()
    line(_verdict(found))


def markdown_of(found: Difference) -> str:
    """The same as Markdown."""
    lines = [
        "# Two runs compared",
        "",
        f"- old: {plain(_title(found.old))}",
        f"- new: {plain(_title(found.new))}",
        "",
        f"**{plain(_verdict(found))}**",
    ]
    for heading, changes in changes_of(found):
        if not changes:
            continue
        lines += ["", f"## {heading.capitalize()} ({len(changes)})", ""]
        for change in changes:
            lines.append(f"- {code(change.check)}: {change.before} → {change.now}")
            lines += [f"  - {name}: {code(text)}" for name, text in _explained(change, heading)]
    for heading, texts in _rest(found):
        lines += ["", f"## {heading.capitalize()} ({len(texts)})", ""]
        lines += [f"- {plain(text)}" for text in texts]
    return "\n".join(lines) + "\n"


def _title(document: Document) -> str:
    target, run = document.target, document.run
    name = " ".join(one for one in (target.software, target.version) if one)
    return on_one_line(
        f"{name or target.url}, {document.verdict}, revision {run.spec}, "
        f"{run.started}, seed {run.seed}"
    )


def _verdict(found: Difference) -> str:
    told = []
    if found.regressions:
        clauses = found.regressed_clauses
        plural = "" if len(clauses) == 1 else "s"
        told.append(f"{len(clauses)} clause{plural} regressed: {', '.join(clauses)}")
    told += [f"{one.name} fell from {one.before} to {one.now}" for one in found.losses]
    if told:
        return "; ".join(told)
    return "nothing changed" if found.is_nothing else "no regression"


def _explained(change: Change, heading: str) -> list[tuple[str, str]]:
    """What there is to say about a change for the worse."""
    if heading not in ("regressions", "undecided now"):
        return []
    told = [("expected", change.expected), ("seen", change.seen)]
    told = told if change.expected else [("because", change.reason)]
    found = [(name, _cut(text)) for name, text in told if text]
    if change.parting is not None:
        found += _parting(change.parting)
    return [*found, ("again", on_one_line(change.repro))]


def _parting(parting: Parting) -> list[tuple[str, str]]:
    return [("was", _frame(parting.before)), ("is", _frame(parting.now))]


def _frame(frame: Frame | None) -> str:
    if frame is None:
        return "(no such frame)"
    return _cut(f"{frame.at:.3f} s, {frame.who} {frame.direction}: {frame.text}")


def _rest(found: Difference) -> Sequence[tuple[str, list[str]]]:
    parts = (
        ("new checks", [on_one_line(one) for one in found.appeared]),
        ("gone checks", [on_one_line(one) for one in found.gone]),
        (
            "capabilities",
            [
                _cut(f"{one.name}: {one.before} -> {one.now} ({one.evidence})")
                for one in found.capabilities
            ],
        ),
        (
            "latency",
            [
                f"{one.operation}: median {one.before_ms:.2f} ms -> {one.now_ms:.2f} ms "
                f"({one.factor:g} x, {'slower' if one.is_slower else 'faster'})"
                for one in found.latency
            ],
        ),
    )
    return [(heading, lines) for heading, lines in parts if lines]


def _cut(text: str) -> str:
    text = on_one_line(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
