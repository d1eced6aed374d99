"""What waits for other relays than the one of this run: a relay that was left has to have it, too.

A deletion that waits for a relay which its owner no longer uses would leave the persona public
there for ever. So each run also sends what the owner's stores hold for other relays. Rows of
another owner stay where they are: without that owner's key there is nobody to send them as.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from nip_ap.nostr import DELETION, INSTRUCTIONS, Draft, Event, MalformedEvent, SecretKey
from nip_ap.wire.answers import Answer
from nip_ap_client.retention import (
    FOLDER,
    Retained,
    RetentionStore,
    kind_of_tombstone,
    normal_relay,
    tombstone_key,
)
from nip_ap_client.transport import Transport


@dataclass(frozen=True)
class Scope:
    """A relay for which something of the owner waits, and the store that keeps it."""

    relay: str
    store: Path


def others(base: Path, store: Path, owner: str, relay: str) -> list[Scope]:
    """The owner's scopes with something that waits, but for the one of this run."""
    files = dict.fromkeys([*sorted((base / FOLDER).glob("*.db")), store])
    return [
        Scope(waiting, file)
        for file in files
        if file.exists()
        for waiting in _relays_with_waiting(file, owner)
        if waiting != normal_relay(relay)
    ]


def _relays_with_waiting(file: Path, owner: str) -> list[str]:
    """The relays for which rows of an owner wait in a file; none where it is no such store."""
    asked = (
        "SELECT DISTINCT relay FROM persona_events WHERE pubkey = ? AND pending_sync = 1 "
        "ORDER BY relay"
    )
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return [relay for (relay,) in database.execute(asked, (owner,))]
    except sqlite3.Error:
        return []


class Drain:
    """Sends what waits in one scope. It reads no file: nothing new is decided here."""

    def __init__(
        self,
        store: RetentionStore,
        transport: Transport,
        key: SecretKey,
        *,
        now: Callable[[], int],
        stale_after: int,
        ahead: int,
    ) -> None:
        """`stale_after` and `ahead`: how far back and ahead of now the relay takes a date."""
        self.store = store
        self.transport = transport
        self.key = key
        self.now = now
        self.stale_after = stale_after
        self.ahead = ahead

    def run(self) -> str:
        """Send what waits, deletions first; says what was done. Raises WireError."""
        waiting = [row for row in self.store.pending() if _is_sound(row)]
        going = [(row, event) for row in waiting if (event := self._to_send(row)) is not None]
        due = [(row, event) for row, event in going if event.created_at <= self.now() + self.ahead]
        answers = self.transport.submit([event for _, event in due])
        sent = sum(
            self._settle(row, answer) for (row, _), answer in zip(due, answers, strict=False)
        )
        left = len(self.store.pending())
        return f"{sent} sent to {self.store.relay}" + (f", {left} still wait" if left else "")

    def _to_send(self, row: Retained) -> Event | None:
        """The event to send, dated anew where it is too old; None where it is overtaken."""
        event = row.event
        if self.now() - event.created_at <= self.stale_after:
            return event
        if row.kind == INSTRUCTIONS:
            return None  # whether it is overtaken is its own migrator's to find out
        head = self._head(row)
        if (head is None and row.kind == DELETION) or (
            head is not None and head.created_at > event.created_at
        ):
            self.store.acknowledge(event, row.slug)
            return None
        again = Draft(event.kind, self.now(), event.tags, event.content).signed_by(self.key)
        self.store.retain(again, row.slug, pending=True, base=row.base)
        return again

    def _head(self, row: Retained) -> Event | None:
        kind = kind_of_tombstone(row.slug) if row.kind == DELETION else row.kind
        slug = row.slug.removeprefix(tombstone_key(kind, "")) if row.kind == DELETION else row.slug
        head = self.transport.heads(self.key.pubkey, [slug], kind).get(slug)
        return head if head is not None and not head.problems else None

    def _settle(self, row: Retained, answer: Answer) -> bool:
        """Clear the flag of what the relay took, or had; True where it did."""
        kept = self.store.row(row.slug, row.kind)
        if not answer.accepted or kept is None:
            return False
        return self.store.acknowledge(kept.event, row.slug)


def _is_sound(row: Retained) -> bool:
    try:
        row.event  # noqa: B018
    except MalformedEvent:
        return False
    return True
