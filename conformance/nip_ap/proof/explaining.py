"""`nip-ap explain`: what a clause or check asks, which rogues break it, how each is fixed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from nip_ap.engine.declarations import Declaration, declarations
from nip_ap.engine.explained_clauses import check_explained, explained
from nip_ap.model.check_id import CheckId
from nip_ap.model.clauses import Clause, register
from nip_ap.model.diagnosis import Signature
from nip_ap.proof.signatures import declared_signatures
from nip_ap.reporting.collect.collection import gather
from nip_ap.reporting.collect.summaries import Summaries
from nip_ap.reporting.explained import CheckExplained
from nip_ap.reporting.legible import counted, on_one_line
from nip_ap.reporting.printing import painted, say

_NAME, _INDENT = 10, 4


class UnknownSubject(ValueError):
    """A name that is no clause, no check and no rogue; the message says what comes close."""


def explain(subject: str, stream: IO[str], reports: Path | None = None) -> None:
    """Print all there is to say about a clause, a check or a rogue, and what reports say of it.

    Raises UnknownSubject and ReportUnreadable.
    """
    clauses = _explain(subject, stream)
    if reports is not None:
        _history(clauses, reports, stream)


def _explain(subject: str, stream: IO[str]) -> list[str]:
    """Explain, and give the clauses that it is about."""
    rogues = {one.name: one for one in declared_signatures({})}
    if subject.upper() in register():
        _clause(register()[subject.upper()], list(rogues.values()), stream)
        return [subject.upper()]
    if subject in rogues:
        _rogue(rogues[subject], stream)
        return [one.id for one in register() if one.id in rogues[subject].red]
    if checks := list(_checks_named(subject)):
        for check in checks:
            _check(check_explained(check), stream)
        for clause in checks[0].clauses:
            _clause(register()[clause], list(rogues.values()), stream, with_checks=False)
        return list(checks[0].clauses)
    raise UnknownSubject(_nothing_named(subject, list(rogues)))


def _history(clauses: Sequence[str], reports: Path, stream: IO[str]) -> None:
    """What the reports below a folder say of some clauses, a line per run, the oldest first."""
    entries = gather([reports], Summaries(reports))
    for clause in clauses:
        say(file=stream)
        say(f"  {clause} in {counted(len(entries), 'report')} below {reports}:", file=stream)
        for entry in entries:
            verdict = entry.verdict_of(clause) or "not judged"
            relay = on_one_line(entry.relay)
            say(f"    {entry.started}  {entry.spec}  {relay}: {verdict}", file=stream)


def _checks_named(subject: str) -> Iterator[Declaration]:
    """Checks by their id, with or without what is in brackets, or by their name alone."""
    asked = CheckId.read(subject)
    for one in declarations():
        ids = [CheckId.of(clause, one.function) for clause in one.clauses]
        if asked.declared in ids or (not asked.clause and asked.name in (one.name, one.function)):
            yield one


def _nothing_named(subject: str, rogues: Sequence[str]) -> str:
    names = [*(one.id for one in register()), *rogues, *(one.check_id() for one in declarations())]
    close = difflib.get_close_matches(subject, names, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "`nip-ap clauses` lists all"
    return f"no clause, check or rogue is called {subject}; {hint}"


def _clause(
    clause: Clause, rogues: Sequence[Signature], stream: IO[str], *, with_checks: bool = True
) -> None:
    one = explained(clause, rogues)
    _title(f"{clause.id} {clause.level}: {clause.title}", stream)
    say(f"  {clause.text}", file=stream)
    _field("source", f"{clause.source}{f' <{one.link}>' if one.link else ''}", stream)
    if clause.contradiction:
        _field("note", clause.contradiction, stream)
    if clause.needs:
        _field("needs", ", ".join(clause.needs), stream)
    if with_checks:
        for check in one.checks:
            _check(check, stream)
    if not one.checks:
        _field("no check", clause.reason, stream)
    if not one.rogues and clause.no_rogue:
        _field("no rogue", clause.no_rogue, stream)
    if one.rogues:
        say(file=stream)
        say(f"  {counted(len(one.rogues), 'known way')} to break it:", file=stream)
    for rogue in one.rogues:
        say("    ", painted(rogue.name, bold=True), f": {rogue.because}", file=stream)
        if rogue.remedy:
            say(f"      to fix it: {rogue.remedy}", file=stream)


def _check(check: CheckExplained, stream: IO[str]) -> None:
    """A check as it stands in its scenario, which reads like its clause."""
    say(file=stream)
    say("  ", painted(check.id, bold=True), f": {check.sentence}", file=stream)
    for line in check.told.splitlines():
        say(f"    {line}", file=stream)
    say("    what it does:", file=stream)
    for line in check.lines.splitlines():
        say(f"      {line}", file=stream)


def _rogue(rogue: Signature, stream: IO[str]) -> None:
    _title(f"{rogue.name}: a {rogue.role} with one deviation", stream)
    say(f"  {rogue.because}", file=stream)
    if rogue.remedy:
        _field("to fix it", rogue.remedy, stream)
    if rogue.role == "relay":
        _field("try it", f"nip-ap relay --rogue {rogue.name}", stream)
    say(file=stream)
    say(f"  {counted(len(rogue.red), 'clause')} that it breaks:", file=stream)
    for clause in (one for one in register() if one.id in rogue.red):
        chance = " (in most runs)" if clause.id in rogue.chance else ""
        say(f"    {clause.id} {clause.level} {clause.title}{chance}", file=stream)


def _title(text: str, stream: IO[str]) -> None:
    say(file=stream)
    say(painted(text, bold=True), file=stream)


def _field(name: str, text: str, stream: IO[str]) -> None:
    say(f"  {name:<{_NAME}} {text}", file=stream)
