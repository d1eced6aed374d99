"""The register of clauses, from fixtures/clauses.toml: level, revisions, needs, source."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nip_ap.resources import resource

JUNE = "2026-06"
NOVEMBER = "2026-11"
REVISIONS = (JUNE, NOVEMBER)

MUST, SHOULD, MAY, INFO = "MUST", "SHOULD", "MAY", "INFO"


@dataclass(frozen=True)
class Clause:
    """One normative sentence that a relay (or a client) can be held to.

    `planned` names the issue that will bring its checks; `reason` says why it can have none;
    `no_rogue` says why no relay or client can be built that breaks it alone.
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
    planned: str = ""
    reason: str = ""
    no_rogue: str = ""

    @property
    def group(self) -> str:
        """The middle part of the id: SLUG of AP-SLUG-04."""
        return self.id.split("-")[1]

    def level_for(self, spec: str) -> str:
        """The level in a revision."""
        return self.level_in.get(spec, self.level)

    def holds_in(self, spec: str) -> bool:
        """Whether a revision has the clause at all."""
        return spec in self.revisions


@dataclass(frozen=True)
class Register:
    """All clauses by id, in the order of the catalogue."""

    clauses: Mapping[str, Clause]

    def __getitem__(self, identifier: str) -> Clause:
        return self.clauses[identifier]

    def __contains__(self, identifier: object) -> bool:
        return identifier in self.clauses

    def __iter__(self) -> Iterator[Clause]:
        return iter(self.clauses.values())

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in the order of the catalogue."""
        return tuple(dict.fromkeys(clause.group for clause in self))


class RegisterError(ValueError):
    """fixtures/clauses.toml is not a register; the message names the clause and what is wrong."""


@cache
def register() -> Register:
    """The register of this installation. Raises RegisterError."""
    parsed = tomllib.loads(resource("fixtures/clauses.toml").read_text(encoding="utf-8"))
    clauses: dict[str, Clause] = {}
    for entry in parsed["clause"]:
        clause = _clause(entry)
        if clause.id in clauses:
            raise RegisterError(f"{clause.id} is in the register twice")
        clauses[clause.id] = clause
    return Register(clauses)


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
    levels = {clause.level, *clause.level_in.values()}
    if not levels <= {MUST, SHOULD, MAY, INFO}:
        raise RegisterError(f"{identifier}: {sorted(levels)} has a level that does not exist")
    if not set(clause.revisions) <= set(REVISIONS) or not clause.revisions:
        raise RegisterError(f"{identifier}: revisions must be some of {', '.join(REVISIONS)}")
    return clause
