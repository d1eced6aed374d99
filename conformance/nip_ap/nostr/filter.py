"""Filters of NIP-01 as values, with the extension fields that some relays read (NIP-50, HTTP)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nip_ap.nostr.event import Event


@dataclass(frozen=True)
class Filter:
    """Conditions that an event meets all of; None means no condition, () means nothing matches."""

    ids: tuple[str, ...] | None = None
    authors: tuple[str, ...] | None = None
    kinds: tuple[int, ...] | None = None
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: int | None = None
    until: int | None = None
    limit: int | None = None
    search: str | None = None
    extension: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        ids: Sequence[str] | None = None,
        authors: Sequence[str] | None = None,
        kinds: Sequence[int] | None = None,
        d: Sequence[str] | None = None,
        tags: Mapping[str, Sequence[str]] | None = None,
        since: int | None = None,
        until: int | None = None,
        limit: int | None = None,
        search: str | None = None,
        **extension: Any,
    ) -> Filter:
        """Build a filter from any sequences; `d` is short for tags={"d": ...}."""
        by_name = {name: tuple(values) for name, values in (tags or {}).items()}
        if d is not None:
            by_name["d"] = tuple(d)
        return cls(
            ids=None if ids is None else tuple(ids),
            authors=None if authors is None else tuple(authors),
            kinds=None if kinds is None else tuple(kinds),
            tags=by_name,
            since=since,
            until=until,
            limit=limit,
            search=search,
            extension=extension,
        )

    def changed(self, **fields: Any) -> Filter:
        """A copy with other values for some fields."""
        return dataclasses.replace(self, **fields)

    def to_json(self) -> dict[str, Any]:
        """The JSON object that goes on the wire; conditions that are None are left out."""
        plain = {
            "ids": self.ids,
            "authors": self.authors,
            "kinds": self.kinds,
            **{f"#{name}": values for name, values in self.tags.items()},
            "since": self.since,
            "until": self.until,
            "limit": self.limit,
            "search": self.search,
            **self.extension,
        }
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in plain.items()
            if value is not None
        }

    def matches(self, event: Event) -> bool:
        """Whether an event meets every condition but limit, search and extensions (NIP-01)."""
        return (
            (self.ids is None or event.id in self.ids)
            and (self.authors is None or event.pubkey in self.authors)
            and (self.kinds is None or event.kind in self.kinds)
            and (self.since is None or event.created_at >= self.since)
            and (self.until is None or event.created_at <= self.until)
            and all(
                any(value in values for value in event.tag_values(name))
                for name, values in self.tags.items()
            )
        )
