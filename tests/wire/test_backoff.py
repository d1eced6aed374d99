"""Rate limits are waited out: as long as the relay says, as long as anything gets through."""

from __future__ import annotations

import pytest

from nip_ap.wire import Patience
from nip_ap.wire.answers import RateLimited
from nip_ap.wire.backoff import Backoff, seconds_told


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("rate-limited: slow down; retry in 3s", 3),
        ("rate-limited: retry in 0.5 s", 0.5),
        ("rate-limited: quota exceeded; retry in 60 seconds", 60),
        ("rate-limited: try again in 2 minutes", 120),
        ("rate-limited: wait 250 ms", 0.25),
        ("rate-limited: blocked for 90 sec.", 90),
        ("rate-limited: 60 events per minute are the limit", None),
        ("rate-limited: slow down", None),
    ],
)
def test_how_long_a_relay_says_to_wait_is_read(words, seconds):
    assert seconds_told(words) == seconds


class Resting(Patience):
    """Takes down the pauses and makes none."""

    def __init__(self):
        super().__init__(8.0)
        self.pauses = []

    def rest(self, seconds, why):
        self.pauses.append(seconds)


def test_it_waits_as_long_as_it_is_told():
    patience = Resting()
    backoff = Backoff(patience)
    for _ in range(3):
        backoff.pause("rate-limited: retry in 60 s")
    assert patience.pauses == [60, 60, 60]


def test_it_doubles_where_it_is_told_nothing_and_begins_anew_with_progress():
    patience = Resting()
    backoff = Backoff(patience)
    for progressed in (False, False, False, True, False):
        backoff.pause("rate-limited: slow down", progressed=progressed)
    assert patience.pauses == [0.5, 1, 2, 0.5, 1]


def test_progress_counts_and_tries_do_not():
    patience = Resting()
    backoff = Backoff(patience)
    for _ in range(500):
        backoff.pause("rate-limited: slow down", progressed=True)
    assert len(patience.pauses) == 500


def pause_for_ever(backoff):
    while True:
        backoff.pause("rate-limited: slow down")


def test_a_limit_that_lets_nothing_through_ends_and_the_next_ones_sooner():
    waited = []
    patience = Resting()
    for _ in range(3):
        patience.pauses.clear()
        backoff = Backoff(patience)
        with pytest.raises(RateLimited, match="let nothing through"):
            pause_for_ever(backoff)
        waited.append(sum(patience.pauses))
    assert waited[0] > 100
    assert waited[2] < 20


def test_a_wait_of_hours_is_not_kept():
    with pytest.raises(RateLimited):
        Backoff(Resting()).pause("rate-limited: retry in 3600 s")


def test_a_playback_does_not_wait():
    patience = Resting()
    for _ in range(100):
        Backoff(patience, waits=False).pause("rate-limited: retry in 60 s")
    assert patience.pauses == []


def test_who_listens_is_told_of_a_long_rest_and_not_of_a_short_one():
    told = []
    patience = Patience(8.0, on_rest=lambda why, left: told.append((why, left)))
    patience.rest(0.01, "rate-limited: a moment")
    assert told == []
