"""Correct and unusual: on a relay with other manners a run ends as on the plain one."""

from __future__ import annotations

import sys

import pytest

from nip_ap.model.greeting import ON_CONNECT, ON_READ, ON_WRITE
from nip_ap_relay.manners import CHALLENGES

RELAY = f"{sys.executable} -m nip_ap_relay --port {{port}}"
SELECTED = ("AP-AUTH-*", "AP-GATE-01", "AP-READ-02", "AP-ROB-06", "AP-SLUG-01", "AP-REPL-01")

MOMENTS = {
    "connect": ON_CONNECT,
    "late": ON_CONNECT,
    "again": ON_CONNECT,
    "read": ON_READ,
    "write": ON_WRITE,
}


def selected(checks=SELECTED):
    return [word for check in checks for word in ("--only", check)]


def offered(document, name):
    return next(one for one in document["capabilities"] if one["name"] == name)


@pytest.mark.parametrize("moment", CHALLENGES)
def test_a_challenge_may_come_whenever_it_is_needed(moment, nip_ap):
    command = f"{RELAY} --challenge {moment}"
    run = nip_ap("run", "--cmd", command, *selected(), "-n", 1, "--json")
    assert run.code == 0, run.out[-2000:] + run.err
    assert {one["verdict"] for one in run.json["checks"]} <= {"pass", "not applicable"}
    auth = offered(run.json, "auth")
    assert auth["offered"] == "yes"
    assert MOMENTS[moment] in auth["evidence"]


@pytest.mark.parametrize("needed", ["reads", "writes"])
def test_reads_or_writes_alone_may_need_authentication(needed, nip_ap):
    command = f"{RELAY} --auth-required {needed}"
    run = nip_ap("run", "--cmd", command, *selected(), "-n", 1, "--json")
    assert run.code == 0, run.out[-2000:] + run.err
    found = {name: offered(run.json, name)["offered"] for name in ("auth-to-read", "auth-to-write")}
    assert found == {
        "auth-to-read": "yes" if needed == "reads" else "no",
        "auth-to-write": "yes" if needed == "writes" else "no",
    }


PAGED = ("AP-READ-02", "AP-READ-17", "AP-READ-20", "AP-INFO-01", "AP-ROB-04")


@pytest.mark.parametrize("manner", ["short-pages", "short-pages-unannounced"])
def test_answers_may_be_cut_at_a_number_announced_or_not(manner, nip_ap):
    command = f"{RELAY} --manner {manner}"
    run = nip_ap("run", "--cmd", command, *selected(PAGED), "-n", 1, "--json")
    assert run.code == 0, run.out[-2000:] + run.err
    verdicts = {one["verdict"] for one in run.json["checks"] if "AP-INFO-01" not in one["clauses"]}
    assert verdicts == {"pass"}
    (claim,) = [one for one in run.json["checks"] if "AP-INFO-01" in one["clauses"]]
    assert claim["verdict"] == ("pass" if manner == "short-pages" else "warn")


def test_a_connection_may_be_closed_for_its_silence(nip_ap):
    checks = ("AP-INT-06", "AP-REPL-09", "AP-ROB-06")
    run = nip_ap("run", "--cmd", f"{RELAY} --manner idle", *selected(checks), "-n", 1, "--json")
    assert run.code == 0, run.out[-2000:] + run.err
    assert {one["verdict"] for one in run.json["checks"]} == {"pass"}
