"""Clients with one deviation each: proof that each check of AP-MIG and AP-PIN can fail, and why.

A rogue overrides one step of the migrator, names the exact clauses that it turns red against the
stub relay, and says what a real client would have done wrong to behave so. Where the honest
migrator has a second line of defence behind that step, the rogue leaves it out too: the fault in
question is what remains then. Rogues of AP-PIN override a rule of the keeper of agents.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from nip_ap.nostr import PERSONA, Draft, Event, SecretKey
from nip_ap.wire.answers import Answer
from nip_ap_client.decisions import Action, Decision, Situation
from nip_ap_client.mapping import (
    JUNE_ORDER,
    Mapped,
    Mapper,
    Persona,
    Skip,
    content_hash,
    content_of,
    is_slug,
    slug_source,
)
from nip_ap_client.migrator import Migrator, Outgoing, Report
from nip_ap_client.pinned import AgentRecord, Drift, Keeper
from nip_ap_client.records import (
    FILE_NAME,
    NoPersonaFile,
    PersonaFileError,
    PersonaRecord,
    read_personas,
    read_values,
)
from nip_ap_client.retention import Retained
from nip_ap_client.transport import WireError, WireTransport

_FRAME = 60_000
"""Bytes that surely go into one WebSocket frame."""

MIGRATOR, PINNED, RELAY = "test_client", "test_pinned", "test_relay"
HALVES = (MIGRATOR, PINNED, RELAY)
"""The files of checks, by what they judge: a migrator, a keeper of agents, a relay."""


@dataclass(frozen=True)
class Rogue:
    """A named deviation. `turns_red` are clauses of AP-MIG or AP-PIN; `may_turn_red` are those that
    it breaks at some moments only, when a kill falls between two steps or two runs into one second.
    `halves` are the files of checks that it is put before."""

    name: str
    because: str
    turns_red: frozenset[str]
    migrator: type[Migrator]
    may_turn_red: frozenset[str] = frozenset()
    keeper: type[Keeper] = Keeper
    halves: tuple[str, ...] = (MIGRATOR,)


ROGUES: dict[str, Rogue] = {}


def clauses(numbers: Iterable[int], group: str = "MIG") -> frozenset[str]:
    """Clauses of AP-MIG, or of another group, by their numbers."""
    return frozenset(f"AP-{group}-{number:02}" for number in numbers)


def rogue_named(name: str) -> Rogue:
    """The rogue of that name. Raises ValueError naming them all."""
    if name not in ROGUES:
        raise ValueError(f"no rogue is named {name!r}; there are {', '.join(ROGUES)}")
    return ROGUES[name]


def rogue(
    name: str,
    *numbers: int,
    because: str,
    may: Sequence[int] = (),
    halves: tuple[str, ...] = (MIGRATOR,),
) -> Callable[[type[Migrator]], type[Migrator]]:
    """Register a migrator as a rogue that turns these clauses of AP-MIG red."""

    def register(migrator: type[Migrator]) -> type[Migrator]:
        red, at_times = clauses(numbers), clauses(may)
        ROGUES[name] = Rogue(name, because, red, migrator, at_times, halves=halves)
        return migrator

    return register


def pin_rogue(
    name: str, *numbers: int, because: str, migrator: type[Migrator] = Migrator
) -> Callable[[type[Keeper]], type[Keeper]]:
    """Register a keeper of agents as a rogue that turns these clauses of AP-PIN red."""

    def register(keeper: type[Keeper]) -> type[Keeper]:
        red = clauses(numbers, "PIN")
        ROGUES[name] = Rogue(name, because, red, migrator, keeper=keeper, halves=(PINNED,))
        return keeper

    return register


@rogue(
    "honest",
    because="it deviates in nothing and has to come out green",
    halves=(MIGRATOR, PINNED),
)
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


@rogue("M26", 3, because="it writes the file anew when it has read it")
class RewritesTheFile(Migrator):
    def finished(self) -> Report:
        path = self.base / FILE_NAME
        if self.mapped.personas and path.exists():
            beside = path.with_suffix(".own")
            beside.write_bytes(orjson.dumps(read_values(self.base)))
            beside.replace(path)
        return super().finished()


@rogue("M27", 10, because="it takes a rate limit for the relay's last word and moves on")
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


# -- pinned spawn config -------------------------------------------------------------------


@pin_rogue("P1", 1, 2, because="it hashes the content with its keys sorted")
class HashesSortedKeys(Keeper):
    def content(self, persona: PersonaRecord) -> str:
        body = orjson.loads(super().content(persona))
        return orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()


@pin_rogue("P2", 1, because="its hash leaves the runtime out")
class HashesWithoutRuntime(Keeper):
    def content(self, persona: PersonaRecord) -> str:
        return super().content(dataclasses.replace(persona, runtime=None))


@pin_rogue("P3", 1, 2, because="its hash takes env_vars in, so that a new token looks like drift")
class HashesEnv(Keeper):
    def content(self, persona: PersonaRecord) -> str:
        return _MapperWithEnv().content(persona)


@pin_rogue("P4", 2, 6, because="it shows an agent that was never stamped as out of date")
class NeverStampedIsOutOfDate(Keeper):
    def drift(self, agent: AgentRecord, personas: Iterable[PersonaRecord]) -> Drift:
        badge = super().drift(agent, personas)
        return Drift.OUT_OF_DATE if badge is Drift.NEVER_STAMPED else badge


@pin_rogue("P5", 2, because="it shows an agent whose persona is gone as out of date")
class OrphanIsOutOfDate(Keeper):
    def drift(self, agent: AgentRecord, personas: Iterable[PersonaRecord]) -> Drift:
        badge = super().drift(agent, personas)
        return Drift.OUT_OF_DATE if badge is Drift.ORPHANED else badge


@pin_rogue("P6", 3, because="at each start the live persona's prompt and model win over the pinned")
class LivePersonaWins(Keeper):
    def started(
        self, agents: Sequence[AgentRecord], personas: Sequence[PersonaRecord], *, at: int
    ) -> list[AgentRecord]:
        by_id = {persona.id: persona for persona in personas}
        return [
            dataclasses.replace(self.snapshot(agent, found, at=at), env_vars=agent.env_vars)
            if agent.persona_id is not None and (found := by_id.get(agent.persona_id))
            else agent
            for agent in agents
        ]


@pin_rogue("P7", 4, because="backfill stamps orphans with a hash of nothing")
class StampsOrphans(Keeper):
    def backfill(
        self, agents: Sequence[AgentRecord], personas: Sequence[PersonaRecord], *, at: int
    ) -> list[AgentRecord]:
        return [
            dataclasses.replace(one, persona_source_version=content_hash(""))
            if self.drift(one, personas) is Drift.ORPHANED
            else one
            for one in super().backfill(agents, personas, at=at)
        ]


@pin_rogue("P8", 3, 4, 5, because="backfill stamps anew at each launch, so that nothing is pinned")
class StampsAtEachLaunch(Keeper):
    def needs_stamp(self, agent: AgentRecord) -> bool:
        return True


@pin_rogue("P9", 4, 6, because="backfill writes the hash and takes no snapshot")
class StampsWithoutSnapshot(Keeper):
    def stamped(self, agent: AgentRecord, persona: PersonaRecord, *, at: int) -> AgentRecord:
        return dataclasses.replace(agent, persona_source_version=self.version_of(persona))


@pin_rogue("P10", 5, because="its snapshot leaves env_vars out")
class DropsEnv(Keeper):
    def snapshot(self, agent: AgentRecord, persona: PersonaRecord, *, at: int) -> AgentRecord:
        return super().snapshot(agent, dataclasses.replace(persona, env_vars={}), at=at)


@pin_rogue("P11", 5, because="at each start the live persona's env_vars win over the pinned")
class LiveEnvWins(Keeper):
    def started(
        self, agents: Sequence[AgentRecord], personas: Sequence[PersonaRecord], *, at: int
    ) -> list[AgentRecord]:
        by_id = {persona.id: persona.env_vars for persona in personas}
        return [
            dataclasses.replace(one, env_vars=by_id.get(one.persona_id or "", one.env_vars))
            for one in agents
        ]


@pin_rogue("P12", 5, because="it publishes env_vars with the persona", migrator=PublishesEnv)
class PinsAndPublishesEnv(Keeper):
    """Honest in itself: the fault is the migrator's."""


@pin_rogue("P13", 2, 4, 6, because="it cannot read a record that has no hash yet")
class NeedsTheHash(Keeper):
    def record(self, value: Any, number: int) -> AgentRecord:
        if "persona_source_version" not in value:
            raise PersonaFileError(f"record {number} has no persona_source_version")
        return super().record(value, number)


@pin_rogue("P14", 6, because="it writes back only the keys that it knows")
class DropsUnknownKeys(Keeper):
    def record(self, value: Any, number: int) -> AgentRecord:
        agent = super().record(value, number)
        return dataclasses.replace(agent, rest={"name": agent.rest.get("name")})


__all__ = ["HALVES", "RELAY", "ROGUES", "Rogue", "clauses", "rogue_named"]
