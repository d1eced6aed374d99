"""gl-code-quality.json, as GitLab shows it in a merge request: what is new, and what is fixed.

As in report.sarif each finding points at its evidence, the transcript in the report's folder.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson

from nip_ap.model.clauses import INFO, MAY, SHOULD
from nip_ap.model.diagnosis import Cause
from nip_ap.model.report import CheckReport, Report
from nip_ap.model.verdict import NOTABLE, UNDECIDED
from nip_ap.reporting.diagnosis import diagnosis_of, remedies, sentence
from nip_ap.reporting.formats import Format
from nip_ap.reporting.legible import visible
from nip_ap.reporting.telling import evidence_of, in_a_sentence

_SEVERITIES = {SHOULD: "minor", MAY: "info", INFO: "info"}


def write_code_quality(report: Report, out: Path) -> None:
    """An array of findings; GitLab compares two of them by their fingerprints."""
    causes = diagnosis_of(report)
    found = [
        _finding(one, report, causes.cause_of(one.clauses)) for one in report.checks_with(*NOTABLE)
    ]
    text = orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
    (out / "gl-code-quality.json").write_text(visible(text) + "\n", encoding="utf-8")


def _finding(check: CheckReport, report: Report, cause: Cause | None) -> dict[str, object]:
    transcript, line = evidence_of(check, report)
    head = f"{check.clause} {check.verdict}: {report.title_of(check.clause)}"
    parts = [head, in_a_sentence(check)]
    parts += [f"Known: {check.known}"] if check.known else []
    if cause is not None:
        parts += [f"It {sentence(cause)}", *(f"To fix it: {one}" for one in remedies(cause))]
    return {
        "description": ". ".join(part.rstrip(".") for part in parts if part) + ".",
        "check_name": check.clause,
        # Of the check alone, not of what was seen: ids and keys are others in each run.
        "fingerprint": hashlib.sha256(f"{check.id} {check.verdict}".encode()).hexdigest(),
        "severity": _severity(check),
        "location": {"path": transcript, "lines": {"begin": line}},
    }


def _severity(check: CheckReport) -> str:
    if check.verdict in UNDECIDED or check.known:
        return "info"
    return _SEVERITIES.get(check.level, "major")


FORMAT = Format(
    "code-quality", "merge requests of GitLab", ("gl-code-quality.json",), write_code_quality
)
