"""A model of addresses and heads, small enough to be believed: what REPL-09 compares a relay with.

It knows writes, resends and deletion requests (NIP-01, NIP-09), and no network, store or filter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nip_ap.nostr import Event, address_of


@dataclass
class AddressModel:
    """Heads by address, as any sequence of writes has to leave them."""

    _heads: dict[str, Event] = field(default_factory=dict)
    _deleted_until: dict[str, int] = field(default_factory=dict)
    _written: set[Event] = field(default_factory=set)

    def write(self, event: Event) -> None:
        """A new event: it is the head if it is newer than the head, or has the lower id."""
        address = address_of(event)
        self._written.add(event)
        head = self._heads.get(address)
        if head is None or event.order < head.order:
            self._heads[address] = event

    def resend(self, event: Event) -> None:
        """An event that was written before changes nothing, whatever became of it since."""
        assert event in self._written, "only what was written can be sent again"

    def delete(self, address: str, at: int) -> None:
        """A deletion request takes every version up to its own time; a later one survives."""
        self._deleted_until[address] = max(at, self._deleted_until.get(address, 0))
        head = self._heads.get(address)
        if head is not None and head.created_at <= at:
            del self._heads[address]

    def head(self, address: str) -> Event | None:
        """The head of an address."""
        return self._heads.get(address)

    def is_settled(self, address: str, at: int) -> bool:
        """Whether the texts agree on what a write of that date does.

        They do not for a write dated up to an earlier deletion: NIP-09 lets a relay keep it out,
        the real relay lets it in (docs/real-relay.md 4).
        """
        return at > self._deleted_until.get(address, -1)
