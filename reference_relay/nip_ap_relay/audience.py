"""Who may read an event: decided from the event when it comes, and asked at every surface alike.

An audience gives the keys that alone may read an event, or None where everybody may who may read
from the relay at all. Which kind has which is data of the revision (revisions.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from nip_ap.nostr import INSTRUCTIONS, Event
from nip_ap.nostr.direct_message import (
    COMMANDS,
    HIDDEN_DIRECT_MESSAGES,
    MEMBER_ADDED,
    MEMBER_REMOVED,
)
from nip_ap.nostr.gift_wrap import EPHEMERAL_GIFT_WRAP, GIFT_WRAP

Readers = frozenset[str] | None
Audience = Callable[[Event], Readers]

SHARED = ("shared", "true")


def everybody(event: Event) -> Readers:
    """Nobody is kept out."""
    return None


def author(event: Event) -> Readers:
    """Its author alone."""
    return frozenset((event.pubkey,))


def author_unless_shared(event: Event) -> Readers:
    """Its author alone, unless it has the share tag (NIP-AP, "Access control")."""
    return None if SHARED in event.tags else author(event)


def deletes_instructions(event: Event) -> bool:
    """Whether a deletion says that it is of instructions; the canonical number alone does."""
    return str(INSTRUCTIONS) in event.tag_values("k")


def author_if_of_instructions(event: Event) -> Readers:
    """A deletion of instructions is as private as they are, also when they are gone."""
    return author(event) if deletes_instructions(event) else None


def recipients(event: Event) -> Readers:
    """Those whom its `p` tags name, and not its author."""
    return frozenset(event.tag_values("p"))


ADDRESSED: Mapping[int, Audience] = MappingProxyType(
    {
        GIFT_WRAP: recipients,
        EPHEMERAL_GIFT_WRAP: recipients,
        MEMBER_ADDED: recipients,
        MEMBER_REMOVED: recipients,
        HIDDEN_DIRECT_MESSAGES: recipients,
    }
)
"""Kinds that are for whom they name, in every revision."""

PRIVATE: Mapping[int, Audience] = MappingProxyType({**ADDRESSED, **dict.fromkeys(COMMANDS, author)})
"""Kinds that are never for everybody; no search finds them."""


def is_reader(readers: str | None, reader: str | None) -> bool:
    """Whether a key is among those of a column of the store."""
    return readers is None or (reader is not None and reader in readers.split())


def as_text(readers: Readers) -> str | None:
    """The keys as one text, for a column of the store."""
    return None if readers is None else " ".join(sorted(readers))
