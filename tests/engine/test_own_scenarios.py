"""A project's own checks: run as its people would, reported apart, never counted into NIP-AP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from nip_ap.reporting.collect.site import write_site
from nip_ap.reporting.reading import ReportUnreadable
from nip_ap.resources import resource

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "own_scenarios"
FEW = ("--only", "AP-SLUG-02", "--only", "FAMILY", "-n", "2")
ROGUE = "nip-ap relay --port {port} --rogue list-capped-at-100"


@pytest.fixture
def project(tmp_path):
    """A copy of the example; the commands are those beside this Python."""
    shutil.copytree(EXAMPLE, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "project"


@pytest.fixture
def at_home(project):
    """Runs a command in that project, as somebody who has installed the suite."""
    tools = project.parent / "bin"
    tools.mkdir()
    (tools / "nip-ap").write_text(f'#!/bin/sh\nexec {sys.executable} -m nip_ap "$@"\n')
    (tools / "nip-ap").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}

    def run(*words):
        command = words if words[0] == "nip-ap" else (sys.executable, "-m", *words)
        done = subprocess.run(
            list(map(str, command)),
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    return run


def report_in(folder):
    document = json.loads((folder / "report.json").read_text())
    schema = json.loads(resource("reports/report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


def test_a_run_reports_own_checks_apart(at_home, project):
    done = at_home("nip-ap", "run", *FEW, "--out", "report")
    assert done.code == 0, done.out + done.err
    assert "own checks of conformance, no part of NIP-AP" in done.out
    suite, own = report_in(project / "report"), report_in(project / "report" / "own")
    assert {one["id"] for one in suite["clauses"]} == {"AP-SLUG-02"}
    assert "own" not in suite["by_rule"]
    assert {one["id"] for one in own["clauses"]} == {"ACME-FAMILY-01", "ACME-FAMILY-02"}
    assert own["run"]["scenarios"] == "conformance"
    assert (own["complete"], own["why"]) == (
        False,
        "all 2 applicable checks hold (2 own, no part of NIP-AP)",
    )
    badge = json.loads((project / "report" / "own" / "badge.json").read_text())
    assert badge["label"] == "own checks"
    assert badge["message"].startswith("hold, ")


def test_no_collection_of_reports_counts_them(at_home, project, tmp_path):
    at_home("nip-ap", "run", *FEW, "--out", "reports/acme")
    assert write_site([project / "reports"], tmp_path / "site") == 1
    with pytest.raises(ReportUnreadable):
        write_site([project / "reports" / "acme" / "own"], tmp_path / "other")


def test_a_broken_promise_breaks_the_gate_and_nothing_else(at_home, project):
    done = at_home("nip-ap", "run", "--cmd", ROGUE, *FEW, "--out", "report")
    assert done.code == 1, done.out
    assert "✗ ACME-FAMILY-01 MUST fail: The list of an owner holds all of 120" in done.out
    assert report_in(project / "report")["verdict"] == "conformant"
    own = report_in(project / "report" / "own")
    (red,) = (one for one in own["checks"] if one["verdict"] == "fail")
    assert (red["expected"], red["seen"]) == ("120", "100")
    assert "--scenarios conformance" in red["repro"]
    (project / "known.toml").write_text(
        '[[known]]\nclause = "ACME-FAMILY-01"\nreason = "page size, next release"\n'
    )
    known = at_home("nip-ap", "run", "--cmd", ROGUE, *FEW, "--baseline", "known.toml")
    assert known.code == 0, known.out


def test_the_checks_of_the_example_are_proved(at_home, project):
    assert at_home("nip-ap", "prove", "--scenarios", "conformance").code == 0
    rogues = project / "conformance" / "rogues.toml"
    text = rogues.read_text()
    rogues.write_text(text.replace('turns_red = ["ACME-FAMILY-02"]', "turns_red = []"))
    done = at_home("nip-ap", "prove", "--scenarios", "conformance", "-n", "1")
    assert done.code == 1
    assert "ACME-FAMILY-02 is red, and is not in turns_red" in done.out
    assert "no rogue breaks ACME-FAMILY-02; add one" in done.out


def test_pytest_runs_them_with_and_without_a_relay(at_home, project):
    few = ("--nip-ap-only", "FAMILY", "--nip-ap-only", "AP-SLUG-02")
    done = at_home("pytest", "--nip-ap", *few, "-n", "2", "--nip-ap-out", "report")
    assert done.code == 0, done.out
    assert "own checks of conformance" in done.out
    assert report_in(project / "report" / "own")["why"].startswith("all 2 applicable checks hold")
    plain = at_home("pytest", "-q")
    assert (plain.code, "2 skipped" in plain.out) == (0, True), plain.out


def test_the_ids_that_are_listed_can_be_passed_back(at_home, project):
    (project / "pytest.ini").write_text("[pytest]\n")
    few = ("--nip-ap-only", "FAMILY", "--nip-ap-only", "AP-SLUG-02")
    listed = at_home("pytest", "--nip-ap", *few, "--collect-only", "-q").out.splitlines()
    ids = sorted(line for line in listed if "::" in line)
    assert ids == [
        "conformance/test_family.py::test_a_large_family_is_listed_whole",
        "conformance/test_family.py::test_a_new_name_arrives_at_the_other_device",
        "nip-ap/slug/test_slug.py::test_an_empty_slug_is_refused[http]",
        "nip-ap/slug/test_slug.py::test_an_empty_slug_is_refused[ws]",
    ]
    done = at_home("pytest", "--nip-ap", "-v", *ids[1:3])
    assert "2 passed" in done.out, done.out + done.err


def test_those_that_failed_last_run_again_alone(at_home, project):
    (project / "pytest.ini").write_text("[pytest]\n")
    few = ("--nip-ap-only", "FAMILY", "--nip-ap-only", "AP-SLUG-0*")
    rogue = "nip-ap relay --port {port} --rogue slug-empty-accepted"
    first = at_home("pytest", "--nip-ap", "--nip-ap-cmd", rogue, *few)
    assert "2 failed" in first.out, first.out
    again = at_home("pytest", "--nip-ap", *few, "--lf")
    assert "2 passed" in again.out, again.out


SLIPS = {
    "there is no such folder": lambda folder: shutil.rmtree(folder),
    "there is no clause in": lambda folder: (folder / "clauses/family.toml").unlink(),
    "family.toml is not TOML": lambda folder: spoil(folder / "clauses/family.toml", "=", "=="),
    "begin with another name": lambda folder: spoil(folder / "clauses/family.toml", "ACME", "AP"),
    "names no clause": lambda folder: spoil(folder / "test_family.py", "@clause", "# @clause"),
    "is NIP-AP's and has its checks in the suite": lambda folder: spoil(
        folder / "test_family.py", "ACME-FAMILY-02", "AP-READ-10"
    ),
    "which is not in clauses/*.toml; add it there": lambda folder: spoil(
        folder / "test_family.py", "FAMILY-02", "FAMILY-03"
    ),
    "ACME-FAMILY-02 has no check": lambda folder: spoil(
        folder / "test_family.py", "ACME-FAMILY-02", "ACME-FAMILY-01"
    ),
    "the suite has a file test_slug.py too": lambda folder: (folder / "test_family.py").rename(
        folder / "test_slug.py"
    ),
}


def spoil(file, old, new):
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_a_usage_error_that_says_what_to_change(at_home, project, slip):
    SLIPS[slip](project / "conformance")
    done = at_home("nip-ap", "run", *FEW)
    assert done.code == 4, done.out + done.err
    assert slip in done.err


def test_what_cannot_go_with_them_says_so(at_home, project):
    for words in (("--json",), ("--certify", "key", "--out", "report")):
        done = at_home("nip-ap", "run", *words)
        assert done.code == 4
        assert "--scenarios" in done.err
