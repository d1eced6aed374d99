"""annotations.txt: workflow commands for GitHub's runner, one for each fault, on its clause.

The one file that is meant to drive a runner: print it in a step, as the action does. Each line is
one command of ours; what a relay said is in it as data, escaped as the runner takes it.
"""

from __future__ import annotations

from pathlib import Path

from nip_ap.model.report import Report
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.diagnosis import diagnosis_of, remedies, sentence
from nip_ap.reporting.faults import Fault, alike, faults_of
from nip_ap.reporting.formats import Format
from nip_ap.reporting.legible import counted, on_one_line
from nip_ap.reporting.telling import in_a_sentence

_MOST_OF_A_KIND = 10
"""GitHub shows so many of each kind in a step, and drops the rest in silence."""


def write_annotations(report: Report, out: Path) -> None:
    """Errors for what is broken, warnings for broken SHOULDs and known failures, notices else."""
    (out / "annotations.txt").write_text("".join(_lines(report)), encoding="utf-8")


def _lines(report: Report) -> list[str]:
    commands = [_of_fault(one, report) for one in faults_of(report, diagnosis_of(report))]
    for same in alike(report.checks_with(Verdict.INCONCLUSIVE)):
        more = f" ({counted(len(same), 'check')})" if same[1:] else ""
        title = f"{same[0].clause} {same[0].verdict}{more}: {report.title_of(same[0].clause)}"
        commands.append(("notice", title, in_a_sentence(same[0])))
    shown: list[str] = []
    for kind in ("error", "warning", "notice"):
        own = [one for one in commands if one[0] == kind]
        if len(own) > _MOST_OF_A_KIND:
            left = f"{len(own) - _MOST_OF_A_KIND + 1} more"
            own = [*own[: _MOST_OF_A_KIND - 1], (kind, left, "see report.html")]
        shown += [_command(*one) for one in own]
    document = report.document
    return shown or [_command("notice", f"NIP-AP: {document.verdict}", document.why)]


def _of_fault(fault: Fault, report: Report) -> tuple[str, str, str]:
    """Kind, title and message of one annotation."""
    first = fault.first
    title = report.title_of(first.clause)
    others = [checks[0].clause for checks in fault.clauses[1:]]
    is_excused = all(check.known for check in fault.checks)
    kind = "warning" if first.verdict is Verdict.WARN or is_excused else "error"
    parts = [in_a_sentence(first)]
    if fault.cause is not None:
        parts += [sentence(fault.cause), *(f"To fix it: {one}" for one in remedies(fault.cause))]
    if others:
        parts.append(f"Also broken by it: {', '.join(others)}")
    if is_excused:
        parts.append(f"Known: {first.known}")
    parts.append(f"Repeat: {first.repro}")
    return kind, f"{first.clause} {first.level} {first.verdict}: {title}", "\n".join(parts)


def _command(kind: str, title: str, message: str) -> str:
    """One workflow command. Titles end at a comma or colon, and messages at the end of the line."""
    kept = "\n".join(on_one_line(line) for line in message.split("\n"))
    title = _escaped(on_one_line(title)).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={title}::{_escaped(kept)}\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace("##[", "## [")


FORMAT = Format("annotations", "GitHub's runner", ("annotations.txt",), write_annotations)
