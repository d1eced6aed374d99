"""Projections name what goes out: whatever else a record holds stays on the device."""

from __future__ import annotations

import json

import pytest

from nip_ap.nostr import MANAGED_AGENT, TEAM, TEAM_CATALOG
from nip_ap_client.projections import (
    DEFINITION_FIELDS,
    INSTANCE_FIELDS,
    MEMBER_FIELDS,
    TEAM_FIELDS,
    ProjectionRefused,
    agent_draft,
    catalog_draft,
    team_draft,
)

CANARY = "canary-7f3a"
AGENT = "c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
SECRETS = dict.fromkeys(
    (
        "private_key_nsec",
        "auth_tag",
        "env_vars",
        "backend",
        "agent_binary_path",
        "pid",
        "last_error",
        "last_started_at",
        "relay_url",
        "persona_source_version",
        "mcp_command",
    ),
    CANARY,
)
SMUGGLED = {"key": CANARY}
"""A value of another form under a name that may go out."""


def body_of(draft):
    assert CANARY not in draft.content
    assert CANARY not in json.dumps(draft.tags)
    return json.loads(draft.content)


def test_a_team_has_its_fields_and_no_other():
    record = {"id": "builtin-team:welcome", "name": "Reviewers", "persona_ids": ["a", "b"]}
    draft = team_draft({**SECRETS, **record, "description": SMUGGLED}, at=7)
    assert body_of(draft) == {"name": "Reviewers", "persona_ids": ["a", "b"]}
    assert (draft.kind, draft.created_at) == (TEAM, 7)
    assert draft.tags == (("d", "builtin-team:welcome"),)


INSTANCE = {
    "pubkey": AGENT,
    "name": "Ada",
    "respond_to": "mentions",
    "respond_to_allowlist": ["x"],
    "parallelism": 2,
    "system_prompt": "You read.",
    "model": "m",
    "provider": "p",
}


def test_a_linked_agent_is_slim():
    draft = agent_draft({**SECRETS, **INSTANCE, "persona_id": "reader"}, at=7)
    assert set(body_of(draft)) == set(INSTANCE_FIELDS)
    assert (draft.kind, draft.tags) == (MANAGED_AGENT, (("d", AGENT),))


@pytest.mark.parametrize("none", [{}, {"persona_id": None}, {"persona_id": ""}], ids=repr)
def test_an_agent_without_a_definition_keeps_its_fields(none):
    body = body_of(agent_draft({**SECRETS, **INSTANCE, **none}, at=7))
    assert set(DEFINITION_FIELDS) <= set(body)
    assert body["system_prompt"] == "You read."


def test_a_team_catalog_embeds_its_members_in_their_order():
    members = [
        {**SECRETS, "id": CANARY, "respond_to_allowlist": [CANARY], "display_name": name}
        for name in ("B", "A")
    ]
    team = {**SECRETS, "id": "Team", "name": "Reviewers", "persona_ids": [CANARY]}
    draft = catalog_draft(team, members, at=7, shared=True)
    assert body_of(draft) == {
        "version": 1,
        "team": {"name": "Reviewers"},
        "members": [{"display_name": "B"}, {"display_name": "A"}],
    }
    assert draft.kind == TEAM_CATALOG
    assert draft.tags == (("d", "Team"), ("shared", "true"))
    assert catalog_draft(team, members, at=7).tags == (("d", "Team"),)


@pytest.mark.parametrize("fields", [TEAM_FIELDS, INSTANCE_FIELDS, DEFINITION_FIELDS, MEMBER_FIELDS])
def test_no_field_that_may_go_out_is_a_secret(fields):
    assert not set(fields) & set(SECRETS)


def test_a_record_without_an_address_is_not_published():
    with pytest.raises(ProjectionRefused, match="without pubkey"):
        agent_draft({"name": "Ada"}, at=7)
    with pytest.raises(ProjectionRefused, match="without id"):
        team_draft({"name": "x", "id": ""}, at=7)


def test_a_body_that_is_too_long_is_not_published():
    with pytest.raises(ProjectionRefused, match="65535 are allowed"):
        team_draft({"id": "t", "description": "x" * 65_536}, at=7)
