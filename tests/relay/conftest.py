"""The bundled relay on its own: as a process, and its rules without one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from nip_ap.nostr import PERSONA, Draft, SecretKey
from nip_ap.targets import BundledTarget
from nip_ap.wire import WebSocketDoor
from nip_ap_relay.policy import NOVEMBER, Caller, Policy, Submission
from nip_ap_relay.store import Store
from tests.relay.talking import Bridge, door_to


@pytest.fixture(scope="session")
def relay() -> Iterator[BundledTarget]:
    """A relay process that the tests of one worker share; each test brings keys of its own."""
    target = BundledTarget()
    target.start()
    yield target
    logs = target.logs()
    target.stop()
    assert 'File "' not in logs, logs


@pytest.fixture
def own_relay() -> Iterator[BundledTarget]:
    """A relay process of one test's own."""
    target = BundledTarget()
    target.start()
    yield target
    target.stop()


@pytest.fixture
def fresh():
    """Makes keys that no other test has."""
    return SecretKey.fresh


@pytest.fixture
def fresh_key(fresh) -> SecretKey:
    return fresh()


@pytest.fixture
def connect(relay):
    """Opens connections to the shared relay: connect(key), connect(None) for an anonymous one."""
    doors = []

    def open_door(key=None, url=None, **options):
        doors.append(door_to(url or relay.url, key, **options))
        return doors[-1]

    yield open_door
    for door in doors:
        door.close()


@pytest.fixture
def door(connect, fresh_key) -> WebSocketDoor:
    """A connection that authenticated with `fresh_key`."""
    return connect(fresh_key)


@pytest.fixture
def now() -> int:
    return int(time.time())


@pytest.fixture
def persona(now):
    """Makes drafts of personas."""

    def make(slug="agent", *, at=None, content='{"display_name":"T"}', tags=()):
        return Draft(PERSONA, now if at is None else at, (("d", slug), *tags), content)

    return make


@pytest.fixture(scope="session")
def bridge(relay) -> Iterator[Bridge]:
    made = Bridge("http" + relay.url.removeprefix("ws"))
    yield made
    made.client.close()


CLOCK = 1_800_000_000


@pytest.fixture
def judge():
    """Asks the rules about one event, no process and no real clock: gives the refusal or None."""

    def refusal(event, *, spec=NOVEMBER, caller="author", now=CLOCK):
        policy = Policy(spec)
        pubkey = event.pubkey if caller == "author" else caller
        return policy.refusal(Submission(event, Caller(pubkey), now, Store()))

    return refusal


@pytest.fixture
def at_the_clock():
    """The time that `judge` takes for now."""
    return CLOCK
