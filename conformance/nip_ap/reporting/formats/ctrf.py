"""ctrf.json, the Common Test Report Format 1.0: one test per check, for dashboards that read it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

import msgspec
import orjson

from nip_ap.model.diagnosis import Diagnosis
from nip_ap.model.report import CheckReport, Report
from nip_ap.model.verdict import NOTABLE, Verdict
from nip_ap.reporting.diagnosis import diagnosis_of
from nip_ap.reporting.formats import Format
from nip_ap.reporting.legible import visible
from nip_ap.reporting.telling import in_a_sentence, told

_STATUSES = {
    Verdict.PASS: "passed",
    Verdict.WARN: "passed",
    Verdict.FAIL: "failed",
    Verdict.UNSTABLE: "failed",
    Verdict.NOT_APPLICABLE: "skipped",
    Verdict.INCONCLUSIVE: "other",
    Verdict.ERROR: "other",
}


class _Test(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A test. `duration` is in milliseconds."""

    name: str
    status: str
    duration: int
    suite: tuple[str, ...]
    raw_status: str
    message: str = ""
    trace: str = ""
    tags: tuple[str, ...] = ()


def write_ctrf(report: Report, out: Path) -> None:
    """What nobody would see is escaped, which changes no value."""
    document, diagnosis = report.document, diagnosis_of(report)
    tests = [_test(check, report, diagnosis) for check in report.checks]
    start = round(datetime.fromisoformat(document.run.started).timestamp() * 1000)
    counts = Counter(one.status for one in tests)
    value = {
        "reportFormat": "CTRF",
        "specVersion": "1.0.0",
        "generatedBy": document.suite.name,
        "results": {
            "tool": {"name": document.suite.name, "version": document.suite.version},
            "summary": {
                "tests": len(tests),
                **{one: counts[one] for one in ("passed", "failed", "skipped", "pending", "other")},
                "start": start,
                "stop": start + round(document.run.seconds * 1000),
            },
            "tests": msgspec.to_builtins(tests),
            "extra": {
                "verdict": document.verdict,
                "why": document.why,
                "relay": document.target.url,
                "spec": document.run.spec,
                "seed": document.run.seed,
            },
        },
    }
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    (out / "ctrf.json").write_text(visible(text) + "\n", encoding="utf-8")


def _test(check: CheckReport, report: Report, diagnosis: Diagnosis) -> _Test:
    is_told = check.verdict in NOTABLE
    known = f"known: {check.known}; " if check.known else ""
    return _Test(
        name=check.id,
        status="skipped" if check.known else _STATUSES[check.verdict],
        duration=round(check.seconds * 1000),
        suite=(check.group, check.clause),
        raw_status=f"known {check.verdict}" if check.known else str(check.verdict),
        message=f"{known}{in_a_sentence(check)}" if is_told else check.reason,
        trace=told(check, report, diagnosis) if is_told else "",
        tags=(check.level, *check.clauses),
    )


FORMAT = Format("ctrf", "dashboards that read CTRF", ("ctrf.json",), write_ctrf)
