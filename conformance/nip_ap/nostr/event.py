"""Events: drafts, signed events, events broken on purpose, and what kind ranges mean (NIP-01)."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from nip_ap.nostr.keys import SecretKey, signature_verifies

PROFILE = 0
NOTE = 1
DELETION = 5
ENGRAM = 30174
PERSONA = 30175
TEAM = 30176
MANAGED_AGENT = 30177
TEAM_CATALOG = 30178
INSTRUCTIONS = 44300
APPLICATION_DATA = 30078

Tags = tuple[tuple[str, ...], ...]

FIELDS = ("id", "pubkey", "created_at", "kind", "tags", "content", "sig")
_HEX = {"id": 64, "pubkey": 64, "sig": 128}
_HEX_DIGITS = re.compile(r"[0-9a-f]*\Z")


class MalformedEvent(ValueError):
    """A JSON value that is no event; the message says which field and why."""


def event_id(
    pubkey: str, created_at: int, kind: int, tags: Sequence[Sequence[str]], content: str
) -> str:
    """SHA-256 over the NIP-01 serialisation, 64 hex digits."""
    return hashlib.sha256(orjson.dumps([0, pubkey, created_at, kind, tags, content])).hexdigest()


def is_replaceable(kind: int) -> bool:
    """One event a key and kind (NIP-01)."""
    return kind in (0, 3) or 10000 <= kind < 20000


def is_ephemeral(kind: int) -> bool:
    """Delivered and not stored (NIP-01)."""
    return 20000 <= kind < 30000


def is_addressable(kind: int) -> bool:
    """One event a key, kind and `d` tag (NIP-01)."""
    return 30000 <= kind < 40000


def as_tags(tags: Iterable[Iterable[str]]) -> Tags:
    """Any nesting of iterables of strings as the tuples that events hold."""
    return tuple(tuple(tag) for tag in tags)


@dataclass(frozen=True)
class Draft:
    """An event before its author is known: what `signed_by` turns into an Event."""

    kind: int
    created_at: int
    tags: Tags = ()
    content: str = ""

    def signed_by(self, key: SecretKey, *, aux: bytes | None = None) -> Event:
        """The event of this draft under a key; `aux` as in SecretKey.sign."""
        identifier = event_id(key.pubkey, self.created_at, self.kind, self.tags, self.content)
        return Event(
            id=identifier,
            pubkey=key.pubkey,
            created_at=self.created_at,
            kind=self.kind,
            tags=self.tags,
            content=self.content,
            sig=key.sign(bytes.fromhex(identifier), aux),
        )

    def changed(self, **fields: Any) -> Draft:
        """A copy with other values for some fields."""
        return dataclasses.replace(self, **fields)

    def with_tags(self, *tags: Iterable[str]) -> Draft:
        """A copy with further tags behind its own."""
        return dataclasses.replace(self, tags=self.tags + as_tags(tags))


@dataclass(frozen=True, eq=False)
class Event:
    """A signed event. It may be wrong: `problems` says how, `altered` makes it so on purpose.

    Two events are equal if their ids are: the id stands for the content (NIP-01). Whether an event
    deserves its id is asked apart, by `problems` and by `same_bytes_as`.
    """

    id: str
    pubkey: str
    created_at: int
    kind: int
    tags: Tags
    content: str
    sig: str

    @classmethod
    def from_json(cls, value: Any) -> Event:
        """Read a parsed JSON object strictly. Raises MalformedEvent naming the field.

        Unknown fields are dropped; hex must be lower case and of full length (NIP-01).
        """
        if not isinstance(value, (dict, Mapping)):  # a dict is told apart without asking an ABC
            raise MalformedEvent("an event is a JSON object")
        for name in FIELDS:
            if name not in value:
                raise MalformedEvent(f"missing field `{name}`")
        for name, length in _HEX.items():
            text = value[name]
            if not isinstance(text, str) or len(text) != length or not _HEX_DIGITS.match(text):
                raise MalformedEvent(f"`{name}` must be {length} lower-case hex digits")
        for name, most in (("created_at", 2**53 - 1), ("kind", 65535)):
            number = value[name]
            if type(number) is not int or not 0 <= number <= most:
                raise MalformedEvent(f"`{name}` must be an integer from 0 to {most}")
        if not isinstance(value["content"], str):
            raise MalformedEvent("`content` must be a string")
        return cls(
            id=value["id"],
            pubkey=value["pubkey"],
            created_at=value["created_at"],
            kind=value["kind"],
            tags=_parsed_tags(value["tags"]),
            content=value["content"],
            sig=value["sig"],
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Event) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def short_id(self) -> str:
        """As much of the id as people need to tell events apart in a sentence."""
        return self.id[:8]

    def same_bytes_as(self, other: Event) -> bool:
        """Whether every field is equal, signature included."""
        return all(getattr(self, name) == getattr(other, name) for name in FIELDS)

    def to_json(self) -> dict[str, Any]:
        """The JSON object of NIP-01, tags as lists."""
        return {
            "id": self.id,
            "pubkey": self.pubkey,
            "created_at": self.created_at,
            "kind": self.kind,
            "tags": [list(tag) for tag in self.tags],
            "content": self.content,
            "sig": self.sig,
        }

    @cached_property
    def computed_id(self) -> str:
        """What the id has to be."""
        return event_id(self.pubkey, self.created_at, self.kind, self.tags, self.content)

    @cached_property
    def signature_verifies(self) -> bool:
        """Whether `sig` signs `id` under `pubkey` (BIP-340)."""
        return signature_verifies(self.sig, bytes.fromhex(self.id), self.pubkey)

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """Why the event does not verify; empty where it does."""
        found = []
        if self.computed_id != self.id:
            found.append(f"id is not the hash of the event: computed {self.computed_id}")
        if not self.signature_verifies:
            found.append("sig is not a BIP-340 signature of the id under pubkey")
        return tuple(found)

    def altered(self, **fields: Any) -> Event:
        """A copy with other fields, id and signature kept as they are: broken on purpose."""
        return dataclasses.replace(self, **fields)

    def resigned(self, key: SecretKey, **fields: Any) -> Event:
        """A copy with other fields, valid again under a key."""
        changed = dataclasses.replace(self, **fields)
        return Draft(changed.kind, changed.created_at, changed.tags, changed.content).signed_by(key)

    def tag_values(self, name: str) -> tuple[str, ...]:
        """The second elements of the tags of that name, in order; a valueless tag gives none."""
        return tuple(tag[1] for tag in self.tags if len(tag) > 1 and tag[0] == name)

    @cached_property
    def slug(self) -> str:
        """The value of the first `d` tag; empty where there is none (NIP-01)."""
        return next(iter(self.tag_values("d")), "")

    @property
    def order(self) -> tuple[int, str]:
        """Sort key of NIP-01: newest first, then lowest id."""
        return (-self.created_at, self.id)


def address_of(event: Event) -> str:
    """`kind:pubkey:d`, the coordinate of an addressable event (NIP-01)."""
    return f"{event.kind}:{event.pubkey}:{event.slug}"


def _parsed_tags(value: Any) -> Tags:
    if not isinstance(value, (list, tuple)):
        raise MalformedEvent("`tags` must be an array")
    for tag in value:
        if not isinstance(tag, (list, tuple)) or not tag:
            raise MalformedEvent("each tag must be an array with at least one element")
        for element in tag:
            if not isinstance(element, str):
                raise MalformedEvent("each element of a tag must be a string")
    return as_tags(value)
