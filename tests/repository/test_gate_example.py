"""The gate of examples/github: its shell lines are run as they stand, with a stand-in for `gh`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import yaml

from nip_ap.model.clauses import JUNE
from nip_ap.model.report import Report
from nip_ap.model.verdict import Verdict
from nip_ap.reporting import write_reports
from tests.reporting.reports import made_report, result

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = yaml.safe_load((ROOT / "examples/github/conformance.yml").read_text(encoding="utf-8"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
STAND_IN = """#!/bin/sh
case "$1 $2" in
    "run list") cat "$HERE/last" ;;
    "run download") cp -r "$HERE/of-main" before ;;
    "pr comment") while [ "$1" != --body-file ]; do shift; done; cp "$2" "$HERE/comment" ;;
esac
"""


@pytest.fixture
def compare(tmp_path):
    """Runs the step that compares, with the report of main (None: none) and that of the change."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in {
        "gh": STAND_IN,
        "nip-ap": f'#!/bin/sh\nexec {sys.executable} -m nip_ap "$@"\n',
    }.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)

    def run(of_main, of_change):
        (tmp_path / "last").write_text("1" if of_main else "")
        if of_main:
            write_reports(of_main, tmp_path / "of-main")
        write_reports(of_change, tmp_path / "nip-ap-report")
        step = WORKFLOW["jobs"]["nip-ap"]["steps"][-1]
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=tmp_path,
            env={
                **os.environ,
                "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
                "HERE": str(tmp_path),
                "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
                "REPOSITORY": "someone/relay",
                "NUMBER": "7",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def report(verdict=Verdict.PASS, **run):
    made = made_report([result("AP-SLUG-01", verdict), result("AP-REPL-03", Verdict.PASS)])
    changed = msgspec.structs.replace(made.document.run, **run)
    return Report(msgspec.structs.replace(made.document, run=changed), made.transcripts)


@pytest.mark.skipif(shutil.which("bash") is None, reason="the step is a script for bash")
class TestComparison:
    def test_a_fallen_revision_fails_the_gate_and_is_commented(self, compare, tmp_path):
        done = compare(report(), report(spec=JUNE))
        assert done.returncode == 1, done.stderr
        assert "2026-06" in (tmp_path / "comment").read_text(encoding="utf-8")

    def test_a_clause_that_broke_fails_the_gate(self, compare, tmp_path):
        done = compare(report(), report(Verdict.FAIL))
        assert done.returncode == 1, done.stderr
        assert "AP-SLUG-01" in (tmp_path / "comment").read_text(encoding="utf-8")

    def test_what_has_not_changed_passes(self, compare, tmp_path):
        done = compare(report(), report())
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "summary").read_text(encoding="utf-8")

    def test_the_first_run_of_all_has_nothing_to_compare_with(self, compare, tmp_path):
        done = compare(None, report())
        assert (done.returncode, done.stdout) == (0, "main has no report yet\n")
        assert not (tmp_path / "comment").exists()


def test_every_action_is_pinned_to_a_commit():
    own = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    steps = [*own["runs"]["steps"], *WORKFLOW["jobs"]["nip-ap"]["steps"]]
    used = [one["uses"] for one in steps if "uses" in one]
    others = [one for one in used if not one.startswith("OWNER/")]
    assert len(others) >= 3
    assert [one for one in others if not PINNED.fullmatch(one)] == []
