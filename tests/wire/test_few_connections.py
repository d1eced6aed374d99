"""A relay that takes no more connections says "later": it is neither gone nor broken."""

from __future__ import annotations

import pytest

from nip_ap.checking import vigil
from nip_ap.nostr import PERSONA, Filter, SecretKey
from nip_ap.targets import BundledTarget
from nip_ap.wire import RateLimited
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
