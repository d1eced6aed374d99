"""What a run of the migrator did, as the contract wants it told (docs/migrator-contract.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nip_ap.nostr import Event
from nip_ap_client.mapping import Skip


@dataclass(frozen=True)
class Waiting:
    """What is not on the relay yet, and why."""

    slug: str
    reason: str


@dataclass(frozen=True)
class Outgoing:
    """An event on its way."""

    event: Event
    slug: str


@dataclass
class Report:
    """What a run did. Holds slugs, ids and reasons; never a content, a key or env_vars."""

    relay: str
    owner: str
    published: dict[str, str] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)
    adopted: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    pending: list[Waiting] = field(default_factory=list)
    conflicts: list[Waiting] = field(default_factory=list)
    skipped: tuple[Skip, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: list[Waiting] = field(default_factory=list)
    trouble: str = ""
    planned: dict[str, str] | None = None

    @property
    def is_synced(self) -> bool:
        """Whether the relay has all that the file has, as far as it can have it."""
        return not self.pending and not self.conflicts

    def to_json(self) -> dict[str, Any]:
        """The report of the contract (docs/migrator-contract.md)."""
        return {
            "status": "synced" if self.is_synced else "pending",
            "relay": self.relay,
            "owner": self.owner,
            "published": [{"slug": slug, "id": one} for slug, one in self.published.items()],
            "deleted": [{"slug": slug, "id": one} for slug, one in self.deleted.items()],
            "adopted": self.adopted,
            "unchanged": len(self.unchanged),
            "pending": _reasons(self.pending),
            "conflicts": _reasons(self.conflicts),
            "skipped": [{"id": one.id, "reason": one.reason} for one in self.skipped],
            "warnings": list(self.warnings),
            "notes": _reasons(self.notes),
            "trouble": self.trouble,
            **({} if self.planned is None else {"planned": self.planned}),
        }


def _reasons(found: Iterable[Waiting]) -> list[dict[str, str]]:
    return [{"slug": one.slug, "reason": one.reason} for one in found]
