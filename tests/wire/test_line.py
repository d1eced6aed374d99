"""What a relay does to the library under a connection never looks like a failed assertion."""

from __future__ import annotations

import ssl

import pytest

from nip_ap.wire import line
from nip_ap.wire.answers import ConnectionLost, Unreachable
from nip_ap.wire.line import LiveLine
from tests.checking.stand_in import StandIn, served, well


def connected(url):
    return LiveLine(url, "owner", can_pause=False, limit=5.0, trust=ssl.create_default_context)


def upset(*_, **__):
    raise AssertionError


def test_a_relay_that_speaks_before_it_is_spoken_to_cannot_be_reached(monkeypatch):
    monkeypatch.setattr(line, "connect", upset)
    with pytest.raises(Unreachable, match="spoke before it was spoken to"):
        connected("ws://127.0.0.1:1")


def test_an_assertion_of_the_library_is_the_end_of_the_connection(monkeypatch):
    with served(StandIn(well)) as url:
        live = connected(url)
        with monkeypatch.context() as patch:
            patch.setattr(live._socket, "send", upset)
            with pytest.raises(ConnectionLost):
                live.send("[]", None)
        live.close()
