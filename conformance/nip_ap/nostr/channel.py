"""Channels and threads as values: the events that make them, the filters that read them.

The wire shapes are those of the real relay (docs/real-relay.md 6); the kinds of
management events are NIP-29's, the markers of replies NIP-10's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nip_ap.nostr.event import Draft, Event, Tags
from nip_ap.nostr.filter import Filter

MESSAGE, STREAM_MESSAGE = 9, 40002
ADD_MEMBER, REMOVE_MEMBER, DELETE_EVENT = 9000, 9001, 9005
CREATE_CHANNEL, DELETE_CHANNEL = 9007, 9008
THREAD_SUMMARY, WINDOW_BOUNDS = 39005, 39006

OPEN, PRIVATE = "open", "private"

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def is_channel_id(text: str) -> bool:
    """Channels are named by lower-case UUIDs."""
    return _UUID.match(text) is not None


def channel_id(random: bytes) -> str:
    """A version 4 UUID from 16 bytes or more."""
    digits = bytearray(random[:16])
    digits[6] = digits[6] & 0x0F | 0x40
    digits[8] = digits[8] & 0x3F | 0x80
    text = digits.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


@dataclass(frozen=True)
class Channel:
    """A channel by its id. Its drafts are dated `now`, unless they say otherwise."""

    id: str
    now: int

    def creation(self, visibility: str = OPEN) -> Draft:
        """Makes the channel; its author becomes the owner."""
        return self._draft(
            CREATE_CHANNEL,
            ("name", "conformance"),
            ("channel_type", "stream"),
            ("visibility", visibility),
        )

    def removal(self) -> Draft:
        """Ends the channel."""
        return self._draft(DELETE_CHANNEL)

    def membership(self, pubkey: str) -> Draft:
        """Lets a key in."""
        return self._draft(ADD_MEMBER, ("p", pubkey), ("role", "member"))

    def expulsion(self, pubkey: str) -> Draft:
        """Puts a key out again."""
        return self._draft(REMOVE_MEMBER, ("p", pubkey))

    def message(self, text: str, *tags: tuple[str, ...], at: int | None = None) -> Draft:
        """A message of the top level."""
        return self._draft(MESSAGE, *tags, text=text, at=at)

    def reply(
        self,
        text: str,
        *tags: tuple[str, ...],
        to: Event | str,
        root: Event | str | None = None,
        at: int | None = None,
    ) -> Draft:
        """An answer to a message; a nested one names the thread's root too (NIP-10 markers)."""
        markers: Tags = (("e", _id(to), "", "reply"),)
        if root is not None:
            markers = (("e", _id(root), "", "root"), *markers)
        return self._draft(MESSAGE, *markers, *tags, text=text, at=at)

    def deletion_of(self, event: Event) -> Draft:
        """Takes an event out of the channel."""
        return self._draft(DELETE_EVENT, ("e", event.id))

    def messages(self) -> Filter:
        """Everything said in the channel."""
        return Filter.of(kinds=[MESSAGE], tags={"h": [self.id]})

    def thread(self, root: Event, depth: int) -> Filter:
        """The replies under a root down to a depth (POST /query alone understands it)."""
        return Filter.of(
            kinds=[MESSAGE], tags={"h": [self.id], "e": [root.id]}, depth_limit=depth, limit=500
        )

    def top_level(self) -> Filter:
        """The top level of the channel (later relays' POST /query)."""
        return Filter.of(kinds=[MESSAGE], tags={"h": [self.id]}, top_level=True, limit=200)

    def _draft(
        self, kind: int, *tags: tuple[str, ...], text: str = "", at: int | None = None
    ) -> Draft:
        return Draft(kind, self.now if at is None else at, (("h", self.id), *tags), text)


def _id(event: Event | str) -> str:
    return event if isinstance(event, str) else event.id
