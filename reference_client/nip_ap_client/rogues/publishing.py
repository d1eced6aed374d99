"""Rogues of what goes out, and of what an answer of the relay means."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from nip_ap.nostr import PERSONA, Event
from nip_ap.wire.answers import Answer
from nip_ap_client.decisions import Action, Decision, Situation
from nip_ap_client.migrator import Migrator
from nip_ap_client.report import Outgoing
from nip_ap_client.rogues.declaring import rogue
from nip_ap_client.rogues.signing import OneStore
from nip_ap_client.scopes import Scope
from nip_ap_client.transport import WireError, WireTransport

_FRAME = 60_000


@rogue(
    "M4",
    turns_red=("AP-MIG-04 AP-MIG-06 AP-MIG-07 AP-MIG-08 AP-MIG-09 AP-MIG-27 AP-MIG-32 AP-MIG-36"),
    by_chance="AP-MIG-05",
    because=(
        "it clears the flag when it sends, not when the relay has answered: "
        "whatever is not taken at the first try is lost"
    ),
    remedy="Clear the flag after the relay has accepted the event.",
)
class ClearsFlagFirst(Migrator):
    def keep_version(self, situation: Situation, content: str) -> None:
        super().keep_version(situation, content)
        self.store.acknowledge(self.outbox[-1].event, situation.slug)


@rogue(
    "M5",
    turns_red="AP-MIG-08 AP-MIG-09 AP-MIG-36",
    because="it clears the flag on any answer, a refusal included",
    remedy="Clear the flag only on OK true or `duplicate:`.",
)
class ClearsFlagOnRefusal(Migrator):
    def is_success(self, outgoing: Outgoing, answer: Answer, heads: dict[str, Event]) -> bool:
        return True


@rogue(
    "M6",
    turns_red="AP-MIG-11",
    because="it takes `duplicate:` for a failure and tries for ever",
    remedy="Treat `duplicate:` as success.",
)
class DuplicateIsFailure(Migrator):
    def decide(self, situation: Situation) -> Decision:
        row, head = situation.row, situation.head
        if row is not None and head is not None and row.pending and row.event.id == head.id:
            return Decision(situation, Action.SEND)
        return super().decide(situation)

    def is_success(self, outgoing: Outgoing, answer: Answer, heads: dict[str, Event]) -> bool:
        return answer.accepted and answer.prefix != "duplicate:"


@rogue(
    "M19",
    turns_red="AP-MIG-32",
    because="whoever is online sends what other owners have waiting",
    remedy="Send only what belongs to the owner who is online.",
)
class SharedQueue(OneStore):
    def keep(self, decisions: Sequence[Decision]) -> None:
        super().keep(decisions)
        found = self.store._db.execute(
            "SELECT d_tag, raw_event FROM persona_events WHERE pending_sync = 1 AND pubkey != ?",
            (self.key.pubkey,),
        )
        self.outbox += [Outgoing(Event.from_json(orjson.loads(raw)), slug) for slug, raw in found]


@rogue(
    "M22",
    turns_red="AP-MIG-40",
    because="it clears the flag by slug, also of a version that came meanwhile",
    remedy="Clear the flag of exactly the version that was accepted.",
)
class ClearsBySlug(Migrator):
    def acknowledge(self, outgoing: Outgoing) -> None:
        row = self.store.row(outgoing.slug, outgoing.event.kind)
        super().acknowledge(outgoing)
        if row is not None:
            self.store.acknowledge(row.event, outgoing.slug)
            self.outbox = [one for one in self.outbox if one.slug != outgoing.slug]


@rogue(
    "M25",
    turns_red="AP-MIG-27",
    because="the deletion of the old version goes out behind the new one",
    remedy="Send the deletion before the new version.",
)
class DeletesAfterReplacing(Migrator):
    def cancel_deletion(self, situation: Situation) -> None:
        """It stays in the queue."""

    def keep(self, decisions: Sequence[Decision]) -> None:
        super().keep(decisions)
        slugs = {one.slug for one in self.outbox if one.event.kind == PERSONA}
        waiting = [row for row in self.store.tombstones().values() if row.pending]
        newest = max((one.event.created_at for one in self.outbox), default=0)
        self.outbox += [
            Outgoing(self.deletion(row.slug, max(self.now(), newest)), row.slug)
            for row in waiting
            if row.slug in slugs
        ]


@rogue(
    "M29",
    turns_red="AP-MIG-44",
    because="it sends a deletion that is dated beyond the relay's clock guard, which refuses it",
    remedy="Keep what is dated too far ahead until the clock has come near it.",
)
class SendsWhatIsNotDue(Migrator):
    def due(self, outbox: Sequence[Outgoing]) -> list[Outgoing]:
        return list(outbox)


@rogue(
    "M32",
    turns_red="AP-MIG-27 AP-MIG-44 AP-MIG-47 AP-MIG-48",
    because=(
        "it forgets the local record before the deletion is in its queue: whatever comes between "
        "leaves the event on the relay for ever"
    ),
    remedy="Keep the deletion in the same transaction that forgets the record.",
)
class ForgetsBeforeItDeletes(Migrator):
    def keep_deletion(self, situation: Situation) -> None:
        event = self.deletion(situation.slug, max(self.now(), situation.newest))
        self.store.drop(situation.slug, self.kind)
        self.outbox.append(Outgoing(event, situation.slug))


@rogue(
    "M33",
    turns_red="AP-MIG-48",
    because="it sends what waits for the relay of this run, and never for one that was left",
    remedy="On each run send what waits for every relay of the owner.",
)
class DrainsOneScope(Migrator):
    def scopes(self) -> list[Scope]:
        return []


@rogue(
    "M27",
    turns_red="AP-MIG-10",
    because="it takes a rate limit for the relay's last word and moves on",
    remedy="Wait after a rate limit, and send again.",
)
class GivesUpWhenLimited(Migrator):
    def publish(self) -> list[tuple[Outgoing, Answer]]:
        """Each event once, whatever the answer; what is too large for a frame as ever."""
        if not self.online or not isinstance(self.transport, WireTransport):
            return super().publish()
        going, self.outbox = self.outbox, []
        small = [one for one in going if len(orjson.dumps(one.event.to_json())) < _FRAME]
        self.outbox = [one for one in going if one not in small]
        answered: list[tuple[Outgoing, Answer]] = []
        try:
            for one in small:
                self.transport.door.send(["EVENT", one.event.to_json()])
            for one in small:
                answered.append((one, self.transport.door.answer_to(one.event)))
        except WireError as error:
            self.online = False
            self.report.trouble = str(error)
        return answered + super().publish()

    def is_success(self, outgoing: Outgoing, answer: Answer, heads: dict[str, Event]) -> bool:
        return answer.prefix == "rate-limited:" or super().is_success(outgoing, answer, heads)
