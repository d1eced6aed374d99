"""Channels as values: the kinds of NIP-29, and a channel as it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nip_ap.nostr import Event

MESSAGE, STREAM_MESSAGE, EDIT = 9, 40002, 40003
ADD_MEMBER, REMOVE_MEMBER, EDIT_CHANNEL, DELETE_EVENT = 9000, 9001, 9002, 9005
CREATE_CHANNEL, DELETE_CHANNEL, JOIN, LEAVE = 9007, 9008, 9021, 9022

REPLIABLE_KINDS = frozenset((MESSAGE, STREAM_MESSAGE, EDIT))
GOVERNED_KINDS = frozenset((ADD_MEMBER, REMOVE_MEMBER, EDIT_CHANNEL, DELETE_EVENT, DELETE_CHANNEL))
IN_CHANNEL = REPLIABLE_KINDS | GOVERNED_KINDS | {JOIN, LEAVE}
CHANNEL_KINDS = IN_CHANNEL | {CREATE_CHANNEL}

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


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


def is_channel_id(text: str) -> bool:
    """Channels are named by lower-case UUIDs."""
    return _UUID.match(text) is not None


def channel_of(event: Event) -> str | None:
    """The channel that an event's first `h` tag names."""
    named = event.tag_values("h")[:1]
    return named[0] if named and is_channel_id(named[0]) else None
