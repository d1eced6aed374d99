"""Playing a transcript back: the recorded answers to the recorded requests, or where they part."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from nip_ap.nostr import Draft, Filter, SecretKey
from nip_ap.wire import (
    ConnectionLost,
    Diverged,
    Frame,
    HttpDoor,
    NoAnswer,
    Playback,
    RecordedKey,
    Transcript,
    Unreachable,
    WebSocketDoor,
)
from nip_ap.wire.transcript import LONGEST_SENT, shortened

KEY = SecretKey.derived("playback", "key")
EVENT = Draft(30175, 1, (("d", "x"),), "{}").signed_by(KEY)
REQ = '["REQ","owner-1",{"kinds":[30175]}]'


def frame(text, direction="received", *, who="owner", door="ws", connection=1):
    if door == "":
        who, connection = "suite", 0
    return Frame(0.0, who, door, direction, text, connection)


def note(text):
    return frame(text, "note")


def sent(value):
    return frame(value if isinstance(value, str) else orjson.dumps(value).decode(), "sent")


def came(value):
    return frame(value if isinstance(value, str) else orjson.dumps(value).decode())


def door_to(playback, who="owner"):
    return WebSocketDoor(
        "ws://nobody.invalid", who=who, key=None, transcript=playback, now=lambda: 0,
        network=playback,
    )  # fmt: skip


PUBLISHED = [
    note("connected"),
    sent(["EVENT", EVENT.to_json()]),
    came(["OK", EVENT.id, True, ""]),
]


def test_the_recorded_answer_comes_to_the_recorded_request():
    playback = Playback(PUBLISHED)
    assert door_to(playback).publish(EVENT).accepted
    playback.finish()
    assert playback.divergence == ""


def test_another_request_than_the_recorded_one_parts_from_the_transcript():
    playback = Playback(PUBLISHED)
    other = Draft(30175, 2, (("d", "x"),), "{}").signed_by(KEY)
    with pytest.raises(Diverged, match="where the transcript has owner sends"):
        door_to(playback).publish(other)
    assert other.id in playback.divergence


def test_once_parted_nothing_goes_on():
    playback = Playback([note("connected")])
    door = door_to(playback)
    for _ in range(2):
        with pytest.raises(Diverged, match="where the transcript ends"):
            door.publish(EVENT)


def test_a_step_left_out_is_seen_at_the_end():
    playback = Playback([*PUBLISHED, sent(REQ)])
    door_to(playback).publish(EVENT)
    playback.finish()
    assert "the transcript goes on with owner sends" in playback.divergence


def test_what_was_awaited_in_vain_is_again():
    playback = Playback(
        [*PUBLISHED[:2], note(f"gave up: OK for event {EVENT.id[:8]} did not come within 3 s")]
    )
    with pytest.raises(NoAnswer):
        door_to(playback).publish(EVENT)
    playback.finish()
    assert playback.divergence == ""


def test_an_answer_that_was_taken_out_is_missed():
    playback = Playback(PUBLISHED[:2])
    with pytest.raises(Diverged, match="waits for more, where the transcript ends"):
        door_to(playback).publish(EVENT)


def test_a_lost_connection_is_lost_again():
    playback = Playback([*PUBLISHED[:2], note("lost: the relay closed the connection")])
    with pytest.raises(ConnectionLost, match="the relay closed"):
        door_to(playback).publish(EVENT)


def test_what_could_not_be_sent_cannot_be_sent_again():
    playback = Playback([*PUBLISHED[:2], note("not sent: the connection broke")])
    with pytest.raises(ConnectionLost, match="the connection broke"):
        door_to(playback).publish(EVENT)
    playback.finish()
    assert playback.divergence == ""


def test_a_relay_that_was_not_there_is_not_there_again():
    with pytest.raises(Unreachable, match="refused"):
        door_to(Playback([note("not connected: connection refused")]))


def test_an_answer_comes_no_earlier_than_it_came():
    """A live delivery on one connection follows what was sent on another."""
    live = ["EVENT", "reader-1", EVENT.to_json()]
    playback = Playback(
        [
            frame("connected", "note", who="reader"),
            frame(REQ.replace("owner", "reader"), "sent", who="reader"),
            frame('["EOSE","reader-1"]', who="reader"),
            *PUBLISHED[:2],
            frame(orjson.dumps(live).decode(), who="reader"),
            PUBLISHED[2],
        ]
    )
    subscription = door_to(playback, "reader").open([Filter.of(kinds=[30175])])
    writer = door_to(playback)
    assert (subscription.stored, subscription.live) == ([], [])
    writer.publish(EVENT)
    assert (subscription.stored, subscription.live) == ([], [EVENT])


def test_threads_take_their_turns_as_they_were():
    events = [Draft(30175, at, (("d", "x"),), "{}").signed_by(KEY) for at in range(8)]
    writers = [f"writer {number}" for number in range(8)]
    frames = [frame("connected", "note", who=who) for who in writers]
    for who, event in reversed(list(zip(writers, events, strict=True))):
        text = orjson.dumps(["EVENT", event.to_json()]).decode()
        frames.append(frame(text, "sent", who=who))
    for who, event in zip(writers, events, strict=True):
        frames.append(frame(orjson.dumps(["OK", event.id, True, ""]).decode(), who=who))
    playback = Playback(frames)
    doors = [door_to(playback, who) for who in writers]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda pair: pair[0].publish(pair[1]), zip(doors, events, strict=True))
        )
    assert all(answer.accepted for answer in answers)
    playback.finish()
    assert playback.divergence == ""


def test_a_second_connection_of_a_name_has_frames_of_its_own():
    again = [frame(one.text, one.direction, connection=2) for one in PUBLISHED]
    again[2] = frame(orjson.dumps(["OK", EVENT.id, False, "no"]).decode(), connection=2)
    playback = Playback([*PUBLISHED, *again])
    assert [door_to(playback).publish(EVENT).accepted for _ in range(2)] == [True, False]


def test_a_reading_is_the_recorded_one():
    recorded = Transcript()
    assert recorded.reading("clock", lambda: 17) == 17
    playback = Playback(recorded.frames)
    assert playback.reading("clock", lambda: 18) == 17
    with pytest.raises(Diverged):
        playback.reading("clock", lambda: 18)


def test_a_reading_of_another_sort_parts_from_the_transcript():
    playback = Playback([frame("clock reads 17", "note", door="")])
    with pytest.raises(
        Diverged, match="suite reads lag, where the transcript has suite notes clock reads 17"
    ):
        playback.reading("lag", lambda: 0.1)


def test_what_is_too_long_stands_by_its_digest():
    one, other = "x" * LONGEST_SENT + "a", "x" * LONGEST_SENT + "b"
    assert shortened(one, "sent") != shortened(other, "sent")
    playback = Playback([note("connected"), sent(shortened(one, "sent"))])
    with pytest.raises(Diverged):
        door_to(playback).send_text(other)
    again = Playback([note("connected"), sent(shortened(one, "sent"))])
    door_to(again).send_text(one)


HTTP_SENT = frame('POST /count [{"kinds":[30175]}]', "sent", door="http")


def http_door(playback):
    return HttpDoor(
        "ws://nobody.invalid", who="owner", key=None, transcript=playback, now=lambda: 0,
        network=playback,
    )  # fmt: skip


def test_http_has_its_recorded_answers_too():
    playback = Playback([HTTP_SENT, frame('HTTP 200 {"count":3}', door="http")])
    assert http_door(playback).count([Filter.of(kinds=[30175])]).count == 3
    with pytest.raises(Diverged):
        http_door(playback).count([Filter.of(kinds=[30175])])


@pytest.mark.parametrize("error", [NoAnswer, Unreachable])
def test_http_fails_as_it_failed(error):
    failed = frame(f"gave up: {error.__name__}: it is gone", "note", door="http")
    with pytest.raises(error, match="it is gone"):
        http_door(Playback([HTTP_SENT, failed])).count([Filter.of(kinds=[30175])])


def test_a_recorded_key_signs_what_it_signed_and_no_more():
    forged = EVENT.altered(id="0" * 64)
    key = RecordedKey(KEY.pubkey, [sent(["EVENT", forged.to_json()]), *PUBLISHED])
    assert key.sign(bytes.fromhex(EVENT.id)) == EVENT.sig
    assert key.sign(bytes(32)) == "0" * 128
    with pytest.raises(ValueError, match="not known"):
        key.secret_hex()


def test_each_actor_has_the_readings_of_its_own():
    """Of threads that act at a time, each goes on after its own reading and no other's."""
    names = [f"writer {number}" for number in range(4)]
    recorded = Transcript()
    recorded.reading("clock", lambda: 17)
    for number, who in enumerate(names):
        recorded.reading("time", lambda now=number: now, who)
        recorded.record(who, "ws", "note", "left", 1)
    playback = Playback(recorded.frames)
    assert playback.reading("clock", lambda: -1) == 17

    def act(who):
        reading = playback.reading("time", lambda: -1, who)
        playback.record(who, "ws", "note", "left", 1)
        return reading

    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(act, who) for who in reversed(names)]
        assert [one.result() for one in reversed(waiting)] == [0, 1, 2, 3]
    playback.finish()
    assert playback.divergence == ""


def test_a_connection_that_silence_ended_is_left_for_a_new_one_when_it_is_played():
    frames = [
        note("connected"),
        sent(orjson.loads(REQ)),
        frame('["EOSE","owner-1"]'),
        sent(["CLOSE", "owner-1"]),
        note("lost: after a silence the relay closed the connection: received 1000 (OK)"),
        frame("connected", "note", connection=2),
    ]
    playback = Playback(frames)
    door = door_to(playback)
    door.query([Filter.of(kinds=[30175])])
    assert door.was_left_idle
    assert not door.is_open
    door.close()
    door_to(playback)
    playback.finish()
