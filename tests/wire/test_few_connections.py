"""A relay that takes no more connections says "later": it is neither gone nor broken."""

from __future__ import annotations

import threading

import pytest

from nip_ap.checking import vigil
from nip_ap.checking.check import Check, Surface
from nip_ap.checking.greeting import find_greeting
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.greeting import ON_CONNECT, Greeting
from nip_ap.model.judgement import NotApplicable
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.nostr import PERSONA, Filter, SecretKey
from nip_ap.targets import BundledTarget
from nip_ap.wire import Patience, RateLimited
from nip_ap.wire.backoff import is_about_connections
from nip_ap.wire.network import LiveNetwork
from tests.relay.talking import door_to


@pytest.fixture
def small_relay():
    target = BundledTarget(("--manner", "few-connections"))
    target.start()
    yield target.url
    target.stop()


def test_a_connection_that_is_one_too_many_met_a_limit(small_relay):
    doors = [door_to(small_relay, SecretKey.fresh()) for _ in range(3)]
    refused = door_to(small_relay)
    with pytest.raises(RateLimited, match="too many connections"):
        refused.query([Filter.of(kinds=[PERSONA], limit=1)])
    for one in (*doors, refused):
        one.close()


class Canary:
    """An actor whose reads meet a limit."""

    pubkey = "0" * 64

    def try_to_read(self, *filters):
        raise RateLimited("rate-limited: too many connections")


def test_a_relay_that_says_later_is_not_gone():
    assert vigil._silence(Canary()) == ""


def test_words_about_connections_are_told_from_those_about_pace():
    assert is_about_connections("rate-limited: too many connections from this address")
    assert is_about_connections("rate-limited: too many open connections")
    assert not is_about_connections("rate-limited: too many events")


def check_at(url, told):
    subject = Subject("", url, Capabilities({}, "2026-11", "", greeting=Greeting(ON_CONNECT)))
    surface = Surface(
        Context(Settings(SecretKey.fresh().pubkey[:8]), (subject,)),
        LiveNetwork(),
        {},
        on_crowd=told.append,
    )
    return Check("AP-X-01/x", ("AP-X-01",), "MUST", "x", subject, surface)


def test_an_idle_connection_makes_room_for_the_next(small_relay):
    told = []
    check = check_at(small_relay, told)
    actors = [check.actor("owner", turn) for turn in range(6)]
    for actor in actors:
        assert actor.try_to_read(Filter.of(kinds=[PERSONA], authors=[actor.pubkey])).events == ()
    assert told
    assert 1 <= sum(one.holds_a_connection for one in actors) <= 3
    check.leave()


def test_a_check_that_needs_more_than_the_relay_takes_does_not_apply(small_relay, monkeypatch):
    monkeypatch.setattr(Patience, "rest", lambda *_: None)
    check = check_at(small_relay, [])
    watchers = [check.actor("owner", turn) for turn in range(4)]
    for one in watchers[:3]:
        one.watch(Filter.of(kinds=[PERSONA], authors=[one.pubkey]))
    with pytest.raises(NotApplicable, match="needs more than 3 connections at once"):
        watchers[3].watch(Filter.of(kinds=[PERSONA], authors=[watchers[3].pubkey]))
    check.leave()


def test_a_connection_that_was_refused_tells_nothing_of_challenges(small_relay):
    doors = [door_to(small_relay, SecretKey.fresh()) for _ in range(3)]
    check = check_at(small_relay, [])
    done = threading.Timer(0.3, lambda: [one.close() for one in doors])
    done.start()
    assert find_greeting(check.actor("owner")).moment == ON_CONNECT
    done.join()
    check.leave()


def test_checks_learn_from_each_other_that_they_have_to_take_turns(tmp_path):
    board = vigil.Board(tmp_path)
    assert not board.is_crowded("one")
    board.note_a_crowd("one")
    assert board.is_crowded("one")
    assert not board.is_crowded("other")


def test_the_time_of_a_check_begins_with_its_turn(small_relay):
    check = check_at(small_relay, [])
    check._began -= 100
    assert not check.has_time_left(50)
    check.begins()
    assert check.has_time_left(50)
