"""Allure results: fields as Allure's documentation has them, read back, and read by a reader."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from nip_ap.model.verdict import Verdict
from nip_ap.reporting import read_report
from tests.reporting.reports import PUBLISHED, hostile_report, made_report, one_of_each, result

pytest.importorskip("allure_commons", reason="the extra allure is not installed")

from nip_ap.reporting.formats.allure import write_allure

EXECUTABLE = {
    "name": {"type": "string", "minLength": 1},
    "status": {"enum": ["failed", "broken", "passed", "skipped"]},
    "start": {"type": "integer"},
    "stop": {"type": "integer"},
    "parameters": {
        "type": "array",
        "items": {"required": ["name", "value"], "properties": {"value": {"type": "string"}}},
    },
}
RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["uuid", "name", "fullName", "historyId", "testCaseId", "status", "labels"],
    "properties": EXECUTABLE
    | {
        "uuid": {"type": "string", "pattern": "^[0-9a-f-]{36}$"},
        "fullName": {"type": "string"},
        "historyId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "testCaseId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "description": {"type": "string"},
        "titlePath": {"type": "array"},
        "statusDetails": {
            "additionalProperties": False,
            "properties": {
                "message": {"type": "string"},
                "trace": {"type": "string"},
                "flaky": {"type": "boolean"},
            },
        },
        "labels": {
            "type": "array",
            "items": {
                "additionalProperties": False,
                "required": ["name", "value"],
                "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
            },
        },
        "links": {"type": "array", "items": {"required": ["type", "url", "name"]}},
        "steps": {
            "type": "array",
            "items": {
                "additionalProperties": False,
                "required": ["name", "status"],
                "properties": EXECUTABLE,
            },
        },
        "attachments": {
            "type": "array",
            "items": {
                "required": ["name", "source", "type"],
                "properties": {
                    "source": {"pattern": "^[0-9a-f-]{36}-attachment\\.txt$"},
                    "type": {"const": "text/plain"},
                },
            },
        },
    },
}


def results_in(folder):
    """The results by check; each is valid and its attachments are there."""
    found = {}
    for path in Path(folder).glob("*-result.json"):
        value = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.validate(value, RESULT)
        for one in value.get("attachments", ()):
            assert (Path(folder) / one["source"]).is_file()
        found[value["fullName"]] = value
    return found


def labels(value, name):
    return [one["value"] for one in value["labels"] if one["name"] == name]


@pytest.fixture
def written(tmp_path):
    def write(report):
        write_allure(report, tmp_path)
        return results_in(tmp_path)

    return write


def test_each_check_is_a_result_with_the_status_of_its_verdict(written):
    report = one_of_each()
    found = written(report)
    assert {name: one["status"] for name, one in found.items()} == {
        check.id: {
            "pass": "passed",
            "warn": "passed",
            "fail": "failed",
            "unstable": "failed",
            "inconclusive": "broken",
            "error": "broken",
            "not applicable": "skipped",
        }[check.verdict]
        for check in report.checks
    }


def test_a_result_has_its_clause_its_level_and_what_to_do(written):
    report = made_report([result("AP-SLUG-09", Verdict.WARN, "said so", level="SHOULD")])
    (found,) = written(report).values()
    assert found["name"] == "AP-SLUG-09 a check"
    assert labels(found, "clause") == ["AP-SLUG-09"]
    assert labels(found, "severity") == ["normal"]
    assert labels(found, "tag") == ["SHOULD", "warn"]
    assert labels(found, "feature") == ["SLUG"]
    assert found["statusDetails"]["message"].startswith("warn: expected said so\nseen said so")
    assert found["statusDetails"]["trace"] == f"repeat: {report.checks[0].repro}"
    assert found["links"][0]["url"].startswith("https://github.com/")


def test_the_steps_are_the_control_the_requests_and_the_end(written):
    (found,) = written(made_report([result("AP-SLUG-02", Verdict.FAIL, "accepted")])).values()
    names = [one["name"] for one in found["steps"]]
    assert names[0].startswith("control: accepted")
    assert [one.startswith('owner -> ["EVENT"') for one in names[1:-1]] == [True] * 3
    assert found["steps"][1]["parameters"][0]["value"].startswith('["OK"')
    assert names[-1] == "expected accepted; seen accepted"
    assert found["steps"][-1]["status"] == "failed"


def test_the_transcript_is_attached(written, tmp_path):
    (found,) = written(made_report([result("AP-SLUG-01", Verdict.PASS, frames=2)])).values()
    text = (tmp_path / found["attachments"][0]["source"]).read_text(encoding="utf-8")
    assert len(text.splitlines()) == 9
    assert 'owner ws <- ["OK","' in text


def test_a_huge_transcript_is_cut_and_says_so(written, tmp_path):
    (found,) = written(made_report([result("AP-SLUG-01", Verdict.PASS, "x" * 9000)])).values()
    (big,) = written(
        made_report([result("AP-SLUG-02", Verdict.PASS, "x" * 9000, frames=99)])
    ).keys() - {found["fullName"]}
    source = results_in(tmp_path)[big]["attachments"][0]["source"]
    text = (tmp_path / source).read_text(encoding="utf-8")
    assert len(text) < 600_000
    assert "more frames; transcripts/ of --out has them" in text.splitlines()[-1]


def test_results_of_hostile_relays_are_valid(written):
    report = hostile_report()
    assert len(written(report)) == len(report.checks)


def test_the_same_check_has_the_same_history_in_each_run(tmp_path):
    for name in ("one", "two"):
        write_allure(one_of_each(), tmp_path / name)
    before, after = results_in(tmp_path / "one"), results_in(tmp_path / "two")
    assert {k: v["historyId"] for k, v in before.items()} == {
        k: v["historyId"] for k, v in after.items()
    }
    assert len({one["historyId"] for one in before.values()}) == len(before)


@pytest.mark.parametrize(
    "path", sorted(PUBLISHED.glob("*/report.json")), ids=lambda p: p.parent.name
)
def test_a_reader_of_allure_results_counts_the_same(path, tmp_path):
    reader = Path(sys.executable).parent / "allure-markdown"
    if not reader.exists():
        pytest.skip("allure-markdown is not installed")
    report = read_report(path)
    write_allure(report, tmp_path / "results")
    subprocess.run(
        [reader, "-r", tmp_path / "results", "-o", tmp_path / "read.md"],
        check=True,
        capture_output=True,
    )
    counts = report.document.counts
    passed = counts["pass"] + counts["warn"]
    broken = counts["inconclusive"] + counts["error"]
    failed = counts["fail"] + counts["unstable"]
    row = f"| {passed} | {failed} | {counts['not applicable']} | {broken} | {len(report.checks)} |"
    assert row in (tmp_path / "read.md").read_text(encoding="utf-8")


def test_nip_ap_run_writes_results(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "nip_ap", "run", "--only", "AP-SLUG-02", "--alluredir", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = results_in(tmp_path)
    assert set(found) == {
        "AP-SLUG-02/an_empty_slug_is_refused[http]",
        "AP-SLUG-02/an_empty_slug_is_refused[ws]",
    }
    assert "Revision=2026-11" in (tmp_path / "environment.properties").read_text()


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_under_pytest_the_results_of_allure_pytest_are_dressed(pytester, workers):
    pytest.importorskip("allure_pytest")
    pytester.makepyfile(test_other="def test_of_somebody_else(): pass")
    done = pytester.runpytest_subprocess(
        *("-p", "no:randomly", "--nip-ap", "--nip-ap-only", "AP-SLUG-02"),
        *("--alluredir", "results", *workers),
    )
    done.assert_outcomes(passed=2)
    scenarios = results_in(pytester.path / "results")
    assert set(scenarios) == {
        "AP-SLUG-02/an_empty_slug_is_refused[http]",
        "AP-SLUG-02/an_empty_slug_is_refused[ws]",
    }
    for one in scenarios.values():
        assert labels(one, "clause") == ["AP-SLUG-02"]
        assert labels(one, "severity") == ["critical"]
        assert one["steps"]
        assert "-> " in (pytester.path / "results" / one["attachments"][0]["source"]).read_text()
    shutil.rmtree(pytester.path / "results")
    done = pytester.runpytest_subprocess(
        *("-p", "no:randomly", "--nip-ap", "--nip-ap-only", "AP-SLUG-02"),
        *("--alluredir", "results", "test_other.py", *workers),
    )
    found = {one["fullName"]: one for one in results_in_any(pytester.path / "results")}
    assert len(found) == 1 + len(scenarios)
    assert labels(found["test_other#test_of_somebody_else"], "clause") == []


def results_in_any(folder):
    return [json.loads(one.read_text()) for one in folder.glob("*-result.json")]


def test_without_the_extra_the_option_says_what_to_install(monkeypatch):
    from click.testing import CliRunner

    from nip_ap import cli, run_command

    monkeypatch.setattr(run_command, "find_spec", lambda name: None)
    done = CliRunner().invoke(cli.main, ["run", "--alluredir", "x"])
    assert done.exit_code == 4
    assert "nip-ap-conformance[allure]" in done.output


@pytest.mark.parametrize("given", [("--nip-ap",), ()], ids=["with the suite", "without"])
def test_pytest_names_the_extra_where_it_is_missing(pytester, given):
    pytester.makepyfile("def test_it(): pass")
    code = (
        "import importlib.util as u, sys, pytest; find = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name == 'allure_pytest' else find(name, *a); "
        "sys.exit(pytest.main(sys.argv[1:]))"
    )
    blocked = ("-p", "no:allure_pytest", "-p", "no:randomly")
    done = pytester.run(sys.executable, "-c", code, *blocked, *given, "--alluredir", "results")
    assert done.ret == 4
    done.stderr.fnmatch_lines(["*--alluredir needs the extra allure: pip install*"])
