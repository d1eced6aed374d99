"""Direct messages in the bundled relay: what checks from outside cannot see."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from nip_ap.nostr import SecretKey
from nip_ap.nostr.channel import Channel
from nip_ap.nostr.direct_message import hiding, opening, response_in
from nip_ap_relay.policy import Policy
from nip_ap_relay.relay import Relay
from nip_ap_relay.store import Store

ANN, BOB = SecretKey.derived("direct messages", "ann"), SecretKey.derived("direct messages", "bob")


@pytest.fixture
def relay():
    """A relay in this process, whose clock goes on by a second each time it is read."""
    policy = Policy()
    policy.now = itertools.count(1_800_000_000).__next__
    return Relay(policy, Store())


def submit(relay, key, draft):
    """The OK to an event, as (accepted, message)."""

    async def answered():
        came = asyncio.get_running_loop().create_future()
        event = draft.signed_by(key)
        relay.submit(event, relay.caller(key.pubkey), lambda *answer: came.set_result(answer))
        return await came

    return asyncio.run(answered())


def opened(relay, key, *others, at=1_800_000_000):
    accepted, message = submit(relay, key, opening(*(one.pubkey for one in others), at=at))
    assert accepted
    return response_in(message)["channel_id"]


def test_who_made_a_channel_of_its_id_before_is_not_in_a_direct_message(relay):
    """The id follows from the people, so that anybody can take it first."""
    mallory = SecretKey.derived("direct messages", "mallory")
    taken = opened(Relay(relay.policy, Store()), ANN, BOB)
    made, _ = submit(relay, mallory, Channel(taken, 1_800_000_000).creation("private"))
    assert made
    channel = opened(relay, ANN, BOB)
    assert channel != taken
    assert set(relay.store.channel(channel).roles) == {ANN.pubkey, BOB.pubkey}
    assert set(relay.store.channel(taken).roles) == {mallory.pubkey}


def test_who_left_is_brought_back_and_told(relay):
    channel = opened(relay, ANN, BOB)
    relay.store.remove_member(channel, BOB.pubkey)
    opened(relay, ANN, BOB, at=1_800_000_001)
    assert BOB.pubkey in relay.store.channel(channel).roles
    notices = relay.store.select("kind = 44100 AND readers = ?", (BOB.pubkey,))
    assert len(list(notices)) == 2


def test_a_command_is_carried_out_once(relay):
    channel = opened(relay, ANN, BOB)
    hide = hiding(channel, at=1_800_000_000)
    assert submit(relay, ANN, hide) == (True, "response:{}")
    opened(relay, ANN, BOB, at=1_800_000_001)
    assert submit(relay, ANN, hide) == (True, "duplicate: already processed")
    assert relay.store.direct.hidden_by(ANN.pubkey) == ()


def test_the_relay_signs_with_the_same_key_after_a_restart(tmp_path):
    """Else a viewer would have two events about what is hidden, by two keys."""
    path = tmp_path / "relay.db"
    first = Relay(Policy(), Store(path))
    first.close()
    second = Relay(Policy(), Store(path))
    second.close()
    assert second.key.pubkey == first.key.pubkey
