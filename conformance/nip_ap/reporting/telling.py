"""A check that is not plainly green, told as plain text: all one needs to see what happened."""

from __future__ import annotations

from nip_ap.model.diagnosis import Diagnosis
from nip_ap.model.report import CheckReport, Report
from nip_ap.reporting.diagnosis import remedies, sentence
from nip_ap.reporting.hashed import hashed
from nip_ap.reporting.legible import brief, harmless, on_one_line

_FRAMES, _FRAME, _LOG_LINES = 8, 600, 20
_LONGEST_SENTENCE = 600
_ARROWS = {"sent": "->", "received": "<-", "note": "--"}


def told(check: CheckReport, report: Report, diagnosis: Diagnosis) -> str:
    """Clause, expected and seen, the cause, the last frames, the log, and how to repeat it."""
    lines = [f"{one} {check.level}: {report.title_of(one)}" for one in check.clauses]
    if check.expected:
        lines += [f"expected  {check.expected}", f"seen      {check.seen}"]
    else:
        lines += [f"because   {check.reason}"]
    cause = diagnosis.cause_of(check.clauses) if check.verdict.is_red else None
    if cause is not None:
        lines += [f"cause     {sentence(cause)}", *(f"to fix it {one}" for one in remedies(cause))]
    lines += [f"control   {one.twin}; differs in {one.difference}" for one in check.controls[:3]]
    for frame in report.transcripts.get(check.id, ())[-_FRAMES:]:
        head = f"{frame.at:9.3f} {frame.who} {_ARROWS[frame.direction]}"
        lines.append(f"{head} {brief(frame.text[:_FRAME])}")
        if note := hashed(frame.text):
            lines.append(f"{'':9} {note}")
    if check.log:
        lines += ["the relay's log:", *check.log.splitlines()[-_LOG_LINES:]]
    return harmless("\n".join([*lines, f"repeat: {check.repro}"]))


def in_a_sentence(check: CheckReport) -> str:
    """What was expected and seen, or why there is no verdict; on one line."""
    text = f"expected {check.expected}; seen {check.seen}" if check.expected else check.reason
    return harmless(on_one_line(brief(text)))[:_LONGEST_SENTENCE]


def evidence_of(check: CheckReport, report: Report) -> tuple[str, int]:
    """Where a check's evidence ends: its transcript within the report's folder, and the line."""
    return check.transcript, max(1, len(report.transcripts.get(check.id, ())))
