"""The register of clauses, one file of fixtures/clauses/ per group: level, revisions, source."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from nip_ap.resources import resource

JUNE = "2026-06"
JULY = "2026-07"
NOVEMBER = "2026-11"
REVISIONS = (JUNE, JULY, NOVEMBER)
"""In their order: a clause names the first and the last that have it."""

CHOSEN = "chosen by --spec"
"""Why a run is of a revision that nobody looked for."""

NIP_01, NIP_AP, ANOTHER_NIP, BUZZ_RULE = "NIP-01", "NIP-AP", "another NIP", "block/buzz"
RULES = (NIP_01, NIP_AP, ANOTHER_NIP, BUZZ_RULE)
"""Whose rule a clause is: the last, of the real relay alone."""

OWN_RULE = "own"
"""The rule of a clause that is somebody's own (own_clauses.py); it is never part of NIP-AP."""

MUST, SHOULD, MAY, INFO = "MUST", "SHOULD", "MAY", "INFO"


RELAY, READER = "relay", "reader"
ROLES = (RELAY, READER)
"""Whom a run tests. Checks of a migrator run beside those of a relay."""


@dataclass(frozen=True)
class Clause:
    """One normative sentence that a relay (or a client) can be held to.

    `reason` says why it can have no check, and `no_rogue` why no relay or client can be built that
    breaks it alone.
    """

    id: str
    title: str
    text: str
    level: str
    revisions: tuple[str, ...]
    source: str
    needs: tuple[str, ...] = ()
    level_in: Mapping[str, str] = field(default_factory=dict)
    contradiction: str = ""
    reason: str = ""
    no_rogue: str = ""
    role: str = RELAY
    """Which kind of program the group's checks test, given at the head of its file."""
    rule: str = ""
    """Whose rule it is; left out in the file where the source says so."""
    level_by: Mapping[str, str] = field(default_factory=dict)
    """Another level for a profile (profile.py)."""

    def __post_init__(self) -> None:
        if not self.rule:
            object.__setattr__(self, "rule", _rule_of(self.source))

    @property
    def group(self) -> str:
        """The middle part of the id: SLUG of AP-SLUG-04."""
        return self.id.split("-")[1]

    def level_for(self, spec: str, profile: str = "") -> str:
        """The level in a revision, and for a profile."""
        return self.level_by.get(profile) or self.level_in.get(spec, self.level)

    def holds_in(self, spec: str) -> bool:
        """Whether a revision has the clause at all."""
        return spec in self.revisions


def _rule_of(source: str) -> str:
    """Whose text the source is: a NIP's, or a description of the real relay."""
    for rule in (NIP_01, NIP_AP):
        if source.startswith(rule):
            return rule
    return ANOTHER_NIP if source.startswith("NIP-") else BUZZ_RULE


@dataclass(frozen=True)
class Group:
    """A group of clauses: the middle part of their ids, its title, and its place in the order."""

    name: str
    title: str
    position: int


@dataclass(frozen=True)
class Register:
    """All clauses by id, in the order of the catalogue."""

    clauses: Mapping[str, Clause]
    titles: Mapping[str, str] = field(default_factory=dict)
    """The title of each group, by its name."""

    def __getitem__(self, identifier: str) -> Clause:
        return self.clauses[identifier]

    def __contains__(self, identifier: object) -> bool:
        return identifier in self.clauses

    def __iter__(self) -> Iterator[Clause]:
        return iter(self.clauses.values())

    def with_more(self, others: Register) -> Register:
        """This register with the clauses of another one after its own."""
        return Register({**self.clauses, **others.clauses}, {**self.titles, **others.titles})

    def role_of(self, clauses: Sequence[str]) -> str:
        """Whom a check of these clauses tests; what the register does not know tests a relay."""
        known = [self.clauses[one].role for one in clauses if one in self.clauses]
        return known[0] if known else RELAY

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in the order of the catalogue."""
        return tuple(dict.fromkeys(clause.group for clause in self))


class RegisterError(ValueError):
    """A file of fixtures/clauses/ is wrong; the message names the clause and what to change."""


@cache
def register() -> Register:
    """The register of this installation. Raises RegisterError."""
    return read_register(resource("fixtures/clauses"))


def read_register(folder: Path, given: Mapping[str, Any] | None = None) -> Register:
    """The register in a folder: each file is a group. Raises RegisterError.

    `given` holds what a clause is where its file does not say.
    """
    read = [_read_group(file, given or {}) for file in sorted(folder.glob("*.toml"))]
    clauses: dict[str, Clause] = {}
    titles: dict[str, str] = {}
    for group, members in sorted(read, key=lambda one: one[0].position):
        if group.name in titles:
            raise RegisterError(f"two files are of the group {group.name}")
        titles[group.name] = group.title
        for clause in members:
            if clause.id in clauses:
                raise RegisterError(f"{clause.id} is in the register twice")
            clauses[clause.id] = clause
    return Register(clauses, titles)


def _read_group(file: Path, given: Mapping[str, Any]) -> tuple[Group, list[Clause]]:
    try:
        parsed = tomllib.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RegisterError(f"{file.name} is not TOML: {error}") from None
    try:
        place = {"position": 0, **parsed} if given else parsed
        group = Group(parsed["group"], parsed["title"], place["position"])
    except KeyError as error:
        raise RegisterError(
            f"{file.name} has no {error.args[0]}; a file begins with group, title and position"
        ) from None
    role = parsed.get("role", RELAY)
    if role not in ROLES:
        raise RegisterError(f"{file.name}: role must be one of {', '.join(ROLES)}")
    members = [_clause({"role": role, **given, **entry}) for entry in parsed.get("clause", ())]
    for clause in members:
        if clause.id.count("-") < 2:
            raise RegisterError(f"{clause.id} in {file.name}: an id is like AP-{group.name}-01")
        if clause.group != group.name:
            raise RegisterError(f"{clause.id} is in {file.name}, the file of {group.name}")
    return group, members


def _clause(entry: dict[str, Any]) -> Clause:
    identifier = entry.get("id", "(a clause without an id)")
    try:
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in entry.items()
        }
        clause = Clause(**fields)
    except TypeError as error:
        raise RegisterError(f"{identifier}: {error}") from None
    levels = {clause.level, *clause.level_in.values(), *clause.level_by.values()}
    if not levels <= {MUST, SHOULD, MAY, INFO}:
        raise RegisterError(f"{identifier}: {sorted(levels)} has a level that does not exist")
    if clause.rule not in (*RULES, OWN_RULE):
        raise RegisterError(f"{identifier}: rule must be one of {', '.join(RULES)}")
    if not set(clause.revisions) <= set(REVISIONS) or not clause.revisions:
        raise RegisterError(f"{identifier}: revisions must be some of {', '.join(REVISIONS)}")
    return replace(clause, revisions=_from_first_to_last(clause.revisions))


def _from_first_to_last(named: tuple[str, ...]) -> tuple[str, ...]:
    """The revisions between those that a clause names have it too."""
    places = [REVISIONS.index(one) for one in named]
    return REVISIONS[min(places) : max(places) + 1]
