"""What is published under load, signed ahead: signing costs as much as a relay's own work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from nip_ap.load.shape import Shape
from nip_ap.nostr import PERSONA, Draft, Event, SecretKey

_EARLIEST = 55
"""Seconds before now at which a first version is dated at the earliest."""


@dataclass
class Write:
    """One event on its way: the frame that carries it, when it went, what came back and when.

    Times are seconds of time.monotonic, 0 where it did not happen.
    """

    id: str
    slug: str
    created_at: int
    frame: str
    is_timed: bool
    sent: float = 0.0
    answered: float = 0.0
    accepted: bool = False
    answer: str = ""

    @classmethod
    def of(cls, event: Event, *, is_timed: bool) -> Write:
        """An event, ready to be sent."""
        frame = orjson.dumps(["EVENT", event.to_json()]).decode()
        return cls(event.id, event.slug, event.created_at, frame, is_timed)

    @property
    def order(self) -> tuple[int, str]:
        """Sort key of NIP-01: the head of an address comes first."""
        return (-self.created_at, self.id)

    @property
    def event(self) -> Any:
        """The event as JSON."""
        return orjson.loads(self.frame)[1]


def slug_of(base: str, publisher: int, address: int) -> str:
    """The slug of one persona of one publisher."""
    return f"{base}-{publisher}-{address}"


def writes(key: SecretKey, shape: Shape, base: str, publisher: int, now: int) -> Iterator[Write]:
    """What one publisher sends, in order: every persona, then every persona a second younger."""
    first = now - min(_EARLIEST, shape.versions - 1)
    for number in range(shape.each):
        version, address = divmod(number, shape.addresses)
        event = _persona(slug_of(base, publisher, address), first + version, number)
        yield Write.of(event.signed_by(key), is_timed=number >= shape.warm_up)


def fence(key: SecretKey, base: str, now: int) -> Event:
    """The last event of all: what was delivered before it was delivered."""
    return _persona(f"{base}-fence", now, 0).signed_by(key)


def _persona(slug: str, at: int, number: int) -> Draft:
    content = {"display_name": f"Load {number}", "system_prompt": "You are a test."}
    return Draft(PERSONA, at, (("d", slug),), orjson.dumps(content).decode())
