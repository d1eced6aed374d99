"""A correct relay with a habit is never red, and undecided with the right reason alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unusual.habits import HABITS

FEW = ("chats", "speaks-of-more", "closes-at-stored", "recent-only", "few-kinds")
SELECTED = ("AP-SLUG-0[12]", "AP-INT-0[78]", "AP-READ-10", "AP-GATE-08", "AP-REPL-01")

REASONS = {
    "closes-at-stored": "closed a subscription",
    "wants-work": "pow:",
    "paid": "restricted:",
    "whitelist": "blocked:",
    "slow": "",
}
"""What the reason of an undecided check holds, where there may be any."""


ROOT = Path(__file__).parents[2]


def judged(name, *more):
    """The report of a run on the relay of that name."""
    command = f"{sys.executable} -m tests.unusual {name} {{port}} {{dir}}/relay.db"
    done = subprocess.run(
        [sys.executable, "-m", "nip_ap", "run", "--cmd", command, *more, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1, 2), done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", FEW)
def test_a_habit_breaks_nothing(name):
    only = [word for one in SELECTED for word in ("--only", one)]
    run = judged(name, *only, "-n", "1")
    assert red(run) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, one in HABITS.items() if not one.path])
def test_a_whole_run_on_a_habit_breaks_nothing(name):
    run = judged(name)
    assert red(run) == []
    reason = REASONS.get(name)
    undecided = [one for one in run["checks"] if one["verdict"] == "inconclusive"]
    assert reason is not None or not undecided, [one["reason"] for one in undecided]


def red(run):
    verdicts = ("fail", "error")
    return [(one["id"], one["reason"]) for one in run["checks"] if one["verdict"] in verdicts]
