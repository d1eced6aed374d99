"""Rogues of what is signed, when, and with which date."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from nip_ap.nostr import PERSONA, Draft, Event, SecretKey
from nip_ap.wire.answers import Answer
from nip_ap_client.decisions import Action, Decision, Situation
from nip_ap_client.migrator import Migrator
from nip_ap_client.report import Outgoing
from nip_ap_client.retention import Retained
from nip_ap_client.rogues.declaring import NOISE, rogue


@rogue(
    "honest",
    kind=NOISE,
    because="it deviates in nothing and has to come out green",
)
class Honest(Migrator):
    """The migrator as it is."""


class BelievesOk(Migrator):
    """Takes any OK true for success, also one that says "duplicate"."""

    def is_success(self, outgoing: Outgoing, answer: Answer, heads: dict[str, Event]) -> bool:
        return answer.accepted


class OneStore(Migrator):
    """Keeps the rows of all owners in one file, as the June client did."""

    @staticmethod
    def store_path(base: Path, owner: str, relay: str) -> Path:
        return base / "retention.db"

    def owners(self) -> set[str]:
        """Every owner who has a row."""
        found = self.store._db.execute("SELECT DISTINCT pubkey FROM persona_events")
        return {row[0] for row in found}


@rogue(
    "M1",
    turns_red=(
        "AP-MIG-02 AP-MIG-04 AP-MIG-05 AP-MIG-06 AP-MIG-08 AP-MIG-11 AP-MIG-12 "
        "AP-MIG-16 AP-MIG-18 AP-MIG-19 AP-MIG-20 AP-MIG-21 AP-MIG-22 AP-MIG-24 "
        "AP-MIG-32 AP-MIG-34 AP-MIG-39"
    ),
    because="it compares nothing and signs everything anew on each run",
    remedy="Compare with what is published, and sign only what changed.",
)
class SignsEachTime(Migrator):
    def decide(self, situation: Situation) -> Decision:
        return Decision(situation, Action.SIGN)


@rogue(
    "M2",
    turns_red="AP-MIG-05 AP-MIG-13 AP-MIG-18 AP-MIG-19 AP-MIG-27 AP-MIG-40",
    because=(
        "one row of the owner makes it skip the file, so that no edit is ever "
        "seen; and rows are written one by one, so that a crash leaves some"
    ),
    remedy="Decide for each record whether it is migrated, and write all rows in one transaction.",
)
class OwnerWideSentinel(Migrator):
    def decide(self, situation: Situation) -> Decision:
        if not self.has_rows:
            return super().decide(situation)
        row = situation.row
        waits = row is not None and row.pending
        return Decision(situation, Action.SEND if waits else Action.KEEP)

    def decide_removed(self, situation: Situation) -> Decision:
        return Decision(situation, Action.KEEP)

    def keep(self, decisions: Sequence[Decision]) -> None:
        """Every write by itself, so that a crash leaves some."""
        self.outbox = []
        self._note(decisions)
        for decision in decisions:
            with self.store.transaction():
                self.carry_out(decision)

    def take_in(self) -> list[Decision]:
        self.has_rows = bool(self.store.rows())
        return super().take_in()


@rogue(
    "M3",
    turns_red="AP-MIG-32",
    because="rows of any owner make it skip the migration of another",
    remedy="Look only at the rows of this owner.",
)
class SentinelOfAllOwners(OneStore):
    def decide(self, situation: Situation) -> Decision:
        if self.owners() - {self.key.pubkey}:
            return Decision(situation, Action.KEEP)
        return super().decide(situation)


@rogue(
    "M7",
    turns_red="AP-MIG-01 AP-MIG-35",
    because="it dates events by the record instead of the moment of signing",
    remedy="Date an event by the moment of signing.",
)
class DatesByRecord(Migrator):
    def dated(self, situation: Situation) -> int:
        assert situation.persona is not None
        return int(datetime.fromisoformat(situation.persona.updated_at).timestamp())

    def is_stale(self, row: Retained) -> bool:
        return False

    def is_too_old(self, outgoing: Outgoing, answer: Answer) -> bool:
        return False


@rogue(
    "M8",
    turns_red="AP-MIG-13 AP-MIG-18",
    by_chance="AP-MIG-27 AP-MIG-39 AP-MIG-40",
    because="it dates a new version with plain now and believes the relay's OK",
    remedy="Date a new version later than the head, and read it back.",
)
class DatesWithPlainNow(BelievesOk):
    def dated(self, situation: Situation) -> int:
        return self.now()


@rogue(
    "M9",
    turns_red="AP-MIG-13",
    because="it takes T from its own store only, and believes the relay's OK",
    remedy="Take the head from the relay as well as from the own store.",
)
class ForgetsTheHead(BelievesOk):
    def dated(self, situation: Situation) -> int:
        return super().dated(dataclasses.replace(situation, head=None))


@rogue(
    "M18",
    turns_red="AP-MIG-24",
    because="it publishes again what the relay does not have",
    remedy="Publish again only what is new or changed; what the relay lacks may have been deleted.",
)
class RestoresWhatIsMissing(Migrator):
    def decide(self, situation: Situation) -> Decision:
        row = situation.row
        missing = situation.online and situation.head is None and row is not None
        if missing and row is not None and not row.pending:
            return Decision(situation, Action.SIGN)
        return super().decide(situation)


class _Nobody(SecretKey):
    """A key that is none: all zeros in place of pubkey and signature."""

    __slots__ = ()

    def __init__(self) -> None:
        self.pubkey = "0" * 64

    def sign(self, message: bytes, aux: bytes | None = None) -> str:
        return "0" * 128


@rogue(
    "M20",
    turns_red="AP-MIG-01 AP-MIG-33",
    because="it writes placeholders before it knows the owner's key",
    remedy="Wait for the owner's key before anything is written.",
)
class SignsWithoutKey(Migrator):
    @staticmethod
    def key_from(path: Path) -> SecretKey:
        try:
            return Migrator.key_from(path)
        except ValueError:
            return _Nobody()

    def ask(self, slugs: Sequence[str], rows: Mapping[str, Retained]) -> None:
        self.online = True

    def sign(self, situation: Situation, content: str) -> Event:
        return Draft(PERSONA, self.now(), (("d", situation.slug),), content).signed_by(_Nobody())


@rogue(
    "M21",
    turns_red="AP-MIG-08",
    because="an event keeps the date of its first signing for ever",
    remedy="Give each new version a date of its own.",
)
class FrozenDate(Migrator):
    def is_stale(self, row: Retained) -> bool:
        return False

    def is_too_old(self, outgoing: Outgoing, answer: Answer) -> bool:
        return False


@rogue(
    "M28",
    turns_red="AP-MIG-43 AP-MIG-44",
    because="it dates a deletion with plain now, so that a head dated ahead outlives it",
    remedy="Date a deletion no earlier than the head that it is to take away.",
)
class DeletesWithPlainNow(Migrator):
    def deletion(self, slug: str, at: int) -> Event:
        return super().deletion(slug, self.now())


@rogue(
    "M23",
    turns_red="AP-MIG-39",
    because="a new version loses the share tag of the one before",
    remedy="Carry the `shared` tag over into a new version.",
)
class DropsShareTag(Migrator):
    def shares(self, situation: Situation) -> bool:
        return False
