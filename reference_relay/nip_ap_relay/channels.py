"""Channels as values: the kinds of NIP-29, and a channel as it stands."""

from __future__ import annotations

from dataclasses import dataclass

from nip_ap.nostr import Event
from nip_ap.nostr.channel import is_channel_id
from nip_ap.nostr.direct_message import CHANNEL, CHANNEL_ADMINS, CHANNEL_MEMBERS, SYSTEM_MESSAGE

MESSAGE, STREAM_MESSAGE, EDIT = 9, 40002, 40003
ADD_MEMBER, REMOVE_MEMBER, EDIT_CHANNEL, DELETE_EVENT = 9000, 9001, 9002, 9005
CREATE_CHANNEL, DELETE_CHANNEL, JOIN, LEAVE = 9007, 9008, 9021, 9022

REPLIABLE_KINDS = frozenset((MESSAGE, STREAM_MESSAGE, EDIT))
GOVERNED_KINDS = frozenset((ADD_MEMBER, REMOVE_MEMBER, EDIT_CHANNEL, DELETE_EVENT, DELETE_CHANNEL))
IN_CHANNEL = REPLIABLE_KINDS | GOVERNED_KINDS | {JOIN, LEAVE}
CHANNEL_KINDS = IN_CHANNEL | {CREATE_CHANNEL, SYSTEM_MESSAGE}
DESCRIBED_BY_RELAY = frozenset((CHANNEL, CHANNEL_ADMINS, CHANNEL_MEMBERS))
"""What the relay says of a channel; the `d` tag names it."""


@dataclass(frozen=True)
class Channel:
    """A channel as it stands: `roles` maps each member's key to owner, admin or member."""

    id: str
    name: str
    visibility: str
    archived: bool
    roles: dict[str, str]

    def is_governed_by(self, pubkey: str) -> bool:
        return self.roles.get(pubkey) in ("owner", "admin")


def channel_of(event: Event) -> str | None:
    """The channel that an event's first `h` tag names."""
    named = event.tag_values("h")[:1]
    return named[0] if named and is_channel_id(named[0]) else None
