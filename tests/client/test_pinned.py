"""Pinned spawn config: snapshot, files, and what is written back."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from nip_ap.resources import data
from nip_ap_client.pinned import AgentRecord, Drift, PinnedAgents
from nip_ap_client.records import PersonaFileError, record_from
from nip_ap_client.tasks import main

PERSONA = record_from(data("pinned/persona") | {"env_vars": {"TOKEN": "hush"}})
AGENTS = PinnedAgents()


def test_a_spawned_agent_runs_with_its_snapshot_whatever_becomes_of_the_persona() -> None:
    agent = AGENTS.spawn(PERSONA, name="a", at=0)
    assert agent.config.system_prompt == PERSONA.system_prompt
    assert agent.config.env_vars == {"TOKEN": "hush"}
    assert agent.persona_source_version == AGENTS.version_of(PERSONA)
    assert AGENTS.drift(agent, [PERSONA]) is Drift.CURRENT
    assert AGENTS.drift(agent, []) is Drift.ORPHANED


@pytest.mark.parametrize("case", data("pinned/drift"), ids=lambda case: case["name"])
def test_drift(case: dict[str, Any]) -> None:
    persona = record_from(data("pinned/persona") | case["persona"])
    assert AGENTS.drift(AgentRecord.from_json(case["agent"]), [persona]) == case["state"]


def test_a_second_backfill_changes_nothing() -> None:
    agents = [AgentRecord.from_json(case["agent"]) for case in data("pinned/backfill")]
    once = AGENTS.backfill(agents, [PERSONA], at=1)
    assert AGENTS.backfill(once, [PERSONA], at=2) == once
    assert [one is other for one, other in zip(agents, once, strict=True)] == [
        not case["stamped"] for case in data("pinned/backfill")
    ]


def test_a_snapshot_takes_away_what_the_persona_does_not_have() -> None:
    plain = record_from(data("pinned/persona") | {"provider": None, "model": None})
    agent = AGENTS.snapshot(AGENTS.spawn(PERSONA, name="a", at=0), plain, at=1)
    assert agent.provider is None
    assert "provider" not in agent.to_json()
    assert agent.config.env_vars == {}


def test_older_records_are_written_back_whole(tmp_path: Path) -> None:
    older = data("pinned/older_agents")
    (tmp_path / "managed-agents.json").write_text(json.dumps(older))
    AGENTS.write(tmp_path, AGENTS.read(tmp_path))
    written = json.loads((tmp_path / "managed-agents.json").read_text())
    for before, after in zip(older, written, strict=True):
        assert after == before


def test_the_file_of_agents_is_for_its_owner_alone(tmp_path: Path) -> None:
    AGENTS.write(tmp_path, [AGENTS.spawn(PERSONA, name="a", at=0)])
    mode = (tmp_path / "managed-agents.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_no_repr_and_no_error_shows_env_vars(tmp_path: Path) -> None:
    assert "hush" not in repr(AGENTS.spawn(PERSONA, name="a", at=0))
    (tmp_path / "managed-agents.json").write_text('[{"env_vars": {"A": "hush"}, "model": 7}]')
    with pytest.raises(PersonaFileError, match="record 1: model") as error:
        AGENTS.read(tmp_path)
    assert "hush" not in str(error.value)


def test_the_tasks_of_a_rogue_are_those_of_its_pinned_agents(tmp_path: Path) -> None:
    (tmp_path / "personas.json").write_text(json.dumps([data("pinned/persona")]))
    given = ["--base", str(tmp_path), "--relay", "ws://x", "--key-file", "x"]
    said = [
        CliRunner().invoke(main, [*given, "--task", "pin-versions", *more]).output
        for more in ([], ["--rogue", "P5"], ["--rogue", "P1"])
    ]
    assert said[0] == said[1] != said[2]
