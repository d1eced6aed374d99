"""A conversation without a socket: what stands after texts came in some order."""

from __future__ import annotations

import orjson
import pytest

from nip_ap.nostr import Draft, Filter, SecretKey
from nip_ap.nostr.message import ClosedMessage, CountMessage, OkMessage
from nip_ap.wire import Frame, Playback, WebSocketDoor, exchange
from nip_ap.wire.conversation import Conversation, Requested

KEY = SecretKey.derived("conversation", "key")
EVENT = Draft(30175, 1, (("d", "x"),), "{}").signed_by(KEY)
OTHER = Draft(30175, 2, (("d", "y"),), "{}").signed_by(KEY)


def text(*frame):
    return orjson.dumps(frame).decode()


@pytest.fixture
def talk():
    return Conversation()


@pytest.fixture
def request_(talk):
    made = Requested("s", ())
    talk.note_request(made)
    return made


def test_events_before_eose_are_stored_and_later_ones_live(talk, request_):
    talk.receive(text("EVENT", "s", EVENT.to_json()))
    assert not request_.is_answered
    talk.receive(text("EOSE", "s"))
    talk.receive(text("EVENT", "s", OTHER.to_json()))
    assert (request_.stored, request_.live) == ([EVENT], [OTHER])
    assert request_.is_answered
    assert talk.strays == []


def test_what_is_served_as_an_event_and_is_none_is_kept_with_the_reason(talk, request_):
    value = EVENT.to_json() | {"tags": "none"}
    talk.receive(text("EVENT", "s", value))
    talk.receive(text("EVENT", "s", {"id": EVENT.id}))
    assert request_.stored == []
    assert [one.value for one in talk.malformed] == [value, {"id": EVENT.id}]
    assert [one.subscription for one in talk.malformed] == ["s", "s"]
    assert "`tags` must be an array" in str(talk.malformed[0])
    assert "missing field" in str(talk.malformed[1])


def test_a_malformed_event_counts_whatever_subscription_it_names(talk):
    talk.receive(text("EVENT", "nobody", {}))
    assert len(talk.malformed) == 1


def test_an_ok_answers_what_was_sent_and_nothing_else(talk):
    talk.note_sent(["EVENT", EVENT.to_json()])
    talk.receive(text("OK", EVENT.id, True, ""))
    talk.receive(text("OK", OTHER.id, True, ""))
    assert talk.has_ok(EVENT)
    assert not talk.has_ok(OTHER)
    assert talk.accepted_ids() == [EVENT.id]
    assert talk.accepted_among([OTHER, EVENT]) == [EVENT.id]
    assert talk.take_ok(EVENT) == OkMessage(EVENT.id, True, "")
    assert talk.take_ok(EVENT) is None
    assert [one.event_id for one in talk.misnamed] == [OTHER.id]


def test_each_ok_is_an_answer_of_its_own(talk):
    talk.note_sent(["EVENT", EVENT.to_json()])
    talk.receive(text("OK", EVENT.id, False, "rate-limited: slow"))
    talk.receive(text("OK", EVENT.id, True, ""))
    assert talk.oks_of(EVENT) == 2
    assert [talk.take_ok(EVENT).accepted for _ in range(2)] == [False, True]


def test_a_closed_for_no_subscription_answers_a_count(talk, request_):
    talk.receive(text("CLOSED", "c", "unsupported: COUNT"))
    talk.receive(text("COUNT", "d", {"count": 2}))
    talk.receive(text("CLOSED", "s", "error: full"))
    assert talk.counts == {
        "c": ClosedMessage("c", "unsupported: COUNT"),
        "d": CountMessage("d", 2),
    }
    assert request_.closed == "error: full"


def test_what_answers_nothing_is_a_stray_and_harms_nothing(talk, request_):
    odd = ["nonsense", "[]", text("EOSE", "t"), text("EVENT", "t", EVENT.to_json()), text("HI")]
    for one in odd:
        talk.receive(one)
    assert talk.strays == odd
    assert talk.received == odd
    assert not request_.is_answered


def test_a_departure_from_the_form_is_kept(talk):
    talk.note_sent(["EVENT", EVENT.to_json()])
    talk.receive(text("OK", EVENT.id, True, 5))
    assert talk.take_ok(EVENT).accepted
    assert talk.faults == ["the text of an OK is a string, and not 5"]


def test_the_last_challenge_stands(talk):
    talk.receive(text("AUTH", "first"))
    talk.receive(text("AUTH", "second"))
    assert talk.challenge == "second"


def test_a_subscription_that_was_left_or_closed_leaves_the_connection_idle(talk, request_):
    assert not talk.is_idle
    request_.left = True
    assert talk.is_idle


def test_notices_of_a_limit_stand_apart_until_they_are_taken_for_answers(talk):
    talk.receive(text("NOTICE", "rate-limited: slow down"))
    talk.receive(text("NOTICE", "welcome"))
    talk.receive(text("NOTICE", "rate-limited: slower"))
    assert list(talk.limits) == ["rate-limited: slow down", "rate-limited: slower"]
    assert talk.notices == ["rate-limited: slow down", "welcome", "rate-limited: slower"]


# -- answers word for word ---------------------------------------------------------


def played(*frames):
    lines = [Frame(0.0, "owner", "ws", "note", "connected", 1)]
    for direction, value in frames:
        lines.append(Frame(0.0, "owner", "ws", direction, text(*value), 1))
    playback = Playback(lines)
    return WebSocketDoor(
        "ws://nobody.invalid", who="owner", key=None, transcript=playback, now=lambda: 0,
        network=playback,
    )  # fmt: skip


FENCE = {"ids": ["0" * 64], "kinds": [30175]}
WANTED = Filter.of(kinds=[30175])


def test_only_what_is_about_a_request_belongs_to_it():
    door = played(
        ("sent", ["REQ", "fence-0", FENCE]),
        ("received", ["AUTH", "late"]),
        ("received", ["EOSE", "fence-0"]),
        ("sent", ["REQ", "look-0", WANTED.to_json()]),
        ("received", ["NOTICE", "by the way, look-0"]),
        ("received", ["EOSE", "look-0"]),
        ("sent", ["REQ", "look-1", WANTED.to_json()]),
        ("received", ["HELLO", "look-1"]),
        ("received", ["EVENT", "look-0", EVENT.to_json()]),
        ("received", ["EOSE", "look-1"]),
        ("sent", ["REQ", "fence-1", FENCE]),
        ("received", ["EVENT", "look-1", OTHER.to_json()]),
        ("received", ["EOSE", "fence-1"]),
    )
    assert exchange(door, "REQ", [WANTED, WANTED]) == [
        (text("EOSE", "look-0"), text("EVENT", "look-0", EVENT.to_json())),
        (text("EOSE", "look-1"), text("EVENT", "look-1", OTHER.to_json())),
    ]
