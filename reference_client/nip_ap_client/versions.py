"""Instructions of teams and agents, from their files to versions on a relay (kind 44300).

A record's `instructions` is published encrypted to its owner, as a new version where it changed.
Versions are never replaced and never deleted; one that cannot be read is told and left as it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from nip_ap.nostr import INSTRUCTIONS, Event
from nip_ap_client.decisions import Action, Decision, Situation, edited_after
from nip_ap_client.family import (
    AGENTS,
    TEAMS,
    AgentMigrator,
    CatalogMigrator,
    Entry,
    FamilyMigrator,
    Record,
    TeamMigrator,
    edited_at,
)
from nip_ap_client.instructions import InvalidVersion, TextRefused, opened, sealed, version_of
from nip_ap_client.mapping import Mapped, Skip
from nip_ap_client.report import Report, Waiting
from nip_ap_client.transport import WireError

_SUBJECTS = ((TEAMS, "t", CatalogMigrator), (AGENTS, "p", AgentMigrator))
"""Which file names a subject in which tag, and whose rule its address keeps."""


class InstructionsMigrator(FamilyMigrator):
    """The `instructions` of teams.json and managed-agents.json to kind 44300.

    An address is the subject tag with a colon: `t:` and a team id, or `p:` and an agent's key.
    """

    kind = INSTRUCTIONS
    noun = "instructions"

    @classmethod
    def is_there(cls, base: Path) -> bool:
        """See FamilyMigrator."""
        return any((base / name).exists() for name, _, _ in _SUBJECTS)

    @classmethod
    def objects(cls, base: Path) -> list[Record]:
        """See FamilyMigrator."""
        return [record for _, record in cls.subjects(base)]

    @classmethod
    def subjects(cls, base: Path) -> Iterator[tuple[str, Record]]:
        """The addresses of the records that have instructions, with their records."""
        for name, tag, owner in _SUBJECTS:
            if not (base / name).exists():
                continue
            for record in owner.objects(base):
                if isinstance(record.get("instructions"), str) and record.get(owner.identifier):
                    yield f"{tag}:{record[owner.identifier]}", record

    def read(self) -> Mapped:
        """See Migrator."""
        chosen: dict[str, Entry] = {}
        skipped: list[Skip] = []
        found = list(self.subjects(self.base))
        for slug, record in found:
            text = str(record["instructions"])
            if fault := self.fault(slug, text):
                skipped.append(Skip(slug, fault))
            else:
                chosen[slug] = Entry(slug, text, edited_at(record))
        return Mapped(tuple(chosen.values()), tuple(skipped), (), frozenset(s for s, _ in found))

    def fault(self, slug: str, text: str) -> str:
        """Why a text is not published; empty where it is."""
        tag, _, identifier = slug.partition(":")
        owner = next(one for _, name, one in _SUBJECTS if name == tag)
        if fault := owner.address_fault(identifier):
            return fault
        try:
            sealed(text, self.key)
        except TextRefused as refused:
            return str(refused)
        return ""

    def stamp(self) -> tuple[int, int] | None:
        """See Migrator: either file may change."""
        stamps = [one for name, _, _ in _SUBJECTS if (one := self.stamp_of(name)) is not None]
        return max(stamps, default=None)

    def guard(self, removed: Sequence[str]) -> None:
        """Nothing is deleted, so nothing has to be guarded."""

    def decide(self, situation: Situation) -> Decision:
        """See Migrator. Texts are compared; of one text two ciphertexts differ."""
        entry, head, row = situation.persona, situation.head, situation.row
        assert entry is not None
        if head is not None:
            try:
                said = opened(head.content, self.key)
            except InvalidVersion as invalid:
                return self.about_invalid(situation, head, invalid)
            if said == entry.content:
                return super().decide(self._as_is(situation, head.content))
        if row is not None and self.says(row.content, entry.content):
            return super().decide(self._as_is(situation, row.content))
        return super().decide(situation)

    def about_invalid(self, situation: Situation, head: Event, invalid: InvalidVersion) -> Decision:
        """A current version that cannot be read is replaced by an edit alone."""
        assert situation.persona is not None
        if edited_after(situation.persona, head):
            return Decision(
                situation, Action.SIGN, f"replaces a version that was invalid: {invalid}"
            )
        return Decision(situation, Action.CONFLICT, f"the current version is invalid: {invalid}")

    def says(self, content: str, text: str) -> bool:
        """Whether a version that was kept here has a text."""
        try:
            return opened(content, self.key) == text
        except InvalidVersion:
            return False

    def _as_is(self, situation: Situation, content: str) -> Situation:
        """The situation of a record whose text some ciphertext has."""
        assert isinstance(situation.persona, Entry)
        return dataclasses.replace(
            situation, persona=dataclasses.replace(situation.persona, content=content)
        )

    def decide_removed(self, situation: Situation) -> Decision:
        """See Migrator: what is out stays, what never went out is forgotten."""
        never_sent = situation.row is not None and situation.row.pending
        return Decision(situation, Action.DROP if never_sent else Action.KEEP)

    def sign(self, situation: Situation, content: str) -> Event:
        """See Migrator."""
        tag, _, identifier = situation.slug.partition(":")
        text = next(one.content for one in self.mapped.personas if one.slug == situation.slug)
        newest = situation.newest or None
        return version_of((tag, identifier), text, self.key, now=self.now(), newest=newest)

    def finished(self) -> Report:
        """See Migrator. What was stored is read again: another version may be the current one."""
        report = super().finished()
        if not report.published or not self.online:
            return report
        try:
            current = self.heads_of(list(report.published))
        except WireError as error:
            report.trouble = str(error)
            return report
        report.notes += [
            Waiting(slug, "stored, but another version is the current one")
            for slug, identifier in report.published.items()
            if slug in current and current[slug].id != identifier
        ]
        return report


FAMILY: tuple[type[FamilyMigrator], ...] = (
    TeamMigrator,
    AgentMigrator,
    CatalogMigrator,
    InstructionsMigrator,
)
"""What is migrated beside personas, in this order."""
