"""From records to what is published: slug, content, what is left out (docs/real-relay.md 8).

`Mapper` has one small method per rule, so that a rogue migrator (rogues/) overrides one of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from nip_ap.nostr import PERSONA, Draft
from nip_ap_client.records import PersonaRecord

CONTENT_ORDER = (
    "display_name",
    "system_prompt",
    "avatar_url",
    "runtime",
    "model",
    "provider",
    "name_pool",
)
"""The order of keys in the reference vectors of NIP-AP."""

JUNE_ORDER = ("display_name", "avatar_url", "system_prompt", *CONTENT_ORDER[3:])
"""The order that the pull request's client wrote in June 2026."""

LONGEST_BODY = 65_535
"""NIP-AP, "Writing": a writer refuses a longer body."""

LONGEST_SLUG = 64

SHARED = ("shared", "true")

_GRAMMAR = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_OUTSIDE = re.compile(r"[^a-z0-9_-]")
_UPPER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def is_slug(text: str) -> bool:
    """Whether a text is in the grammar of NIP-AP, "Slugs"."""
    return _GRAMMAR.match(text) is not None


def normalised(source: str) -> str:
    """The slug that any text becomes. Not injective: the caller looks for collisions."""
    slug = _OUTSIDE.sub("-", source.translate(_UPPER))
    if not slug[:1].isalnum():
        slug = f"a{slug}"
    return slug[:LONGEST_SLUG]


def slug_source(record: PersonaRecord) -> str:
    """What the slug is made of: the team's slug where there is one, else the record's id."""
    team = record.source_team_persona_slug
    return record.id if team is None else team


def content_of(record: PersonaRecord, order: Sequence[str] = CONTENT_ORDER) -> str:
    """The body of the event: compact JSON, absent and empty values left out, never env_vars."""
    values = {name: getattr(record, name) for name in order}
    body = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value is not None and value != ()
    }
    return orjson.dumps(body).decode()


def content_hash(content: str) -> str:
    """The version of a persona: SHA-256 of its content's exact bytes (docs/real-relay.md 8)."""
    return hashlib.sha256(content.encode()).hexdigest()


def draft_of(
    slug: str, content: str, *, at: int, shared: bool = False, kind: int = PERSONA
) -> Draft:
    """The event to be signed: one `d`, and the share tag where the head has it."""
    tags = (("d", slug), SHARED) if shared else (("d", slug),)
    return Draft(kind, at, tags, content)


class Wanted(Protocol):
    """What one record wants the relay to hold, whatever its kind."""

    @property
    def slug(self) -> str:
        """The `d` of its address."""

    @property
    def content(self) -> str:
        """The body of the event."""

    @property
    def updated_at(self) -> str:
        """When the record says that it was last edited."""


@dataclass(frozen=True)
class Persona:
    """What one record of a persona wants the relay to hold."""

    slug: str
    content: str
    record: PersonaRecord

    @property
    def updated_at(self) -> str:
        """See Wanted."""
        return self.record.updated_at


@dataclass(frozen=True)
class Skip:
    """A record that is not published, and why; `is_fault` where somebody has to change it."""

    id: str
    reason: str
    is_fault: bool = True


@dataclass(frozen=True)
class Mapped:
    """A file's records as personas. `slugs` are all that the file claims, the skipped included."""

    personas: tuple[Wanted, ...]
    skipped: tuple[Skip, ...]
    warnings: tuple[str, ...]
    slugs: frozenset[str]

    @property
    def has_personas(self) -> bool:
        """Whether the file has any persona of the user, be it one that cannot be published."""
        return bool(self.personas) or any(one.is_fault for one in self.skipped)


class Mapper:
    """The rules of the mapping."""

    def slug(self, record: PersonaRecord) -> str:
        """The slug of a record."""
        return normalised(slug_source(record))

    def content(self, record: PersonaRecord) -> str:
        """The body of a record."""
        return content_of(record)

    def objection(self, record: PersonaRecord, content: str) -> str:
        """Why a record is not published; empty where it is."""
        if record.is_builtin:
            return "built-in personas come with the client and are not published"
        if not record.display_name.strip():
            return "display_name is blank; NIP-AP requires one"
        size = len(content.encode())
        if size > LONGEST_BODY:
            return f"its body has {size} bytes; NIP-AP allows {LONGEST_BODY}"
        return ""

    def winner(self, rivals: Sequence[Persona]) -> Persona:
        """Which of several personas with one slug is published: the same on every run.

        One that is spelled like the slug goes first, then the lowest id and the lowest body. The
        place in the file plays no part, for the client sorts its file by name.
        """
        return min(
            rivals,
            key=lambda one: (slug_source(one.record) != one.slug, one.record.id, one.content),
        )

    def mapped(self, records: Iterable[PersonaRecord]) -> Mapped:
        """All records of a file, each published, skipped with a reason, or beaten by a rival."""
        rivals: dict[str, list[Persona]] = {}
        skipped: list[Skip] = []
        slugs: set[str] = set()
        for record in records:
            persona = Persona(self.slug(record), self.content(record), record)
            slugs.add(persona.slug)
            reason = self.objection(record, persona.content)
            if reason:
                skipped.append(Skip(record.id, reason, is_fault=not record.is_builtin))
            else:
                rivals.setdefault(persona.slug, []).append(persona)
        chosen, lost, warnings = self.settled(rivals)
        return Mapped(chosen, (*skipped, *lost), warnings, frozenset(slugs))

    def settled(
        self, rivals: dict[str, list[Persona]]
    ) -> tuple[tuple[Persona, ...], tuple[Skip, ...], tuple[str, ...]]:
        """One persona a slug; those that lost, and warnings that name everybody involved."""
        chosen, lost, warnings = [], [], []
        for slug, group in rivals.items():
            best = self.winner(group)
            chosen.append(best)
            others = [one for one in group if one is not best]
            if others:
                lost += [
                    Skip(one.record.id, f"slug {slug} goes to record {best.record.id!r}")
                    for one in others
                ]
                names = ", ".join(repr(one.record.id) for one in group)
                warnings.append(
                    f"records {names} all map to slug {slug}; {best.record.id!r} is published. "
                    "Give the others ids of their own"
                )
        return tuple(chosen), tuple(lost), tuple(warnings)
