"""What other tools are given, read as they read it: GitHub's runner, SARIF, GitLab, CTRF."""

from __future__ import annotations

import json
import re
import string
from urllib.parse import unquote

import jsonschema
import pytest

from nip_ap.model.clauses import register
from nip_ap.model.verdict import Verdict
from nip_ap.reporting import diagnosis
from nip_ap.reporting.formats import formats
from nip_ap.reporting.formats.annotations import write_annotations
from tests.reporting.fixed_run import SIGNATURES, fixed_report
from tests.reporting.reports import made_report, result

COMMAND = re.compile(r"::(?P<kind>\w+) title=(?P<title>[^:,]*)::(?P<message>.*)")


@pytest.fixture
def report(monkeypatch):
    monkeypatch.setattr(diagnosis, "signatures", lambda: SIGNATURES)
    return fixed_report()


def written(report, name, folder):
    folder.mkdir(exist_ok=True)
    one = formats()[name]
    one.write(report, folder)
    return (folder / one.files[0]).read_text(encoding="utf-8")


def commands(report, folder):
    """The annotations as the runner shows them."""
    text = written(report, "annotations", folder)
    found = [COMMAND.fullmatch(line) for line in text.splitlines()]
    assert all(found)
    return [(one["kind"], unquote(one["title"]), unquote(one["message"])) for one in found]


def test_a_fault_of_three_clauses_is_one_annotation_with_its_remedy(report, tmp_path):
    shown = commands(report, tmp_path)
    (tie,) = [one for one in shown if "tie-highest-id" in one[2]]
    kind, title, message = tie
    assert (kind, title.partition(" ")[0]) == ("error", "AP-REPL-03")
    assert "To fix it: Of two versions of the same second" in message
    assert "Also broken by it: AP-REPL-08, AP-REPL-09" in message
    assert "Repeat: nip-ap run" in message


def test_a_known_failure_warns_and_what_is_undecided_is_a_notice(report, tmp_path):
    kinds = {title.partition(" ")[0]: kind for kind, title, _ in commands(report, tmp_path)}
    assert kinds["AP-DEL-01"] == "warning"
    assert kinds["AP-READ-02"] == "notice"


def test_a_green_run_says_its_verdict(tmp_path):
    report = made_report([result("AP-SLUG-01", Verdict.PASS)])
    assert [one[:2] for one in commands(report, tmp_path)] == [("notice", "NIP-AP: conformant")]


def test_more_annotations_than_are_shown_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(diagnosis, "signatures", tuple)
    ids = [one.id for one in register() if one.level == "MUST"][:14]
    results = [
        result(one, Verdict.FAIL, letter * 9)
        for one, letter in zip(ids, string.ascii_lowercase[6:], strict=False)
    ]
    errors = [one for one in commands(made_report(results), tmp_path) if one[0] == "error"]
    assert len(errors) == 10
    assert errors[-1][1:] == ("5 more", "see report.html")


def test_what_a_relay_says_ends_no_annotation_and_begins_none(tmp_path):
    text = "a%0A\n::error title=x::y\r\n::stop-commands::t, b: c"
    report = made_report([result("AP-SLUG-01", Verdict.FAIL, text)])
    write_annotations(report, tmp_path)
    (line,) = (tmp_path / "annotations.txt").read_text(encoding="utf-8").splitlines()
    assert line.startswith("::error title=AP-SLUG-01 MUST fail")
    assert "%250A" in line


def test_sarif_has_a_rule_per_clause_and_points_at_the_last_frame(report, tmp_path):
    log = json.loads(written(report, "sarif", tmp_path))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    rules = run["tool"]["driver"]["rules"]
    assert [one["id"] for one in rules] == [one.id for one in report.clauses]
    checks = {one.id: one for one in report.checks}
    for one in run["results"]:
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
        check = checks[one["partialFingerprints"]["check/v1"]]
        place = one["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == check.transcript
        assert place["region"]["startLine"] == len(report.transcripts[check.id])
    levels = {one["ruleId"]: (one["kind"], one["level"]) for one in run["results"]}
    assert levels["AP-REPL-03"] == ("fail", "error")
    assert levels["AP-READ-02"] == ("open", "none")
    (known,) = [one for one in run["results"] if one["ruleId"] == "AP-DEL-01"]
    assert known["suppressions"] == [
        {"kind": "external", "justification": "ticket 12 (until 2027-01-31)"}
    ]


CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "fingerprint": {"pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "required": ["path", "lines"],
                "properties": {"lines": {"properties": {"begin": {"minimum": 1}}}},
            },
        },
    },
}


def test_gitlab_takes_the_findings_and_knows_them_again(report, tmp_path):
    found = json.loads(written(report, "code-quality", tmp_path / "one"))
    jsonschema.validate(found, CODE_QUALITY)
    prints = [one["fingerprint"] for one in found]
    assert len(set(prints)) == len(prints) > 0
    severities = {one["check_name"]: one["severity"] for one in found}
    assert (severities["AP-REPL-03"], severities["AP-READ-02"]) == ("major", "info")


def test_ctrf_counts_what_it_lists(report, tmp_path):
    results = json.loads(written(report, "ctrf", tmp_path))["results"]
    statuses = [one["status"] for one in results["tests"]]
    summary = results["summary"]
    assert summary["tests"] == len(report.checks) == len(statuses)
    for status in ("passed", "failed", "skipped", "pending", "other"):
        assert summary[status] == statuses.count(status)
    by_name = {one["name"]: one for one in results["tests"]}
    failed = by_name["AP-REPL-03/of_three_the_lowest_id_stays"]
    assert failed["status"] == "failed"
    assert failed["suite"] == ["REPL", "AP-REPL-03"]
    assert "repeat: nip-ap run" in failed["trace"]
    known = by_name["AP-DEL-01/a_deletion_takes_effect"]
    assert (known["status"], known["rawStatus"]) == ("skipped", "known warn")
