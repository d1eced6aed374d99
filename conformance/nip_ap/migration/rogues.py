"""Migrators with one deviation each: the proof that each check of AP-MIG can fail, and why.

A rogue overrides one step of the migrator, names the exact clauses that it turns red against the
stub relay, and says what a real client would have done wrong to behave so. Where the honest
migrator has a second line of defence behind that step, the rogue leaves it out too: the fault in
question is what remains then.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from nip_ap.migration.decisions import Action, Decision, Situation
from nip_ap.migration.mapping import (
    JUNE_ORDER,
    Mapped,
    Mapper,
    Persona,
    Skip,
    content_of,
    is_slug,
    slug_source,
)
from nip_ap.migration.migrator import Migrator, Outgoing
from nip_ap.migration.records import (
    NoPersonaFile,
    PersonaFileError,
    PersonaRecord,
    read_personas,
    read_values,
)
from nip_ap.migration.retention import Retained
from nip_ap.nostr import PERSONA, Draft, Event, SecretKey
from nip_ap.wire.answers import Answer


@dataclass(frozen=True)
class Rogue:
    """A named deviation. `turns_red` are clauses of AP-MIG; `may_turn_red` are those that it breaks
    at some moments only, when a kill falls between two steps or two runs into one second."""

    name: str
    because: str
    turns_red: frozenset[str]
    migrator: type[Migrator]
    may_turn_red: frozenset[str] = frozenset()


ROGUES: dict[str, Rogue] = {}


def clauses(numbers: Iterable[int]) -> frozenset[str]:
    """Clauses of AP-MIG by their numbers."""
    return frozenset(f"AP-MIG-{number:02}" for number in numbers)


def rogue_named(name: str) -> Rogue:
    """The rogue of that name. Raises ValueError naming them all."""
    if name not in ROGUES:
        raise ValueError(f"no rogue is named {name!r}; there are {', '.join(ROGUES)}")
    return ROGUES[name]


def rogue(
    name: str, *numbers: int, because: str, may: Sequence[int] = ()
) -> Callable[[type[Migrator]], type[Migrator]]:
    """Register a migrator as a rogue that turns these clauses of AP-MIG red."""

    def register(migrator: type[Migrator]) -> type[Migrator]:
        ROGUES[name] = Rogue(name, because, clauses(numbers), migrator, clauses(may))
        return migrator

    return register


@rogue("honest", because="it deviates in nothing and has to come out green")
class Honest(Migrator):
    """The migrator as it is."""


class _BelievesOk(Migrator):
    """Takes any OK true for success, also one that says "duplicate"."""

    def is_success(self, outgoing: Outgoing, answer: Answer, heads: dict[str, Event]) -> bool:
        return answer.accepted


class _OneStore(Migrator):
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
    *(2, 4, 5, 6, 8, 11, 12, 16, 18, 19, 20, 21, 22, 24, 32, 34, 39),
    because="it compares nothing and signs everything anew on each run",
)
class SignsEachTime(Migrator):
    def decide(self, situation: Situation) -> Decision:
        return Decision(situation, Action.SIGN)


@rogue(
    "M2",
    *(5, 13, 18, 19, 27, 40),
    because="one row of the owner makes it skip the file, so that no edit is ever seen; and rows "
    "are written one by one, so that a crash leaves some",
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


@rogue("M3", 32, because="rows of any owner make it skip the migration of another")
class SentinelOfAllOwners(_OneStore):
    def decide(self, situation: Situation) -> Decision:
        if self.owners() - {self.key.pubkey}:
            return Decision(situation, Action.KEEP)
        return super().decide(situation)


@rogue(
    "M4",
    *(4, 6, 7, 8, 9, 27, 32, 36),
    may=(5,),
    because="it clears the flag when it sends, not when the relay has answered: whatever is not "
    "taken at the first try is lost",
)
class ClearsFlagFirst(Migrator):
    def keep_version(self, situation: Situation, content: str) -> None:
        super().keep_version(situation, content)
        self.store.acknowledge(self.outbox[-1].event, situation.slug)


@rogue("M5", 8, 9, 36, because="it clears the flag on any answer, a refusal included")
class ClearsFlagOnRefusal(Migrator):
    def is_success(self, outgoing: Outgoing, answer: Answer, heads: dict[str, Event]) -> bool:
        return True


@rogue("M6", 11, because="it takes `duplicate:` for a failure and tries for ever")
class DuplicateIsFailure(Migrator):
    def decide(self, situation: Situation) -> Decision:
        row, head = situation.row, situation.head
        if row is not None and head is not None and row.pending and row.event.id == head.id:
            return Decision(situation, Action.SEND)
        return super().decide(situation)

    def is_success(self, outgoing: Outgoing, answer: Answer, heads: dict[str, Event]) -> bool:
        return answer.accepted and answer.prefix != "duplicate:"


@rogue("M7", 1, 35, because="it dates events by the record instead of the moment of signing")
class DatesByRecord(Migrator):
    def dated(self, situation: Situation) -> int:
        assert situation.persona is not None
        return int(datetime.fromisoformat(situation.persona.record.updated_at).timestamp())

    def is_stale(self, row: Retained) -> bool:
        return False

    def is_too_old(self, outgoing: Outgoing, answer: Answer) -> bool:
        return False


@rogue(
    "M8",
    *(13, 18),
    may=(27, 39, 40),
    because="it dates a new version with plain now and believes the relay's OK",
)
class DatesWithPlainNow(_BelievesOk):
    def dated(self, situation: Situation) -> int:
        return self.now()


@rogue("M9", 13, because="it takes T from its own store only, and believes the relay's OK")
class ForgetsTheHead(_BelievesOk):
    def dated(self, situation: Situation) -> int:
        return super().dated(dataclasses.replace(situation, head=None))


class _MapperWithEnv(Mapper):
    def content(self, record: PersonaRecord) -> str:
        body = orjson.loads(super().content(record))
        secrets = {"env_vars": dict(record.env_vars)} if record.env_vars else {}
        return orjson.dumps(body | secrets).decode()


@rogue("M10", 22, 23, because="it writes env_vars into the content")
class PublishesEnv(Migrator):
    def new_mapper(self) -> Mapper:
        return _MapperWithEnv()


_KNOWN = frozenset(PersonaRecord.__dataclass_fields__)


class _MapperWithUnknown(Mapper):
    def __init__(self, base: Path) -> None:
        self._base = base

    def content(self, record: PersonaRecord) -> str:
        values = {one["id"]: one for one in read_values(self._base)}
        unknown = {name: item for name, item in values[record.id].items() if name not in _KNOWN}
        return orjson.dumps(orjson.loads(super().content(record)) | unknown).decode()


@rogue("M11", 22, 23, because="it passes on keys of the record that it does not know")
class PassesOnUnknownKeys(Migrator):
    def new_mapper(self) -> Mapper:
        return _MapperWithUnknown(self.base)


class _MapperOfAll(Mapper):
    def objection(self, record: PersonaRecord, content: str) -> str:
        return super().objection(dataclasses.replace(record, is_builtin=False), content)


@rogue("M12", 1, 31, because="it publishes the built-in personas too")
class PublishesBuiltIns(Migrator):
    def new_mapper(self) -> Mapper:
        return _MapperOfAll()


class _VerbatimMapper(Mapper):
    def slug(self, record: PersonaRecord) -> str:
        return slug_source(record)


@rogue("M13", 21, because="it uses the record's id as the slug, whatever is in it")
class VerbatimSlug(Migrator):
    def new_mapper(self) -> Mapper:
        return _VerbatimMapper()


class _AlternatingMapper(Mapper):
    def settled(
        self, rivals: dict[str, list[Persona]]
    ) -> tuple[tuple[Persona, ...], tuple[Skip, ...], tuple[str, ...]]:
        return tuple(one for group in rivals.values() for one in group), (), ()


@rogue("M14", 20, because="records with one slug replace each other on every run")
class CollisionAlternates(Migrator):
    def new_mapper(self) -> Mapper:
        return _AlternatingMapper()

    def carry_out(self, decision: Decision) -> None:
        """Each of the rivals in turn meets the row that the other has left."""
        persona, row = decision.situation.persona, self.store.row(decision.slug)
        if persona is not None and row is not None and row.content != persona.content:
            situation = dataclasses.replace(decision.situation, row=row)
            decision = Decision(situation, Action.SIGN)
        super().carry_out(decision)


class _MapperUpToFirstTrouble(Mapper):
    def mapped(self, records: Sequence[PersonaRecord]) -> Mapped:  # type: ignore[override]
        sound = []
        for record in records:
            if not is_slug(slug_source(record)) and slug_source(record) == record.id:
                if record.is_builtin:
                    continue
                break
            sound.append(record)
        return super().mapped(sound)


@rogue("M15", 9, 21, because="the first record that makes trouble stops the rest")
class StopsAtFirstTrouble(Migrator):
    def new_mapper(self) -> Mapper:
        return _MapperUpToFirstTrouble()

    def publish(self) -> list[tuple[Outgoing, Answer]]:
        """One by one, up to the first refusal that is not about the date."""
        answered: list[tuple[Outgoing, Answer]] = []
        going, self.outbox = self.outbox, []
        for outgoing in going:
            self.outbox = [outgoing]
            answers = super().publish()
            answered += answers
            if not answers or not (answers[0][1].accepted or "time" in answers[0][1].message):
                break
        self.outbox = []
        return answered


@rogue("M16", 29, because="it takes a missing file for an empty one and deletes everything")
class MissingIsEmpty(Migrator):
    @staticmethod
    def records_of(base: Path) -> tuple[PersonaRecord, ...]:
        try:
            return read_personas(base)
        except NoPersonaFile:
            return ()


@rogue("M17", 30, because="it takes a file that it cannot read for an empty one")
class MalformedIsEmpty(Migrator):
    @staticmethod
    def records_of(base: Path) -> tuple[PersonaRecord, ...]:
        try:
            return read_personas(base)
        except NoPersonaFile:
            raise
        except PersonaFileError:
            return ()


@rogue("M18", 24, because="it publishes again what the relay does not have")
class RestoresWhatIsMissing(Migrator):
    def decide(self, situation: Situation) -> Decision:
        row = situation.row
        missing = situation.online and situation.head is None and row is not None
        if missing and row is not None and not row.pending:
            return Decision(situation, Action.SIGN)
        return super().decide(situation)


@rogue("M19", 32, because="whoever is online sends what other owners have waiting")
class SharedQueue(_OneStore):
    def keep(self, decisions: Sequence[Decision]) -> None:
        super().keep(decisions)
        found = self.store._db.execute(
            "SELECT d_tag, raw_event FROM persona_events WHERE pending_sync = 1 AND pubkey != ?",
            (self.key.pubkey,),
        )
        self.outbox += [Outgoing(Event.from_json(orjson.loads(raw)), slug) for slug, raw in found]


class _Nobody(SecretKey):
    """A key that is none: all zeros in place of pubkey and signature."""

    __slots__ = ()

    def __init__(self) -> None:
        self.pubkey = "0" * 64

    def sign(self, message: bytes, aux: bytes | None = None) -> str:
        return "0" * 128


@rogue("M20", 1, 33, because="it writes placeholders before it knows the owner's key")
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


@rogue("M21", 8, because="an event keeps the date of its first signing for ever")
class FrozenDate(Migrator):
    def is_stale(self, row: Retained) -> bool:
        return False

    def is_too_old(self, outgoing: Outgoing, answer: Answer) -> bool:
        return False


@rogue("M22", 40, because="it clears the flag by slug, also of a version that came meanwhile")
class ClearsBySlug(Migrator):
    def acknowledge(self, outgoing: Outgoing) -> None:
        row = self.store.row(outgoing.slug, outgoing.event.kind)
        super().acknowledge(outgoing)
        if row is not None:
            self.store.acknowledge(row.event, outgoing.slug)
            self.outbox = [one for one in self.outbox if one.slug != outgoing.slug]


@rogue("M23", 39, because="a new version loses the share tag of the one before")
class DropsShareTag(Migrator):
    def shares(self, situation: Situation) -> bool:
        return False


class _MapperWithNulls(Mapper):
    def content(self, record: PersonaRecord) -> str:
        body = dict.fromkeys(("avatar_url", "runtime", "model", "provider")) | {"name_pool": []}
        return orjson.dumps(
            body | orjson.loads(super().content(record)), option=orjson.OPT_SORT_KEYS
        ).decode()


@rogue("M24", 37, because="it writes null and [] for what is absent, and sorts the keys")
class WritesNulls(Migrator):
    def new_mapper(self) -> Mapper:
        return _MapperWithNulls()


@rogue("M25", 27, because="the deletion of the old version goes out behind the new one")
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


class _JuneMapper(_VerbatimMapper):
    def content(self, record: PersonaRecord) -> str:
        return content_of(record, JUNE_ORDER)

    def objection(self, record: PersonaRecord, content: str) -> str:
        return "built-in" if record.is_builtin else ""

    def winner(self, rivals: Sequence[Persona]) -> Persona:
        return rivals[-1]


@rogue(
    "as-of-june-12",
    5,
    8,
    12,
    13,
    18,
    19,
    21,
    26,
    27,
    38,
    40,
    because="the pull request as of June 12, with a publisher that it did not have: owner-wide "
    "sentinel, autocommit, verbatim slug, frozen created_at, flag cleared by key alone",
)
class AsOfJune12(OwnerWideSentinel, ClearsBySlug, FrozenDate, DatesWithPlainNow):
    def new_mapper(self) -> Mapper:
        return _JuneMapper()

    def decide(self, situation: Situation) -> Decision:
        if self.has_rows:
            return super().decide(situation)
        return Decision(situation, Action.SIGN)

    def keep(self, decisions: Sequence[Decision]) -> None:
        """Whatever waits goes out, whether the file still has it or not."""
        super().keep(decisions)
        self.outbox = [Outgoing(row.event, row.slug) for row in self.store.pending()]


__all__ = ["ROGUES", "Rogue", "rogue_named"]
