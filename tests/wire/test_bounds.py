"""What a relay may send, and that nothing waits for one that sends too much or reads nothing."""

from __future__ import annotations

import threading

import pytest
from websockets.sync.server import serve

from nip_ap.nostr import Filter
from nip_ap.wire import (
    ConnectionLost,
    Frame,
    LiveNetwork,
    Playback,
    Transcript,
    WebSocketDoor,
    bounds,
)
from nip_ap.wire import transcript as transcripts
from nip_ap.wire.answers import Flooded, WireError
from nip_ap.wire.bounds import FLOODS, flood
from tests.hostile.serving import serving

NOTICE = '["NOTICE","hello"]'
ANYTHING = Filter.of(kinds=[30175])


def door_to(url, transcript=None, network=None, limit=5.0):
    return WebSocketDoor(
        url, who="owner", key=None, transcript=transcript or Transcript(), now=lambda: 0,
        network=network or LiveNetwork(), answer_limit=limit,
    )  # fmt: skip


@pytest.fixture
def low(monkeypatch):
    """Bounds that a test can reach."""
    monkeypatch.setattr(bounds, "MOST_MESSAGES", 50)
    monkeypatch.setattr(bounds, "MOST_MESSAGES_PER_REQUEST", 10)
    monkeypatch.setattr(bounds, "MOST_CHARACTERS", 10_000)
    monkeypatch.setattr(transcripts, "MOST_SHOWN", 10)


def test_each_request_allows_for_more_messages(low):
    assert flood(60, 0, sent=1) is None
    assert flood(61, 0, sent=1) == "the relay floods with over 60 messages on one connection"
    assert "over 10000 characters" in flood(1, 10_001, sent=1)


def lines(*frames):
    made = [Frame(0.0, "owner", "ws", "note", "connected", 1)]
    return made + [Frame(0.0, "owner", "ws", way, text, 1) for way, text in frames]


def test_a_flood_ends_the_connection_and_what_waits_on_it(low):
    playback = Playback(
        lines(("sent", '["REQ","owner-1",{"kinds":[30175]}]'), *[("received", NOTICE)] * 100)
    )
    door = door_to("ws://nobody.invalid", playback, playback)
    with pytest.raises(Flooded, match="over 60 messages on one connection; EOSE for"):
        door.query([ANYTHING])
    assert not door.is_open
    assert len(door.received) == 61


def test_a_flood_that_was_recorded_is_one_when_it_is_played(low):
    frames = lines(
        ("sent", '["REQ","owner-1",{"kinds":[30175]}]'),
        ("received", NOTICE),
        ("note", f"lost: {FLOODS} with over 60 messages on one connection"),
    )
    playback = Playback(frames)
    with pytest.raises(Flooded):
        door_to("ws://nobody.invalid", playback, playback).query([ANYTHING])


def test_the_transcript_of_a_flood_is_thinned_out(low):
    transcript = Transcript()
    for number in range(40):
        transcript.record("owner", "ws", "received", f"{number}", 1)
        transcript.record("other", "ws", "received", "kept", 1)
    transcript.thin_out("owner", "ws", 1)
    texts = [frame.text for frame in transcript.frames if frame.who == "owner"]
    assert texts == ["0", "1", "2", "3", "4", "30 frames are left out here",
                     "35", "36", "37", "38", "39"]  # fmt: skip
    assert sum(frame.who == "other" for frame in transcript.frames) == 40


def test_a_transcript_does_not_grow_with_what_a_relay_sends():
    transcript = Transcript()
    for number in range(20):
        transcript.record("owner", "ws", "received", "x" * 2_000_000, number)
    texts = [frame.text for frame in transcript.frames]
    assert [len(text) for text in texts[:8]] == [2_000_000] * 8
    assert sum(map(len, texts)) < 17_000_000
    assert "(2000000 characters, SHA-256" in texts[-1]


def test_long_frames_of_a_flood_are_cut():
    transcript = Transcript()
    for _ in range(40):
        transcript.record("owner", "ws", "received", "x" * 100_000, 1)
    transcript.thin_out("owner", "ws", 1)
    assert sum(len(frame.text) for frame in transcript.frames) < 40_000


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("announces-a-terabyte", "with a message of more than"),
        ("fragments-without-an-end", "with a message of more than"),
        ("empty-fragments-without-an-end", FLOODS),
        ("pings-without-an-end", "pings on one connection"),
        ("notices-without-an-end", "messages on one connection"),
    ],
)
def test_a_relay_that_floods_is_told_to(name, reason):
    with serving(name) as url:
        door = door_to(url, limit=20.0)
        with pytest.raises(Flooded, match=reason):
            door.query([ANYTHING])
        door.close()


def test_a_relay_that_takes_no_frame_that_large_does_not_flood():
    with serve(lambda socket: list(socket), "127.0.0.1", 0, max_size=1000) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        door = door_to(f"ws://127.0.0.1:{server.socket.getsockname()[1]}")
        door.send_text(f'["CLOSE","{"x" * 5000}"]')
        with pytest.raises(ConnectionLost, match=r"takes no frame that large.*1009"):
            door.wait(lambda: False, "an answer")
        door.close()
        server.shutdown()
        thread.join()


def test_a_relay_that_breaks_the_framing_is_left_at_once():
    with serving("reserved-bits") as url:
        door = door_to(url)
        with pytest.raises(ConnectionLost, match="1002"):
            door.query([ANYTHING])
        door.close()


def test_nobody_waits_for_a_relay_that_pings_and_does_not_read():
    with serving("pings-and-never-reads") as url:
        door = door_to(url, limit=1.0)
        with pytest.raises(WireError):
            door.query([ANYTHING])
        door.close()


@pytest.mark.parametrize("name", ["hangs-up-at-once", "half-a-handshake", "wrong-accept"])
def test_whatever_stands_in_the_way_of_a_connection_is_unreachable(name):
    with serving(name) as url, pytest.raises(WireError, match="cannot be reached"):
        door_to(url, limit=0.5)
