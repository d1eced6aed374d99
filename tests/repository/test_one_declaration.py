"""One declaration adds one thing: each is added to a copy of the sources, and found everywhere.

The copy gets a file of clauses, which is a group, a probe for what the clause needs, a check, a
rogue, and a kind of target with its option.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

FOLDERS = (
    "conformance/nip_ap",
    "fixtures",
    "scenarios",
    "reference_relay/nip_ap_relay",
    "reference_client/nip_ap_client",
    "reports/templates",
    "docs",
)

GROUP = """
group = "ECHO"
title = "Contents come back"
position = 999

[[clause]]
id = "AP-ECHO-01"
title = "A content comes back as it went in"
text = "The content of a persona is served as it was written."
level = "MUST"
revisions = ["2026-06", "2026-11"]
needs = ["echo"]
source = "NIP-AP, Content"
"""

PROBE = """

@probe("echo")
def _echo(probing: Probing) -> tuple[str, str]:
    return YES, "a canyon is a canyon"
"""

CHECK = '''"""ECHO: what a relay says back."""

from nip_ap.scenario import accepted, clause


@clause("AP-ECHO-01")
def test_a_content_comes_back(owner, persona, check):
    event = accepted(owner, persona(check.slug("canyon")))
    assert owner.head(event.slug) == event
'''

ROGUE = '''"""Rogues of contents."""

from nip_ap_relay.policy import Policy
from nip_ap_relay.rogues.declaring import rogue


@rogue(
    "made-here",
    turns_red="AP-ECHO-01",
    because="It has never seen a canyon.",
    remedy="Take what is shouted into it.",
)
class MadeHere(Policy):
    def slug_is_not_too_long(self, submission):
        if submission.event.slug and submission.event.slug.startswith("canyon"):
            return "invalid: no echo here"
        return super().slug_is_not_too_long(submission)
'''

OPTION = """
WORD = _option("word", "WORD", "A relay known by a word.")
OPTIONS = (*OPTIONS, WORD)
"""

TARGET = '''"""A relay that somebody else has started, known by a word."""

from nip_ap.model.target_options import WORD
from nip_ap.targets.recipe import Kind
from nip_ap.targets.url import UrlTarget

KIND = Kind(
    "word", "word", (WORD,), dict, lambda recipe: UrlTarget("ws://127.0.0.1:1"), position=999
)
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The sources with all that, and how to run them."""
    root = tmp_path_factory.mktemp("sources")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "reports/report.schema.json", root / "reports")
    (root / "reports/published").mkdir()
    (root / "fixtures/clauses/echo.toml").write_text(GROUP)
    with (root / "conformance/nip_ap/checking/probes.py").open("a") as probes:
        probes.write(PROBE)
    (root / "scenarios/echo").mkdir()
    (root / "scenarios/echo/test_echo.py").write_text(CHECK)
    (root / "reference_relay/nip_ap_relay/rogues/echo.py").write_text(ROGUE)
    with (root / "conformance/nip_ap/model/target_options.py").open("a") as options:
        options.write(OPTION)
    (root / "conformance/nip_ap/targets/word.py").write_text(TARGET)
    return root


def run(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A Python command on the copy."""
    paths = [copy / one for one in ("conformance", "reference_relay", "reference_client", "docs")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "XDG_CACHE_HOME": str(copy / "cache"),
    }
    return subprocess.run(
        [sys.executable, *words],
        cwd=copy, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_group_with_its_clause_check_and_probe_is_run_and_reported(copy):
    done = run(copy, "-m", "nip_ap", "run", "--only", "ECHO", "--out", "out", "-n", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ECHO" in done.stdout
    report = json.loads((copy / "out/report.json").read_text())
    assert [one["clauses"] for one in report["checks"]] == [["AP-ECHO-01"]]
    assert report["checks"][0]["verdict"] == "pass"
    assert "a canyon is a canyon" in json.dumps(report)


def test_a_clause_is_in_the_catalogue_and_in_the_docs(copy):
    assert "AP-ECHO-01" in run(copy, "-m", "nip_ap", "clauses").stdout
    page = run(copy, "-c", "from pages import clauses_page; print(clauses_page())").stdout
    assert "Contents come back" in page
    assert "AP-ECHO-01" in page
    assert "made-here" in page


def test_a_rogue_is_served_explained_and_proves_its_check(copy):
    told = run(copy, "-m", "nip_ap", "explain", "made-here").stdout
    assert "Take what is shouted into it." in told
    done = run(copy, "-m", "nip_ap", "prove", "--rogue", "made-here", "--json", "-n", "1")
    (proven,) = json.loads(done.stdout)["rogues"]
    assert proven["rogue"] == "made-here"
    assert proven["red"] == ["AP-ECHO-01"]
    assert done.returncode == 0


def test_a_kind_of_target_has_its_option(copy):
    assert "A relay known by a word." in run(copy, "-m", "nip_ap", "run", "--help").stdout
    done = run(copy, "-m", "nip_ap", "run", "--word", "swordfish", "--only", "ECHO")
    assert done.returncode == 3
    assert "127.0.0.1:1" in done.stderr + done.stdout
