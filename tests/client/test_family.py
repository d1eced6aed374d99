"""Teams, agents and catalogs against a relay in memory: what is theirs beside the personas'."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nip_ap.nostr import DELETION, MANAGED_AGENT, TEAM, TEAM_CATALOG, Event, SecretKey
from nip_ap.resources import data
from nip_ap_client.command import run
from nip_ap_client.family import AgentMigrator, CatalogMigrator, FamilyMigrator, TeamMigrator
from nip_ap_client.records import PersonaFileError
from nip_ap_client.report import Report, State
from nip_ap_client.versions import InstructionsMigrator
from tests.client.conftest import Laptop, MemoryRelay

Record = dict[str, Any]
SHARED = ("shared", "true")
TEAM_ID = "builtin-team:Readers"


@pytest.fixture
def family() -> dict[str, list[Record]]:
    return {
        name: [dict(one) for one in records] for name, records in data("family/records").items()
    }


def has(laptop: Laptop, family: dict[str, list[Record]]) -> None:
    dates = dict.fromkeys(("created_at", "updated_at"), "2025-04-05T06:07:08+00:00")
    members = [
        {"id": f"plain-{n}", "display_name": f"Member {n}", "system_prompt": "Hello.", **dates}
        for n in (1, 2)
    ]
    laptop.has(members)
    for name, records in family.items():
        (laptop.base / f"{name}.json").write_text(json.dumps(records))


def head(laptop: Laptop, kind: int, slug: str) -> Event | None:
    return laptop.relay.kept.get((laptop.key.pubkey, f"{kind}:{slug}"))


@pytest.mark.parametrize("kind", [TeamMigrator, AgentMigrator, CatalogMigrator])
def test_a_second_run_sends_nothing(
    laptop: Laptop, relay: MemoryRelay, family: Any, kind: type[FamilyMigrator]
) -> None:
    has(laptop, family)
    published = laptop.runs(kind).published
    assert published
    assert {one.kind for one in relay.came} == {kind.kind}
    assert laptop.runs(kind).is_synced
    assert len(relay.came) == len(published)


def test_kinds_are_kept_apart_in_one_store(laptop: Laptop, relay: MemoryRelay, family: Any) -> None:
    has(laptop, family)
    for kind in (TeamMigrator, CatalogMigrator):
        laptop.runs(kind)
    has(laptop, family | {"teams": [family["teams"][0] | {"id": "another"}]})
    laptop.runs(TeamMigrator)
    assert head(laptop, TEAM, TEAM_ID) is None
    assert head(laptop, TEAM_CATALOG, TEAM_ID) is not None
    (request,) = [one for one in relay.came if one.kind == DELETION]
    assert request.tag_values("a") == (f"{TEAM}:{laptop.key.pubkey}:{TEAM_ID}",)
    assert request.tag_values("k") == (str(TEAM),)


def test_a_deletion_that_waits_survives_as_one_of_its_kind(
    laptop: Laptop, relay: MemoryRelay, family: Any
) -> None:
    has(laptop, family)
    laptop.runs(AgentMigrator)
    gone = family["managed-agents"].pop(0)["pubkey"]
    has(laptop, family)
    relay.up = False
    assert [one.slug for one in laptop.runs(AgentMigrator).pending] == [gone]
    store = laptop.store()
    assert list(store.tombstones(MANAGED_AGENT)) == [gone]
    assert store.tombstones() == {}
    store.close()
    relay.up = True
    assert list(laptop.runs(AgentMigrator).deleted) == [gone]
    assert head(laptop, MANAGED_AGENT, gone) is None


@pytest.mark.parametrize(
    ("key", "is_fault"), [(None, False), ("", False), ("ABC", True), ("E" * 64, True)]
)
def test_an_agent_without_a_key_is_left_out(
    laptop: Laptop, family: Any, key: str | None, is_fault: bool
) -> None:
    has(laptop, family | {"managed-agents": [{"name": "Ada", "pubkey": key}]})
    report = laptop.runs(AgentMigrator)
    assert [one.is_fault for one in report.skipped] == [is_fault]
    assert report.state is (State.FAILED if is_fault else State.SYNCED)


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"id"', "\ufeff[]"])
def test_a_file_that_cannot_be_read_stops_all(tmp_path: Path, personas: Any, text: str) -> None:
    (tmp_path / "personas.json").write_text(json.dumps(personas))
    (tmp_path / "teams.json").write_text(text)
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text(SecretKey.derived("tests", "owner").secret_hex())
    with pytest.raises(PersonaFileError, match=r"teams\.json"):
        run(tmp_path, "ws://127.0.0.1:1", key)
    assert not (tmp_path / "retention").exists()


def test_an_empty_file_deletes_nothing(laptop: Laptop, relay: MemoryRelay, family: Any) -> None:
    has(laptop, family)
    laptop.runs(TeamMigrator)
    has(laptop, {"teams": []})
    with pytest.raises(PersonaFileError, match=r"teams.json has no team.*--allow-empty"):
        laptop.runs(TeamMigrator)
    assert head(laptop, TEAM, TEAM_ID) is not None


# -- catalogs ----------------------------------------------------------------------------


def shares(laptop: Laptop, family: Any, shared: bool, **fields: Any) -> Report:
    has(laptop, family | {"teams": [family["teams"][0] | {"shared": shared} | fields]})
    return laptop.runs(CatalogMigrator)


def is_shared(laptop: Laptop) -> bool:
    found = head(laptop, TEAM_CATALOG, TEAM_ID)
    assert found is not None
    return SHARED in found.tags


def test_a_team_that_was_never_shared_has_no_catalog(
    laptop: Laptop, relay: MemoryRelay, family: Any
) -> None:
    assert shares(laptop, family, False).standings == []
    assert relay.came == []


def test_sharing_and_un_sharing_are_newer_heads(
    laptop: Laptop, relay: MemoryRelay, family: Any
) -> None:
    for shared in (True, False, True):
        shares(laptop, family, shared)
        assert is_shared(laptop) is shared
        shares(laptop, family, shared)
    assert [one.kind for one in relay.came] == [TEAM_CATALOG] * 3


def test_an_un_sharing_that_could_not_be_sent_is_sent_by_the_next_run(
    laptop: Laptop, relay: MemoryRelay, family: Any
) -> None:
    shares(laptop, family, True)
    relay.up = False
    assert not shares(laptop, family, False).is_synced
    relay.up = True
    assert shares(laptop, family, False).is_synced
    assert not is_shared(laptop)
    assert len(relay.came) == 2


def test_what_was_un_shared_elsewhere_is_not_shared_again(
    laptop: Laptop, phone: Laptop, relay: MemoryRelay, family: Any
) -> None:
    shares(laptop, family, True)
    shares(phone, family, True)
    relay.now += 5
    shares(phone, family, False)
    for _ in range(2):
        (standing,) = shares(laptop, family, True).standings
        assert "un-shared elsewhere" in standing.reason
        assert not is_shared(laptop)


def test_a_shared_team_whose_member_is_missing_is_not_published(
    laptop: Laptop, relay: MemoryRelay, family: Any
) -> None:
    report = shares(laptop, family, True, persona_ids=["plain-1", "gone"])
    assert [one.reason for one in report.skipped] == ["its member 'gone' is not in personas.json"]
    assert relay.came == []


@pytest.mark.parametrize("identifier", ["x" * 65, "a b", "a\u0085", "a\u3000"])
def test_a_team_id_that_no_catalog_may_have(laptop: Laptop, family: Any, identifier: str) -> None:
    assert [one.is_fault for one in shares(laptop, family, True, id=identifier).skipped] == [True]


# -- instructions ------------------------------------------------------------------------


def test_instructions_name_their_subjects_and_only_those_that_have_some(
    laptop: Laptop, family: Any
) -> None:
    has(laptop, family)
    named = [slug for slug, _ in InstructionsMigrator.subjects(laptop.base)]
    assert named == [f"t:{TEAM_ID}", f"p:{family['managed-agents'][0]['pubkey']}"]
