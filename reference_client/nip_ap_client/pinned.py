"""Pinned spawn configuration: an agent runs with what it was made with (docs/real-relay.md 8).

A managed-agent record carries a snapshot of its persona, env_vars included, and the persona's
version, which is the hash of its content. Editing the persona changes no record; the badge says
that they differ. Only deleting an agent and spawning it again takes the new text over.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from nip_ap_client.mapping import content_hash, content_of
from nip_ap_client.records import PersonaFileError, PersonaRecord

FILE_NAME = "managed-agents.json"


class Drift(StrEnum):
    """The badge of an agent."""

    CURRENT = "current"
    OUT_OF_DATE = "out of date"
    ORPHANED = "orphaned"
    NEVER_STAMPED = "never stamped"
    UNLINKED = "unlinked"


@dataclass(frozen=True)
class SpawnConfig:
    """What an agent is started with. `env_vars` holds secrets and is never shown."""

    system_prompt: str | None
    model: str | None
    provider: str | None
    env_vars: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class AgentRecord:
    """One managed agent. `rest` are the keys that mean nothing here; they are written back.

    `given` are the known keys that the file had, so that a null is not taken for an absence.
    """

    persona_id: str | None = None
    system_prompt: str | None = None
    model: str | None = None
    provider: str | None = None
    env_vars: Mapping[str, str] = field(default_factory=dict, repr=False)
    persona_source_version: str | None = None
    updated_at: str | None = None
    rest: Mapping[str, Any] = field(default_factory=dict, repr=False)
    given: frozenset[str] = field(default=frozenset(), repr=False, compare=False)

    @classmethod
    def from_json(cls, value: Any, number: int = 1) -> AgentRecord:
        """Read a record; what an older client did not write is absent. Raises PersonaFileError."""
        if not isinstance(value, dict):
            raise PersonaFileError(f"{FILE_NAME}: record {number} is not a JSON object")
        known: dict[str, Any] = {name: value[name] for name in _TEXTS if name in value}
        for name, text in known.items():
            if text is not None and not isinstance(text, str):
                raise PersonaFileError(
                    f"{FILE_NAME}: record {number}: {name} must be a string or null"
                )
        env = value.get("env_vars") or {}
        if not isinstance(env, dict):
            raise PersonaFileError(f"{FILE_NAME}: record {number}: env_vars must be an object")
        rest = {name: item for name, item in value.items() if name not in _KNOWN}
        return cls(**known, env_vars=env, rest=rest, given=frozenset(value) & _KNOWN)

    def to_json(self) -> dict[str, Any]:
        """The record as it is written: what is absent stays absent, what was null stays null."""
        own = {name: getattr(self, name) for name in _TEXTS}
        own["env_vars"] = dict(sorted(self.env_vars.items())) or None
        written = {name: one for name, one in own.items() if one is not None or name in self.given}
        return {**self.rest, **written}

    @property
    def config(self) -> SpawnConfig:
        """What the agent is started with: its own snapshot, whatever the persona says by now."""
        return SpawnConfig(self.system_prompt, self.model, self.provider, self.env_vars)


_KNOWN = frozenset(AgentRecord.__dataclass_fields__) - {"rest", "given"}
_TEXTS = tuple(name for name in AgentRecord.__dataclass_fields__ if name in _KNOWN - {"env_vars"})


class PinnedAgents:
    """A client that keeps agents. One small method a rule, so that a rogue overrides one of them.

    A record's null stays a null, its unknown keys stay; the file is read as a whole or not at all.
    """

    def content(self, persona: PersonaRecord) -> str:
        """What the version is the hash of: the published content."""
        return content_of(persona)

    def version_of(self, persona: PersonaRecord) -> str:
        """The version of a persona: its content has no env_vars, dates or tags."""
        return content_hash(self.content(persona))

    def snapshot(self, agent: AgentRecord, persona: PersonaRecord, *, at: int) -> AgentRecord:
        """The agent with the persona's prompt, model, provider and env_vars pinned on it."""
        return dataclasses.replace(
            agent,
            persona_id=persona.id,
            system_prompt=persona.system_prompt,
            model=persona.model,
            provider=persona.provider,
            env_vars=dict(persona.env_vars),
            persona_source_version=self.version_of(persona),
            updated_at=_written(at),
        )

    def spawn(self, persona: PersonaRecord, *, name: str, at: int) -> AgentRecord:
        """A new agent."""
        return self.snapshot(AgentRecord(rest={"name": name}), persona, at=at)

    def started(
        self, agents: Sequence[AgentRecord], personas: Sequence[PersonaRecord], *, at: int
    ) -> list[AgentRecord]:
        """The agents of before, when new ones are spawned next to them: as they were."""
        return list(agents)

    def drift(self, agent: AgentRecord, personas: Iterable[PersonaRecord]) -> Drift:
        """The badge of an agent, compared with the personas of now (docs/real-relay.md 8)."""
        if agent.persona_id is None:
            return Drift.UNLINKED
        persona = next((one for one in personas if one.id == agent.persona_id), None)
        if persona is None:
            return Drift.ORPHANED
        if agent.persona_source_version is None:
            return Drift.NEVER_STAMPED
        is_current = agent.persona_source_version == self.version_of(persona)
        return Drift.CURRENT if is_current else Drift.OUT_OF_DATE

    def backfill(
        self, agents: Sequence[AgentRecord], personas: Sequence[PersonaRecord], *, at: int
    ) -> list[AgentRecord]:
        """Stamp, once, what names a persona and has no version; orphans are left as they are."""
        by_id = {persona.id: persona for persona in personas}
        return [
            self.stamped(agent, by_id[agent.persona_id], at=at)
            if agent.persona_id in by_id and self.needs_stamp(agent)
            else agent
            for agent in agents
        ]

    def needs_stamp(self, agent: AgentRecord) -> bool:
        """Whether backfill has to do with an agent whose persona is there."""
        return agent.persona_source_version is None

    def stamped(self, agent: AgentRecord, persona: PersonaRecord, *, at: int) -> AgentRecord:
        """What backfill makes of an agent."""
        return self.snapshot(agent, persona, at=at)

    def record(self, value: Any, number: int) -> AgentRecord:
        """One record of the file. Raises PersonaFileError."""
        return AgentRecord.from_json(value, number)

    def read(self, base: Path) -> list[AgentRecord]:
        """The agents of a base directory; none where there is no file. Raises PersonaFileError."""
        path = base / FILE_NAME
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError):
            raise PersonaFileError(f"{path} cannot be read as JSON; it is left as it is") from None
        if not isinstance(value, list):
            raise PersonaFileError(f"{path} must hold a JSON array of agents")
        return [self.record(one, number) for number, one in enumerate(value, start=1)]

    def write(self, base: Path, agents: Sequence[AgentRecord]) -> None:
        """Write the file in one move, readable by its owner alone: it holds env_vars."""
        path = (base / FILE_NAME).resolve()
        beside = path.with_name(path.name + ".tmp")
        text = json.dumps([one.to_json() for one in agents], indent=2, ensure_ascii=False)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
        beside.replace(path)


def _written(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
