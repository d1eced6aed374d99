"""A relay may end a connection on which nobody speaks: a new one serves as well."""

from __future__ import annotations

import contextlib
import json
import threading

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from nip_ap.nostr import Filter
from nip_ap.wire import ConnectionLost, LiveNetwork, Transcript, WebSocketDoor, connection

ANYTHING = Filter.of(kinds=[30175])


def leaves_after(frames):
    """A relay that answers each REQ with EOSE, and says goodbye after so many frames."""

    def handle(socket):
        with contextlib.suppress(ConnectionClosed):
            for _ in range(frames):
                verb, name, *_ = json.loads(socket.recv())
                if verb == "REQ":
                    socket.send(json.dumps(["EOSE", name]))

    return handle


@contextlib.contextmanager
def door_to(handle):
    with serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        door = WebSocketDoor(
            f"ws://127.0.0.1:{server.socket.getsockname()[1]}", who="owner", key=None,
            transcript=Transcript(), now=lambda: 0, network=LiveNetwork(),
        )  # fmt: skip
        yield door
        door.close()
        server.shutdown()
        thread.join()


def ends(door):
    with pytest.raises(ConnectionLost):
        door.wait(lambda: False, "the end")


def test_a_goodbye_after_a_silence_with_nothing_open_costs_the_connection_alone(monkeypatch):
    monkeypatch.setattr(connection, "_SILENCE", 0.0)
    with door_to(leaves_after(2)) as door:
        door.query([ANYTHING])
        ends(door)
        assert door.was_left_idle


def test_a_goodbye_to_an_open_subscription_is_a_lost_connection(monkeypatch):
    monkeypatch.setattr(connection, "_SILENCE", 0.0)
    with door_to(leaves_after(1)) as door:
        door.open([ANYTHING])
        ends(door)
        assert not door.was_left_idle


def test_a_goodbye_right_after_what_was_said_is_a_lost_connection():
    with door_to(leaves_after(2)) as door:
        door.query([ANYTHING])
        ends(door)
        assert not door.was_left_idle
