"""A process learns the limits of a relay and keeps to them: on a clock of the test's own."""

from __future__ import annotations

import pytest

from nip_ap.wire.allowance import EVENTS, Allowance
from nip_ap_relay.manners import ADDRESS, KEY, Quota, Turnstile


class Clock:
    """Time that passes only while somebody waits, and a little with each request."""

    def __init__(self):
        self.now = 1000.0

    def rest(self, seconds, why=""):
        self.now += seconds


class Bucket:
    """A relay that lets one more through every so often, and some at once at first."""

    def __init__(self, size, seconds_each):
        self.size = size
        self.seconds_each = seconds_each
        self.held = {}

    def wait(self, verb, who, now):
        level, at = self.held.get(who[KEY], (float(self.size), now))
        level = min(self.size, level + (now - at) / self.seconds_each)
        taken = level >= 1
        self.held[who[KEY]] = (level - taken, now)
        return 0.0 if taken else 1.0


def publish(relay, allowance, clock, who, number):
    """Sends a burst, and again what was not taken, as a door does; gives how many were refused."""
    left, refusals, pause = number, 0, 0.5
    while left:
        refused = 0
        for _ in range(left):
            allowance.admit(EVENTS, who)
            clock.now += 0.001
            if relay.wait("EVENT", {KEY: who, ADDRESS: "here"}, clock.now):
                refused += 1
        allowance.answered(EVENTS, who, left - refused, refused)
        if refused:
            pause = 0.5 if refused < left else 2 * pause
            clock.rest(pause)
        refusals += refused
        left = refused
    return refusals


def quota(number, seconds, each):
    return Turnstile((Quota(frozenset({"EVENT"}), number, seconds, each),))


@pytest.mark.parametrize(
    ("relay", "fastest"),
    [
        (quota(10, 1.0, KEY), 0.1),
        (quota(60, 60.0, KEY), 1.0),
        (Bucket(60, 1.0), 1.0),
        (Bucket(10, 0.1), 0.1),
    ],
    ids=["10 a second", "60 a minute", "a bucket of 60", "a bucket of 10"],
)
def test_what_was_learned_from_one_key_is_kept_to_with_the_next(relay, fastest):
    clock = Clock()
    allowance = Allowance(1, clock.rest, lambda: clock.now)
    publish(relay, allowance, clock, "first", 200)
    began = clock.now
    refused = publish(relay, allowance, clock, "second", 200)
    assert refused < 100, str(allowance)
    assert clock.now - began < 4 * 200 * fastest, str(allowance)


def test_without_a_limit_nothing_waits():
    clock = Clock()
    allowance = Allowance(1, clock.rest, lambda: clock.now)
    for _ in range(5000):
        allowance.admit(EVENTS, "a key")
    assert clock.now == 1000.0
    assert str(allowance) == ""


def test_a_limit_of_the_address_is_seen_for_one_and_shared_out():
    clock = Clock()
    relay = quota(10, 1.0, ADDRESS)
    allowance = Allowance(1, clock.rest, lambda: clock.now)
    for number in range(60):
        publish(relay, allowance, clock, f"key {number}", 4)
    assert "for each address" in str(allowance)
    refused = sum(publish(relay, allowance, clock, f"late key {n}", 4) for n in range(30))
    assert refused < 30, str(allowance)


def test_a_limit_of_each_key_is_not_taken_for_one_of_the_address():
    clock = Clock()
    relay = quota(10, 1.0, KEY)
    allowance = Allowance(1, clock.rest, lambda: clock.now)
    for number in range(50):
        publish(relay, allowance, clock, f"key {number}", 12)
    assert "for each key" in str(allowance)
