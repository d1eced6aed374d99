"""Subscriptions, and who among them gets a new event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import orjson

from nip_ap.nostr import Event, Filter


class Subscriber(Protocol):
    """A connection, as far as delivery is concerned."""

    pubkey: str | None

    def send_live(self, text: str) -> None:
        """Queue one frame; a connection that does not read is dropped rather than waited for."""


@dataclass(eq=False)
class Subscription:
    """One open subscription of one connection."""

    subscriber: Subscriber
    id: str
    filters: tuple[Filter, ...]
    prefix: str = field(init=False)

    def __post_init__(self) -> None:
        self.prefix = '["EVENT",' + orjson.dumps(self.id).decode() + ","

    @property
    def kinds(self) -> set[int | None]:
        """The kinds it can match; None stands for any."""
        return {kind for one in self.filters for kind in (one.kinds or (None,))}


class Live:
    """The open subscriptions by kind, so that an event meets only those it can match."""

    def __init__(self) -> None:
        self._by_kind: dict[int | None, dict[Subscription, None]] = {}

    def add(self, subscription: Subscription) -> None:
        for kind in subscription.kinds:
            self._by_kind.setdefault(kind, {})[subscription] = None

    def remove(self, subscription: Subscription) -> None:
        for kind in subscription.kinds:
            group = self._by_kind.get(kind, {})
            group.pop(subscription, None)
            if not group:
                self._by_kind.pop(kind, None)

    def candidates(self, event: Event) -> Iterator[Subscription]:
        """Each subscription whose kinds fit, once."""
        exact = self._by_kind.get(event.kind, {})
        yield from exact
        for subscription in self._by_kind.get(None, {}):
            if subscription not in exact:
                yield subscription
