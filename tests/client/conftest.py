"""What the tests of the client's half share: records, a relay in memory, clients of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from nip_ap.nostr import DELETION, PERSONA, Event, SecretKey
from nip_ap.resources import data
from nip_ap.wire import Answer, Unreachable
from nip_ap_client.migrator import Migrator
from nip_ap_client.report import Report
from nip_ap_client.retention import RetentionStore

RELAY = "ws://relay.example"
NOW = 1_800_000_000


class MemoryRelay:
    """Heads by NIP-01 and deletions by NIP-09, in a dictionary; and a record of what came."""

    def __init__(self) -> None:
        self.up = True
        self.window = 900
        self.now = NOW
        self.kept: dict[tuple[str, str], Event] = {}
        self.known: set[str] = set()
        self.came: list[Event] = []
        self.refuses: dict[str, str] = {}
        self.loses_answers = False

    def heads(self, owner: str, slugs: Sequence[str], kind: int = PERSONA) -> dict[str, Event]:
        if not self.up:
            raise Unreachable("down")
        kept = {slug: self.kept.get((owner, _place(kind, slug))) for slug in slugs}
        return {slug: one for slug, one in kept.items() if one is not None}

    def submit(self, events: Sequence[Event]) -> Iterator[Answer]:
        for event in events:
            if not self.up:
                raise Unreachable("down")
            accepted, message = self.takes(event)
            if self.loses_answers:
                raise Unreachable("cut")
            yield Answer(event.id, accepted, message, "ws")

    def takes(self, event: Event) -> tuple[bool, str]:
        self.came.append(event)
        if event.slug in self.refuses:
            return False, self.refuses[event.slug]
        if abs(event.created_at - self.now) > self.window:
            return False, "invalid: event timestamp too far from server time"
        if event.id in self.known:
            return True, "duplicate:"
        self.known.add(event.id)
        if event.kind == DELETION:
            return self._deletes(event)
        place = (event.pubkey, _place(event.kind, event.slug))
        head = self.kept.get(place)
        if head is not None and head.order <= event.order:
            return True, "duplicate:"
        self.kept[place] = event
        return True, ""

    def _deletes(self, event: Event) -> tuple[bool, str]:
        for address in event.tag_values("a"):
            kind, _, slug = address.split(":", 2)
            place = (event.pubkey, _place(int(kind), slug))
            head = self.kept.get(place)
            if head is not None and head.created_at <= event.created_at:
                del self.kept[place]
        return True, ""

    def close(self) -> None: ...

    def ids(self, slug: str) -> set[str]:
        return {event.id for event in self.came if event.slug == slug}


def _place(kind: int, slug: str) -> str:
    """Personas are kept by their slugs, what is of another kind with its kind."""
    return slug if kind == PERSONA else f"{kind}:{slug}"


class Laptop:
    """A client of the relay in memory."""

    def __init__(self, relay: MemoryRelay, base: Path, key: SecretKey) -> None:
        self.relay = relay
        self.base = base
        self.key = key
        self.offset = 0
        base.mkdir(parents=True, exist_ok=True)

    def has(self, records: Sequence[dict[str, Any]]) -> None:
        (self.base / "personas.json").write_bytes(orjson.dumps(list(records)))

    def store(self) -> RetentionStore:
        return RetentionStore(self.base / "store.db", relay=RELAY, owner=self.key.pubkey)

    def runs(self, kind: type[Migrator] = Migrator) -> Report:
        store = self.store()
        try:
            return kind(
                base=self.base,
                key=self.key,
                store=store,
                transport=self.relay,
                now=lambda: self.relay.now + self.offset,
            ).run()
        finally:
            store.close()

    def head(self, slug: str) -> Event | None:
        return self.relay.kept.get((self.key.pubkey, slug))


@pytest.fixture
def relay() -> MemoryRelay:
    return MemoryRelay()


@pytest.fixture
def laptop(relay: MemoryRelay, tmp_path: Path) -> Laptop:
    return Laptop(relay, tmp_path / "laptop", SecretKey.derived("tests", "owner"))


@pytest.fixture
def phone(relay: MemoryRelay, tmp_path: Path) -> Laptop:
    return Laptop(relay, tmp_path / "phone", SecretKey.derived("tests", "owner"))


@pytest.fixture
def personas() -> list[dict[str, Any]]:
    return copy.deepcopy(data("personas/three"))
