"""The suite's own migrator in process, for side (a): what goes wrong points at the relay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import orjson

from nip_ap.checking.actor import Actor
from nip_ap.clients.device import Record
from nip_ap.nostr import PERSONA, Event
from nip_ap.wire import Answer, Unreachable
from nip_ap_client.migrator import Migrator
from nip_ap_client.records import FILE_NAME
from nip_ap_client.report import Report
from nip_ap_client.retention import RetentionStore
from nip_ap_client.transport import DoorTransport, Transport


def _stopped(reading: int) -> Callable[[], int]:
    return lambda: reading


class Crash(Exception):
    """The process is taken to have died here."""


class Offline:
    """A relay whose port is closed."""

    def heads(self, owner: str, slugs: Sequence[str], kind: int = PERSONA) -> dict[str, Event]:
        """Nobody answers."""
        raise Unreachable("the port is closed")

    def submit(self, events: Sequence[Event]) -> Iterator[Answer]:
        """Nobody answers."""
        raise Unreachable("the port is closed")

    def close(self) -> None:
        """There is nothing to end."""


class Blind(DoorTransport):
    """A client that does not look before it writes."""

    def heads(self, owner: str, slugs: Sequence[str], kind: int = PERSONA) -> dict[str, Event]:
        """As if the relay had nothing."""
        return {}


def dies_at(step: str) -> type[Migrator]:
    """A migrator whose process dies when it comes to a step, such as `publish`."""

    def die(self: Migrator, *args: object) -> None:
        raise Crash(step)

    return type("Dying", (Migrator,), {step: die})


class Client:
    """One installation: a base directory and a store, an owner, and runs against a relay."""

    def __init__(self, owner: Actor, base: Path, relay: str) -> None:
        self.owner = owner
        self.base = base
        self.relay = relay
        base.mkdir(parents=True, exist_ok=True)
        self._store = base / "store.db"

    def has(self, records: Sequence[Record]) -> None:
        """Write personas.json."""
        (self.base / FILE_NAME).write_bytes(orjson.dumps(list(records)))

    def store(self) -> RetentionStore:
        """The store, to look into; close it before the next run."""
        return RetentionStore(self._store, relay=self.relay, owner=self.owner.pubkey)

    def runs(
        self,
        *,
        transport: Transport | None = None,
        now: Callable[[], int] | None = None,
        kind: type[Migrator] = Migrator,
    ) -> Report:
        """One run, at one reading of the clock, over the owner's connection or as told."""
        store, clock = self.store(), now or _stopped(self.owner.time())
        try:
            migrator = kind(
                base=self.base,
                key=self.owner.key,
                store=store,
                transport=transport or DoorTransport(self.owner.ws),
                now=clock,
            )
            return migrator.run()
        finally:
            self.owner.written += store.served()[0]
            store.close()

    def events(self) -> dict[str, Event]:
        """What the store holds, by slug."""
        store = self.store()
        try:
            return {event.slug: event for event in store.served()[0]}
        finally:
            store.close()

    def forgets_acknowledgements(self) -> None:
        """As after a crash between the relay's OK and the note of it."""
        store = self.store()
        with store.transaction():
            for slug, event in ((event.slug, event) for event in store.served()[0]):
                store.drop(slug)
                store.retain(event, slug, pending=True)
        store.close()
