"""Waits for a rate limit are seen: noted by each process, told in a line, marked in the report."""

from __future__ import annotations

import sys
import time

from nip_ap.engine.waits import WaitNote, in_words, waiting_in
from nip_ap.model.capabilities import NO, Capabilities, Capability
from nip_ap.model.subject import Subject, limited_in_the_run

RELAY = f"{sys.executable} -m nip_ap_relay --port {{port}}"


def test_a_note_says_how_long_and_why_until_the_wait_is_over(tmp_path):
    WaitNote(tmp_path).write("rate-limited: slow down", 30.0)
    ((left, why),) = waiting_in(tmp_path, time.time())
    assert why == "rate-limited: slow down"
    assert 0 < left <= 30.1
    assert waiting_in(tmp_path, time.time() + 31) == []


def test_one_line_tells_of_the_longest_wait_and_how_many_there_are():
    assert in_words([(12.4, "rate-limited: slow down")]) == (
        "waiting 12 s for a rate limit: rate-limited: slow down"
    )
    assert in_words([(30, "a"), (2, "b")]) == "waiting 30 s for a rate limit, and 1 more: a"


def test_a_limit_that_was_met_in_the_run_is_marked_as_met():
    rate = Capability("rate-limit", NO, "none was met during the preflight")
    subject = Subject("", "ws://relay", Capabilities({"rate-limit": rate}, "2026-11", ""))
    met = limited_in_the_run(subject, [{}, {"rate limit": "about 10 events in 1 s for each key"}])
    assert met.capabilities.offers("rate-limit")
    assert "about 10 events in 1 s" in met.capabilities["rate-limit"].evidence
    assert limited_in_the_run(subject, [{}]) == subject


def test_a_rate_limit_is_waited_out_and_never_a_failure(nip_ap):
    command = f"{RELAY} --manner paced-by-notice"
    run = nip_ap(
        "run", "--cmd", command, "--only", "AP-READ-02", "--only", "AP-AUTH-*", "-n", 1, "--json"
    )
    assert run.code == 0, run.out[-2000:] + run.err
    assert {one["verdict"] for one in run.json["checks"]} <= {"pass", "not applicable"}
    (rate,) = [one for one in run.json["capabilities"] if one["name"] == "rate-limit"]
    assert rate["offered"] == "yes"
