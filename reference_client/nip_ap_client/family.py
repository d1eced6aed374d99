"""Teams, managed agents and team catalogs, each migrated from its file as personas are from theirs.

One class per kind. What may go out of a record is named in projections.py; when to sign, keep, send
and delete is the migrator's, the same for all kinds. A file that is not there says nothing.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from nip_ap.nostr import MANAGED_AGENT, TEAM, TEAM_CATALOG, Draft
from nip_ap_client import pinned
from nip_ap_client.decisions import Action, Decision, Situation, edited_after
from nip_ap_client.mapping import SHARED, Mapped, Skip
from nip_ap_client.migrator import Migrator
from nip_ap_client.projections import ProjectionRefused, agent_draft, catalog_draft, team_draft
from nip_ap_client.records import PersonaFileError, read_personas, read_values

TEAMS, AGENTS = "teams.json", pinned.FILE_NAME

Record = Mapping[str, Any]

_PUBKEY = re.compile(r"[0-9a-f]{64}\Z")
_LONGEST_D = 1_024
_LONGEST_TEAM_ID = 64


@dataclass(frozen=True)
class Entry:
    """What one record of a team or an agent wants the relay to hold."""

    slug: str
    content: str
    updated_at: str
    shared: bool = False
    """Whether the record says that others may read it; a team catalog's is followed."""


class FamilyMigrator(Migrator):
    """A migrator of another file than personas.json."""

    identifier: ClassVar[str] = "id"
    """The field that makes the address."""

    @classmethod
    def is_there(cls, base: Path) -> bool:
        """Whether the base directory has the file."""
        return (base / cls.file_name).exists()

    @classmethod
    def objects(cls, base: Path) -> list[Record]:
        """The records of the file, as JSON. Raises PersonaFileError."""
        return objects_of(base, cls.file_name)

    def draft(self, record: Record) -> Draft:
        """The event of a record, of no date. Raises ProjectionRefused."""
        raise NotImplementedError

    @classmethod
    def address_fault(cls, slug: str) -> str:
        """Why an address is none that a relay takes; empty where it is one."""
        too_long = len(slug.encode()) > _LONGEST_D
        return f"its {cls.identifier} has more than {_LONGEST_D} bytes" if too_long else ""

    def read(self) -> Mapped:
        """See Migrator. Of several records with one address the same one wins on every run."""
        rivals: dict[str, list[Entry]] = {}
        skipped: list[Skip] = []
        slugs: set[str] = set()
        for record in self.objects(self.base):
            name = str(record.get(self.identifier) or record.get("name") or "without a name")
            slugs.add(name)
            try:
                entry = self.entry(record)
            except ProjectionRefused as refused:
                skipped.append(Skip(name, str(refused), is_fault=bool(record.get(self.identifier))))
            else:
                rivals.setdefault(entry.slug, []).append(entry)
        chosen = [min(group, key=lambda one: one.content) for group in rivals.values()]
        warnings = tuple(
            f"{len(group)} records of {self.file_name} are {self.noun} {slug!r}; one is published"
            for slug, group in rivals.items()
            if len(group) > 1
        )
        return Mapped(tuple(chosen), tuple(skipped), warnings, frozenset(slugs))

    def entry(self, record: Record) -> Entry:
        """What a record wants published. Raises ProjectionRefused."""
        draft = self.draft(record)
        slug = draft.tags[0][1]
        if fault := self.address_fault(slug):
            raise ProjectionRefused(fault)
        shared = record.get("shared") is True
        return Entry(slug, draft.content, edited_at(record), shared=shared)


class TeamMigrator(FamilyMigrator):
    """teams.json to kind 30176."""

    kind = TEAM
    file_name = TEAMS
    noun = "team"

    def draft(self, record: Record) -> Draft:
        """See FamilyMigrator."""
        return team_draft(record, at=0)


class AgentMigrator(FamilyMigrator):
    """managed-agents.json to kind 30177; a record without a key is none of an agent yet."""

    kind = MANAGED_AGENT
    file_name = AGENTS
    noun = "agent"
    identifier = "pubkey"

    def draft(self, record: Record) -> Draft:
        """See FamilyMigrator."""
        return agent_draft(record, at=0)

    @classmethod
    def address_fault(cls, slug: str) -> str:
        """See FamilyMigrator."""
        return "" if _PUBKEY.match(slug) else "its pubkey is not 64 lower-case hex digits"


class CatalogMigrator(FamilyMigrator):
    """teams.json to kind 30178, for teams that are shared or were: members are embedded.

    The record's `shared` is followed where it changed on this device. Un-sharing is a newer head
    without the tag and deletes nothing; what another device did last is left as it is.
    """

    kind = TEAM_CATALOG
    file_name = TEAMS
    noun = "team catalog"

    def read(self) -> Mapped:
        """See Migrator."""
        self.members = {one.id: dataclasses.asdict(one) for one in read_personas(self.base)}
        return super().read()

    def draft(self, record: Record) -> Draft:
        """See FamilyMigrator."""
        named = record.get("persona_ids")
        wanted = [str(one) for one in named] if isinstance(named, list) else []
        missing = [one for one in wanted if one not in self.members]
        if missing and record.get("shared") is True:
            raise ProjectionRefused(f"its member {missing[0]!r} is not in personas.json")
        members = [self.member(one) for one in wanted if one in self.members]
        return catalog_draft(record, members, at=0)

    def member(self, identifier: str) -> Record:
        """The record of a member, absent and empty fields left out."""
        found = self.members[identifier]
        pool = list(found["name_pool"])
        return {name: one for name, one in found.items() if name != "name_pool"} | (
            {"name_pool": pool} if pool else {}
        )

    @classmethod
    def address_fault(cls, slug: str) -> str:
        """See FamilyMigrator: the grammar of team ids is stricter than that of teams."""
        if len(slug) > _LONGEST_TEAM_ID:
            return f"its id has more than {_LONGEST_TEAM_ID} characters, too many for a catalog"
        if any(one.isspace() or unicodedata.category(one) == "Cc" for one in slug):
            return "its id has white space or a control character, which a catalog's may not"
        return ""

    def take_in(self) -> list[Decision]:
        """See Migrator. A team that was never shared has no catalog, and nothing to report."""
        return [
            one
            for one in super().take_in()
            if one.action is not Action.KEEP or one.situation.row is not None
        ]

    def decide(self, situation: Situation) -> Decision:
        """See Migrator. Content alone does not tell whether the head is as the record has it."""
        entry, row, head = situation.persona, situation.row, situation.head
        assert isinstance(entry, Entry)
        if row is None and not entry.shared:
            return Decision(situation, Action.KEEP)
        if row is not None and (SHARED in row.event.tags) != entry.shared:
            return Decision(situation, Action.SIGN)
        if head is None or (SHARED in head.tags) == entry.shared:
            return super().decide(situation)
        if row is not None and row.pending and row.event.order < head.order:
            return Decision(situation, Action.SIGN if self.is_stale(row) else Action.SEND)
        if edited_after(entry, head):
            return Decision(situation, Action.SIGN)
        done = "shared" if SHARED in head.tags else "un-shared"
        return Decision(situation, Action.KEEP, f"{done} elsewhere; left as it is there")

    def shares(self, situation: Situation) -> bool:
        """See Migrator."""
        assert isinstance(situation.persona, Entry)
        return situation.persona.shared


def edited_at(record: Record) -> str:
    """The time of the last edit, as the record has it; empty where it has none."""
    found = record.get("updated_at")
    return found if isinstance(found, str) else ""


def objects_of(base: Path, name: str) -> list[Record]:
    """The objects in a file of records. Raises PersonaFileError."""
    values: Sequence[Any] = read_values(base, name)
    for number, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            raise PersonaFileError(f"{base / name}: record {number} is not a JSON object")
    return [dict(value) for value in values]
