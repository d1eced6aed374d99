"""Relays that the suite starts: small ones for the tests of targets, and what is left of them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from nip_ap.model.greeting import CHALLENGING
from nip_ap.nostr import PERSONA, Draft, Filter, SecretKey
from nip_ap.targets.kinds import chosen, target_of
from nip_ap.wire import Transcript, WebSocketDoor


@pytest.fixture
def start():
    """Starts a target from options, as `nip-ap run` would; all are stopped at the end."""
    started = []

    def make(**given):
        started.append(target_of(chosen(given)))
        started[-1].start()
        return started[-1]

    yield make
    for target in started:
        target.stop()


@pytest.fixture
def talk(key):
    """Opens a connection to a target with the tests' key."""
    doors = []

    def connect(target):
        doors.append(
            WebSocketDoor(
                target.url,
                who="owner",
                key=key,
                transcript=Transcript(),
                now=lambda: int(time.time()),
                greeting=CHALLENGING,
            )
        )
        return doors[-1]

    yield connect
    for door in doors:
        door.close()


@pytest.fixture
def written(key, talk):
    """Publishes one persona to a target; gives it."""

    def write(target, slug="kept"):
        event = Draft(PERSONA, int(time.time()), (("d", slug),), "{}").signed_by(key)
        assert talk(target).publish(event).accepted
        return event

    return write


@pytest.fixture
def read(key: SecretKey, talk):
    """The personas that a target serves."""

    def query(target):
        return talk(target).query([Filter.of(kinds=[PERSONA], authors=[key.pubkey])]).events

    return query


@pytest.fixture
def command(tmp_path):
    """Writes a program for --cmd; gives the command that runs it with these arguments."""

    def write(source, *arguments):
        path: Path = tmp_path / "relay.py"
        path.write_text(source)
        return " ".join([sys.executable, str(path), *arguments])

    return write
