"""What a write names and its author may not see is answered like what does not exist."""

from __future__ import annotations

import pytest

from nip_ap.nostr import DELETION, Draft
from nip_ap.nostr.channel import PRIVATE, Channel, channel_id

UNKNOWN = "f" * 64


@pytest.fixture
def stranger(connect, fresh):
    return connect(fresh())


def deletion_of(identifier, now, door):
    return Draft(DELETION, now, (("e", identifier),)).signed_by(door.key)


@pytest.mark.parametrize("shared", [False, True])
def test_a_strangers_deletion_tells_of_what_is_shared_alone(
    door, stranger, fresh_key, persona, now, shared
):
    tags = [("shared", "true")] if shared else []
    event = persona(f"target-{shared}".lower(), tags=tags).signed_by(fresh_key)
    assert door.publish(event).accepted
    about_it = stranger.publish(deletion_of(event.id, now, stranger))
    about_nothing = stranger.publish(deletion_of(UNKNOWN, now, stranger))
    assert about_nothing.accepted
    assert about_it.accepted is not shared
    assert about_it.message == ("invalid: must be event author" if shared else "")


def test_a_reply_to_what_is_hidden_is_refused_like_one_to_nothing(
    door, stranger, fresh_key, persona, now, fresh
):
    channel = Channel(channel_id(bytes.fromhex(fresh().pubkey)), now)
    assert stranger.publish(channel.creation(PRIVATE).signed_by(stranger.key)).accepted
    hidden = persona("hidden").signed_by(fresh_key)
    assert door.publish(hidden).accepted
    answers = [
        stranger.publish(channel.reply("a reply", to=target).signed_by(stranger.key)).message
        for target in (hidden.id, UNKNOWN)
    ]
    assert answers == ["invalid: reply parent not found"] * 2
