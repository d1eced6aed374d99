"""Relays far away: more processes, the longest checks first, and the same verdict."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from nip_ap.engine.declarations import declarations, longest_checks
from nip_ap.engine.runner import worker_count
from nip_ap.targets import BundledTarget

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from benchmarks.distance import Distance, far_away


@pytest.fixture
def relay():
    target = BundledTarget(("--trust-host",))  # it is called by the proxy's port
    target.start()
    yield target.url
    target.stop()


def test_each_of_the_longest_checks_exists():
    assert set(longest_checks()) <= {one.check_id() for one in declarations()}
    assert len(set(longest_checks())) == len(longest_checks()) > 10


def test_auto_takes_more_processes_where_answers_travel_far():
    near = worker_count("auto", 0.0005)
    assert worker_count("auto") == near
    assert near < worker_count("auto", 0.15) <= worker_count("auto", 3.0) <= 12
    assert worker_count("3", 0.15) == 3


def test_a_distance_holds_back_by_half_a_round_trip_and_a_loss_by_a_retransmission():
    chance = random.Random(1)
    assert Distance(0.1).delay(chance) == 0.05
    assert all(0.04 <= Distance(0.1, jitter=0.01).delay(chance) <= 0.06 for _ in range(100))
    assert Distance(0.1, loss=1.0).delay(chance) == pytest.approx(0.35)


@pytest.mark.parametrize("loss", [0.0, 0.05], ids=["nothing lost", "5 % lost"])
def test_a_run_from_far_away_ends_as_one_from_near(loss, relay, nip_ap):
    with far_away(relay, Distance(0.06, jitter=0.01, loss=loss)) as url:
        run = nip_ap(
            "run", url, "--only", "AUTH", "--only", "AP-GATE-04", "--only", "AP-SLUG-02",
            "-n", 2, "--json",
        )  # fmt: skip
    assert run.code == 0, run.out[-2000:] + run.err
    assert {one["verdict"] for one in run.json["checks"]} <= {"pass", "not applicable"}
    assert run.json["run"]["workers"] == 2
