"""Rogues of pinned spawn config: pinned agents with one rule overridden."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from nip_ap_client.mapping import (
    content_hash,
)
from nip_ap_client.pinned import AgentRecord, Drift, PinnedAgents
from nip_ap_client.records import (
    PersonaFileError,
    PersonaRecord,
)
from nip_ap_client.rogues.declaring import rogue
from nip_ap_client.rogues.mapping import MapperWithEnv, PublishesEnv


@rogue(
    "P1",
    turns_red="AP-PIN-01 AP-PIN-02",
    because="it hashes the content with its keys sorted",
    remedy="Hash the content byte for byte, in the order of its keys.",
)
class HashesSortedKeys(PinnedAgents):
    def content(self, persona: PersonaRecord) -> str:
        body = orjson.loads(super().content(persona))
        return orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()


@rogue(
    "P2",
    turns_red="AP-PIN-01",
    because="its hash leaves the runtime out",
    remedy="Include the runtime in the hash.",
)
class HashesWithoutRuntime(PinnedAgents):
    def content(self, persona: PersonaRecord) -> str:
        return super().content(dataclasses.replace(persona, runtime=None))


@rogue(
    "P3",
    turns_red="AP-PIN-01 AP-PIN-02",
    because="its hash takes env_vars in, so that a new token looks like drift",
    remedy="Leave `env_vars` out of the hash.",
)
class HashesEnv(PinnedAgents):
    def content(self, persona: PersonaRecord) -> str:
        return MapperWithEnv().content(persona)


@rogue(
    "P4",
    turns_red="AP-PIN-02 AP-PIN-06",
    because="it shows an agent that was never stamped as out of date",
    remedy="Show drift only for an agent that has a stamp.",
)
class NeverStampedIsOutOfDate(PinnedAgents):
    def drift(self, agent: AgentRecord, personas: Iterable[PersonaRecord]) -> Drift:
        badge = super().drift(agent, personas)
        return Drift.OUT_OF_DATE if badge is Drift.NEVER_STAMPED else badge


@rogue(
    "P5",
    turns_red="AP-PIN-02",
    because="it shows an agent whose persona is gone as out of date",
    remedy="Show an agent whose persona is gone as an orphan, not as out of date.",
)
class OrphanIsOutOfDate(PinnedAgents):
    def drift(self, agent: AgentRecord, personas: Iterable[PersonaRecord]) -> Drift:
        badge = super().drift(agent, personas)
        return Drift.OUT_OF_DATE if badge is Drift.ORPHANED else badge


@rogue(
    "P6",
    turns_red="AP-PIN-03",
    because="at each start the live persona's prompt and model win over the pinned",
    remedy="Start an agent with the pinned prompt and model.",
)
class LivePersonaWins(PinnedAgents):
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


@rogue(
    "P7",
    turns_red="AP-PIN-04",
    because="backfill stamps orphans with a hash of nothing",
    remedy="Leave orphans without a stamp.",
)
class StampsOrphans(PinnedAgents):
    def backfill(
        self, agents: Sequence[AgentRecord], personas: Sequence[PersonaRecord], *, at: int
    ) -> list[AgentRecord]:
        return [
            dataclasses.replace(one, persona_source_version=content_hash(""))
            if self.drift(one, personas) is Drift.ORPHANED
            else one
            for one in super().backfill(agents, personas, at=at)
        ]


@rogue(
    "P8",
    turns_red="AP-PIN-03 AP-PIN-04 AP-PIN-05",
    because="backfill stamps anew at each launch, so that nothing is pinned",
    remedy="Stamp an agent once, and keep the stamp.",
)
class StampsAtEachLaunch(PinnedAgents):
    def needs_stamp(self, agent: AgentRecord) -> bool:
        return True


@rogue(
    "P9",
    turns_red="AP-PIN-04 AP-PIN-06",
    because="backfill writes the hash and takes no snapshot",
    remedy="Take the snapshot together with the hash.",
)
class StampsWithoutSnapshot(PinnedAgents):
    def stamped(self, agent: AgentRecord, persona: PersonaRecord, *, at: int) -> AgentRecord:
        return dataclasses.replace(agent, persona_source_version=self.version_of(persona))


@rogue(
    "P10",
    turns_red="AP-PIN-05",
    because="its snapshot leaves env_vars out",
    remedy="Include `env_vars` in the snapshot.",
)
class DropsEnv(PinnedAgents):
    def snapshot(self, agent: AgentRecord, persona: PersonaRecord, *, at: int) -> AgentRecord:
        return super().snapshot(agent, dataclasses.replace(persona, env_vars={}), at=at)


@rogue(
    "P11",
    turns_red="AP-PIN-05",
    because="at each start the live persona's env_vars win over the pinned",
    remedy="Start an agent with the pinned `env_vars`.",
)
class LiveEnvWins(PinnedAgents):
    def started(
        self, agents: Sequence[AgentRecord], personas: Sequence[PersonaRecord], *, at: int
    ) -> list[AgentRecord]:
        by_id = {persona.id: persona.env_vars for persona in personas}
        return [
            dataclasses.replace(one, env_vars=by_id.get(one.persona_id or "", one.env_vars))
            for one in agents
        ]


@rogue(
    "P12",
    turns_red="AP-PIN-05",
    because="it publishes env_vars with the persona",
    remedy="Leave `env_vars` out of what is published.",
    migrator=PublishesEnv,
)
class PinsAndPublishesEnv(PinnedAgents):
    """Honest in itself: the fault is the migrator's."""


@rogue(
    "P13",
    turns_red="AP-PIN-02 AP-PIN-04 AP-PIN-06",
    because="it cannot read a record that has no hash yet",
    remedy="Read records without a hash, as they were before pinning.",
)
class NeedsTheHash(PinnedAgents):
    def record(self, value: Any, number: int) -> AgentRecord:
        if "persona_source_version" not in value:
            raise PersonaFileError(f"record {number} has no persona_source_version")
        return super().record(value, number)


@rogue(
    "P14",
    turns_red="AP-PIN-06",
    because="it writes back only the keys that it knows",
    remedy="Keep keys that you do not know when you write a record back.",
)
class DropsUnknownKeys(PinnedAgents):
    def record(self, value: Any, number: int) -> AgentRecord:
        agent = super().record(value, number)
        return dataclasses.replace(agent, rest={"name": agent.rest.get("name")})
