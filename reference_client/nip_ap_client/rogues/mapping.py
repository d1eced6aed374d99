"""Rogues of the mapping from records to slugs and contents."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import orjson

from nip_ap.wire.answers import Answer
from nip_ap_client.decisions import Action, Decision
from nip_ap_client.mapping import (
    Mapped,
    Mapper,
    Persona,
    Skip,
    is_slug,
    slug_source,
)
from nip_ap_client.migrator import Migrator
from nip_ap_client.records import (
    PersonaRecord,
    read_values,
)
from nip_ap_client.report import Outgoing
from nip_ap_client.rogues.declaring import rogue


class MapperWithEnv(Mapper):
    def content(self, record: PersonaRecord) -> str:
        body = orjson.loads(super().content(record))
        secrets = {"env_vars": dict(record.env_vars)} if record.env_vars else {}
        return orjson.dumps(body | secrets).decode()


@rogue(
    "M10",
    turns_red="AP-MIG-22 AP-MIG-23 AP-MIG-54",
    because="it writes env_vars into the content",
    remedy="Leave `env_vars` out of the content.",
)
class PublishesEnv(Migrator):
    def new_mapper(self) -> Mapper:
        return MapperWithEnv()


_KNOWN = frozenset(PersonaRecord.__dataclass_fields__)


class _MapperWithUnknown(Mapper):
    def __init__(self, base: Path) -> None:
        self._base = base

    def content(self, record: PersonaRecord) -> str:
        values = {one["id"]: one for one in read_values(self._base)}
        unknown = {name: item for name, item in values[record.id].items() if name not in _KNOWN}
        return orjson.dumps(orjson.loads(super().content(record)) | unknown).decode()


@rogue(
    "M11",
    turns_red="AP-MIG-22 AP-MIG-23 AP-MIG-54",
    because="it passes on keys of the record that it does not know",
    remedy="Write only the fields that the event's content is defined to have.",
)
class PassesOnUnknownKeys(Migrator):
    def new_mapper(self) -> Mapper:
        return _MapperWithUnknown(self.base)


class _MapperOfAll(Mapper):
    def objection(self, record: PersonaRecord, content: str) -> str:
        return super().objection(dataclasses.replace(record, is_builtin=False), content)


@rogue(
    "M12",
    turns_red="AP-MIG-01 AP-MIG-31",
    because="it publishes the built-in personas too",
    remedy="Publish the owner's personas only, not the built-in ones.",
)
class PublishesBuiltIns(Migrator):
    def new_mapper(self) -> Mapper:
        return _MapperOfAll()


class VerbatimMapper(Mapper):
    def slug(self, record: PersonaRecord) -> str:
        return slug_source(record)


@rogue(
    "M13",
    turns_red="AP-MIG-21",
    because="it uses the record's id as the slug, whatever is in it",
    remedy="Derive the slug by the rule for slugs, and skip a record that has none.",
)
class VerbatimSlug(Migrator):
    def new_mapper(self) -> Mapper:
        return VerbatimMapper()


class _AlternatingMapper(Mapper):
    def settled(
        self, rivals: dict[str, list[Persona]]
    ) -> tuple[tuple[Persona, ...], tuple[Skip, ...], tuple[str, ...]]:
        return tuple(one for group in rivals.values() for one in group), (), ()


@rogue(
    "M14",
    turns_red="AP-MIG-20",
    because="records with one slug replace each other on every run",
    remedy="Keep the first record of a slug and report the others.",
)
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


@rogue(
    "M15",
    turns_red="AP-MIG-09 AP-MIG-21",
    because="the first record that makes trouble stops the rest",
    remedy="Report a record that makes trouble and go on with the next.",
)
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


class _MapperWithNulls(Mapper):
    def content(self, record: PersonaRecord) -> str:
        body = dict.fromkeys(("avatar_url", "runtime", "model", "provider")) | {"name_pool": []}
        return orjson.dumps(
            body | orjson.loads(super().content(record)), option=orjson.OPT_SORT_KEYS
        ).decode()


@rogue(
    "M24",
    turns_red="AP-MIG-37",
    because="it writes null and [] for what is absent, and sorts the keys",
    remedy="Keep the order of the fields, and leave absent ones out.",
)
class WritesNulls(Migrator):
    def new_mapper(self) -> Mapper:
        return _MapperWithNulls()
