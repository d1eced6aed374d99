"""report.sarif (SARIF 2.1.0), as code scanning reads it: a rule per clause, a result per check.

A relay has no file of its own to point at, so a result points at its evidence: the transcript in
the report's folder, and the frame at which the check ended.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from nip_ap.model.clauses import INFO, MAY, SHOULD
from nip_ap.model.diagnosis import Diagnosis
from nip_ap.model.report import CheckReport, ClauseReport, Report
from nip_ap.model.verdict import NOTABLE, UNDECIDED
from nip_ap.reporting.diagnosis import diagnosis_of
from nip_ap.reporting.formats import Format
from nip_ap.reporting.legible import visible
from nip_ap.reporting.sources import link_of
from nip_ap.reporting.telling import evidence_of, in_a_sentence, told

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {SHOULD: "warning", MAY: "note", INFO: "note"}


def write_sarif(report: Report, out: Path) -> None:
    """One run of one tool. What nobody would see is escaped, which changes no value."""
    text = orjson.dumps(sarif_of(report), option=orjson.OPT_INDENT_2).decode()
    (out / "report.sarif").write_text(visible(text), encoding="utf-8")


def sarif_of(report: Report) -> dict[str, Any]:
    """The SARIF log."""
    suite, run = report.document.suite, report.document.run
    rules = {clause.id: number for number, clause in enumerate(report.clauses)}
    diagnosis = diagnosis_of(report)
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": suite.name,
                        "semanticVersion": suite.version,
                        "rules": [_rule(clause) for clause in report.clauses],
                    }
                },
                "automationDetails": {"id": f"nip-ap/{run.spec}/"},
                "invocations": [{"executionSuccessful": True, "startTimeUtc": run.started}],
                "properties": {
                    "verdict": str(report.document.verdict),
                    "relay": report.document.target.url,
                    "seed": run.seed,
                },
                "results": [
                    _result(check, rules.get(check.clause), report, diagnosis)
                    for check in report.checks_with(*NOTABLE)
                ],
            }
        ],
    }


def _rule(clause: ClauseReport) -> dict[str, Any]:
    address = link_of(clause.source)
    return {
        "id": clause.id,
        "shortDescription": {"text": clause.title},
        "fullDescription": {"text": clause.text},
        "help": {"text": f"{clause.text}\nSource: {clause.source}"},
        **({"helpUri": address} if address else {}),
        "defaultConfiguration": {"level": _LEVELS.get(clause.level, "error")},
        "properties": {"tags": ["nostr", clause.group, clause.level]},
    }


def _result(
    check: CheckReport, rule: int | None, report: Report, diagnosis: Diagnosis
) -> dict[str, Any]:
    """One result; a check of a clause that is in no register has no rule."""
    transcript, line = evidence_of(check, report)
    found: dict[str, Any] = {
        "ruleId": check.clause,
        **({} if rule is None else {"ruleIndex": rule}),
        "kind": "open" if check.verdict in UNDECIDED else "fail",
        "level": "none" if check.verdict in UNDECIDED else _LEVELS.get(check.level, "error"),
        "message": {"text": in_a_sentence(check) or check.verdict},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": transcript},
                    "region": {"startLine": line},
                },
                "logicalLocations": [{"fullyQualifiedName": check.id, "kind": "member"}],
            }
        ],
        "partialFingerprints": {"check/v1": check.id},
        "properties": {"verdict": str(check.verdict), "told": told(check, report, diagnosis)},
    }
    if check.known:
        found["suppressions"] = [{"kind": "external", "justification": check.known}]
    return found


FORMAT = Format("sarif", "code scanning (SARIF)", ("report.sarif",), write_sarif)
