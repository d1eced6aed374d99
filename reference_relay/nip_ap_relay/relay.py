"""One relay: what happens to an event that is submitted, and who gets to read it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from nip_ap.nostr import DELETION, PROFILE, Draft, Event, Filter
from nip_ap.nostr.direct_message import COMMANDS
from nip_ap_relay import surfaces
from nip_ap_relay.auth import HttpDoorkeeper
from nip_ap_relay.channels import DELETE_EVENT, REPLIABLE_KINDS
from nip_ap_relay.direct_messages import DirectMessages
from nip_ap_relay.government import govern
from nip_ap_relay.interceptor import Answer, Interceptor
from nip_ap_relay.kinds import ALL_SCOPES
from nip_ap_relay.live import Live
from nip_ap_relay.manners import Turnstile
from nip_ap_relay.policy import Policy
from nip_ap_relay.query import Query
from nip_ap_relay.store import DELETED, SUPERSEDED, Row, Store
from nip_ap_relay.submission import Caller, Submission

log = logging.getLogger("nip_ap_relay")

FAILED = "error: internal server error"
"""What a client is told where the relay's own storage failed."""

_BATCH = 512
_LATE = 1.0
_BETWEEN_TRIES = 1.0
"""Seconds between two looks whether there is room again."""


class Connection(Protocol):
    """A connection, as far as the relay as a whole is concerned."""

    address: str

    def drop(self) -> None:
        """End it now."""


@dataclass(frozen=True)
class _Pending:
    """What is done for one event once its batch is committed."""

    answer: Answer
    accepted: bool
    message: str
    event: Event
    row: Row | None


class Relay:
    """A policy, a store and the open subscriptions. Not thread-safe: one event loop owns it."""

    def __init__(
        self,
        policy: Policy,
        store: Store,
        grants: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.policy = policy
        self.store = store
        self.live = Live()
        self.key = store.own_key
        self.connections: set[Connection] = set()
        self.doorkeeper = HttpDoorkeeper(policy)
        self.interceptor = Interceptor()
        self.turnstile = Turnstile(policy.manners.quotas)
        self._direct = DirectMessages(self)
        self._grants = dict(grants or {})
        self._pending: list[_Pending] = []
        self._flush_is_due = False
        self._trouble = ""
        self._tried_at = 0.0
        policy.opens(store)

    def caller(self, pubkey: str | None) -> Caller:
        """A key with the scopes of its credential: all, unless a grant narrows them."""
        return Caller(pubkey, self._grants.get(pubkey or "", ALL_SCOPES))

    def query(self, reader: str | None) -> Query:
        """Reads that see everything written before."""
        self.flush()
        return Query(self.policy, self.store, reader)

    def submit(self, event: Event, caller: Caller, answer: Answer) -> None:
        """Judge an event, store it, and answer once it is durable.

        Writes of one turn of the event loop share a commit; answers and live delivery follow it.
        """
        intercepted = self.interceptor.intercepted(event, answer)
        if intercepted is None:
            return
        answer = intercepted
        submission = Submission(event, caller, self.policy.now(), self.store)
        try:
            refusal = self.policy.refusal(submission)
        except sqlite3.Error as error:
            self.has_failed(error)
            answer(False, FAILED)
            return
        if refusal is not None:
            self._after_refusal(event, refusal)
            answer(False, refusal)
            return
        if self.policy.passes_through(event):
            self._deliver(event, None)
            answer(True, "")
            return
        if not self.policy.stores_before_answering(event):
            answer(True, "")
            asyncio.get_running_loop().call_later(_LATE, self._store, event, _no_answer)
            return
        self._store(event, answer)

    def flush(self) -> None:
        """Commit what is pending, then deliver and answer it, in the order it came."""
        self._flush_is_due = False
        try:
            if self.policy.commits_before_answering():
                self.store.commit()
        except sqlite3.Error as error:
            self.has_failed(error)
            return
        if self._trouble and self._pending:
            self._recover()
        self.policy.batch_is_committed()
        batch, self._pending = self._pending, []
        for done in batch:
            if done.row is not None:
                self._deliver(done.event, done.row)
            done.answer(done.accepted, done.message)

    def connections_of(self, address: str) -> int:
        """How many connections a client's address holds."""
        return sum(one.address == address for one in self.connections)

    def drop_everybody(self) -> None:
        """End every connection, as a crash would; only a rogue comes here."""
        for connection in self.connections:
            connection.drop()

    def close(self) -> None:
        self.flush()
        try:
            self.store.close()
        except sqlite3.Error as error:
            log.error("the store could not be closed: %s", error)

    # -- storing ---------------------------------------------------------------

    def _store(self, event: Event, answer: Answer) -> None:
        try:
            accepted, message, row = self._stored(event)
        except sqlite3.Error as error:
            self.has_failed(error)
            answer(False, FAILED)
            return
        self._pending.append(_Pending(answer, accepted, message, event, row))
        if len(self._pending) >= _BATCH:
            self.flush()
        elif not self._flush_is_due:
            self._flush_is_due = True
            asyncio.get_running_loop().call_soon(self.flush)

    # -- when the storage fails -------------------------------------------------

    def has_failed(self, error: sqlite3.Error) -> None:
        """What SQLite refused takes uncommitted neighbours along; all are told. It goes on."""
        if not self._trouble:
            log.error("the store fails: %s", error)
        self._trouble = str(error)
        self.store.roll_back()
        batch, self._pending = self._pending, []
        for done in batch:
            done.answer(False, FAILED)

    def trouble(self) -> str:
        """Why events cannot be stored now; empty where they can. After a failure it tries."""
        now = time.monotonic()
        if self._trouble and now - self._tried_at >= _BETWEEN_TRIES:
            self._tried_at = now
            self.flush()
            try:
                self.store.try_to_write()
            except sqlite3.Error as error:
                self.has_failed(error)
            else:
                self._recover()
        return self._trouble

    def _recover(self) -> None:
        if self._trouble:
            log.warning("the store works again")
        self._trouble = ""

    def _stored(self, event: Event) -> tuple[bool, str, Row | None]:
        policy, store = self.policy, self.store
        if not policy.keeps(event):
            return True, "", None
        if policy.is_known_already(event, store):
            row = store.event_by_id(event.id) if policy.delivers_although_known(event) else None
            return *policy.answer_to_duplicate(event), row
        address = policy.address(event)
        head = policy.head_at(address, store) if address is not None else None
        if head is not None:
            if not policy.supersedes(event, head):
                row = self._unstored_row(event) if policy.delivers_although_stale(event) else None
                return *policy.answer_to_stale(event), row
            if policy.retires(head):
                store.remove(head, SUPERSEDED)
        row = self._add(event, address)
        return True, self._apply(event), row

    def _add(self, event: Event, address: str | None) -> Row:
        policy = self.policy
        kept = policy.as_stored(event)
        row = self.store.add(
            kept,
            address=address,
            slug=policy.slug_of(event) if address is not None else None,
            readers=policy.readers_of(event),
            channel=policy.channel_of_stored(event),
        )
        if event.kind in REPLIABLE_KINDS:
            place = policy.place_of_reply(event, self.store)
            if place is not None:
                self.store.put_place(event.id, place)
        return row

    def _unstored_row(self, event: Event) -> Row:
        """A row for delivery only, of an event that is not kept."""
        policy = self.policy
        return Row.of(
            0,
            event,
            address=policy.address(event),
            slug=policy.slug_of(event),
            readers=policy.readers_of(event),
            channel=policy.channel_of_stored(event),
        )

    def _after_refusal(self, event: Event, refusal: str) -> None:
        """Nothing, in a relay that keeps to its refusals."""
        if self.policy.stores_although_refused(event, refusal) and not self.store.knows(event.id):
            self._add(event, self.policy.address(event))
        if self.policy.delivers_although_refused(event, refusal):
            self._deliver(event, self._unstored_row(event))

    def announce(self, draft: Draft) -> None:
        """Sign, store and deliver an event of the relay's own, with the batch that is pending."""
        event = draft.signed_by(self.key)
        accepted, message, row = self._stored(event)
        self._pending.append(_Pending(_no_answer, accepted, message, event, row))

    def own_head(self, kind: int, slug: str) -> Row | None:
        """The relay's own event at an address."""
        address = self.policy.address_for(kind, self.key.pubkey, slug)
        return self.policy.head_at(address, self.store)

    def _apply(self, event: Event) -> str:
        """What an accepted event does to others; gives the text of its OK.

        Deletions, the government of channels, and the commands of direct messages.
        """
        if event.kind == PROFILE:
            self._take_over_name(event)
        if event.kind in COMMANDS:
            return self._direct.carry_out(event)
        if event.kind == DELETION:
            self._remove_all(self.policy.deletion_by_address(event, self.store))
            self._remove_all(self.policy.deletion_by_id(event, self.store))
        elif event.kind == DELETE_EVENT:
            targets = [self.store.event_by_id(one) for one in event.tag_values("e")]
            self._remove_all(
                [row for row in targets if row is not None and row.channel in event.tag_values("h")]
            )
        else:
            channel = self.policy.channel_of_stored(event)
            if channel is not None:
                govern(self.store, channel, event)
        return ""

    def _take_over_name(self, profile: Event) -> None:
        """A profile claims its name, and gives up the one before."""
        names = self.store.names
        claimed = self.policy.name_claimed(profile, names.claimed_by(profile.pubkey))
        if self.policy.gives_up_old_names():
            names.give_up(profile.pubkey, but=claimed)
        if claimed is not None:
            names.claim(profile.pubkey, claimed)

    def holder_of(self, handle: str) -> str | None:
        """The key that has a name: the first whose profile claims it and is still there."""
        self.flush()
        for pubkey in self.store.names.claimants_of(handle):
            if self.store.rows_at(self.policy.address_for(PROFILE, pubkey, "")):
                return pubkey
        return None

    def _remove_all(self, rows: list[Row]) -> None:
        for row in rows:
            self.store.remove(row, DELETED)

    # -- delivering ------------------------------------------------------------

    def _deliver(self, event: Event, row: Row | None) -> None:
        if not self.policy.delivers_live(event):
            return
        row = row or self._unstored_row(event)
        raw = self.policy.as_served(row.raw)
        for subscription in list(self.live.candidates(event)):
            if not self.policy.in_live_scope(subscription.filters, event):
                continue
            filters = self.policy.live_filters(subscription.filters)
            matching = [
                (place, one)
                for place, one in enumerate(filters)
                if self.policy.live_match(one, event)
            ]
            if not matching:
                continue
            if not self._may_read_live(row, subscription.subscriber.pubkey, matching):
                continue
            if not self.policy.gets_live(subscription.subscriber, event):
                continue
            copies = self.policy.live_copies(event) * self.policy.copies_for(len(matching))
            for _ in range(copies):
                subscription.subscriber.send_live(f"{subscription.prefix}{raw}]")

    def _may_read_live(
        self, row: Row, reader: str | None, matching: list[tuple[int, Filter]]
    ) -> bool:
        if row.channel is not None and not self.policy.may_follow_channel(
            row.channel, reader, self.store
        ):
            return False
        return self.policy.may_read(row, reader, surfaces.LIVE) or any(
            self.policy.lets_in(row, one, place, reader, surfaces.LIVE, self.store)
            for place, one in matching
        )


def _no_answer(accepted: bool, message: str) -> None:
    """The answer to a write that was answered before."""
