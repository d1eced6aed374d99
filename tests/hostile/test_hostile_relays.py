"""A run on a relay that does harm ends in bounded time and memory, and never in a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import orjson
import pytest
from benchmarks.driver import shared_memory_of_tree

from tests.hostile.serving import serving
from tests.hostile.vices import VICES

TIME_LIMIT = 60.0
MEMORY_LIMIT = 400.0
HARD_LIMIT = 900.0
"""Seconds after which a run is taken to have no end: a machine may be busy with other things."""
ENDINGS = (1, 2, 3)
"""Not conformant, inconclusive, unreachable: what such a relay may be called."""

FEW = [
    "accepts-and-says-nothing",
    "head-without-an-end",
    "wrong-accept",
    "upgrades-and-resets",
    "information-is-a-bomb",
    "information-of-wrong-types",
    "announces-a-terabyte",
    "empty-fragments-without-an-end",
    "pings-and-never-reads",
    "notices-without-an-end",
    "ok-text-of-20-megabytes",
    "answers-in-nonsense",
]


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    seconds: float
    megabytes: float
    output: str
    own: float
    """Seconds that the checks took, each for itself."""


def run_on(url, out, *more):
    """`nip-ap run` on a relay, watched."""
    began = time.monotonic()
    with (out.parent / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "nip_ap", "run", url, "--out", str(out), *more],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"COLUMNS": "100"},
        )
        peak = 0.0
        ended = threading.Event()
        while process.poll() is None and time.monotonic() - began < HARD_LIMIT:
            peak = max(peak, shared_memory_of_tree(process.pid))
            ended.wait(0.1)
        seconds = time.monotonic() - began
        process.kill()
        process.wait()
    report = out / "report.json"
    checks = orjson.loads(report.read_bytes())["checks"] if report.exists() else []
    text = (out.parent / "output.txt").read_text(errors="replace")
    own = sum(check["seconds"] for check in checks)
    return Ended(process.returncode, seconds, peak, text, own)


def assert_bounded(ended):
    assert ended.code in ENDINGS, ended
    assert "Traceback" not in ended.output
    assert "Exception in thread" not in ended.output
    assert ended.megabytes < MEMORY_LIMIT, ended


def test_there_are_sixty_of_them():
    assert len(VICES) >= 60
    assert set(FEW) <= set(VICES)


@pytest.mark.parametrize("name", FEW)
def test_a_run_on_a_hostile_relay_ends(name, tmp_path):
    with serving(name) as url:
        only = ("--only", "AP-INT-0[1-4]", "-n", "1")
        assert_bounded(run_on(url, tmp_path / "out", *only, "--timeout", "2"))


@pytest.mark.slow
@pytest.mark.parametrize("name", VICES)
def test_a_whole_run_on_a_hostile_relay_ends(name, tmp_path):
    with serving(name) as url:
        ended = run_on(url, tmp_path / "out")
    assert_bounded(ended)
    assert ended.seconds < TIME_LIMIT + ended.own, ended
