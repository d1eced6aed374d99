"""The mapping: the reference bytes, the table of slugs, collisions, and what is left out."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nip_ap.nostr import SecretKey
from nip_ap.resources import data
from nip_ap_client.mapping import (
    JUNE_ORDER,
    LONGEST_BODY,
    Mapper,
    content_hash,
    content_of,
    draft_of,
    is_slug,
    normalised,
)
from nip_ap_client.records import PersonaRecord, record_from

KEY_ONE = SecretKey.from_hex("0" * 63 + "1")
DATES = dict.fromkeys(("created_at", "updated_at"), "2025-01-01T00:00:00+00:00")
VECTORS = [one for one in data("vectors")["events"] if "system_prompt" in one["content"]]


def record(**fields: Any) -> PersonaRecord:
    least = {"id": "one", "display_name": "One", "system_prompt": "Hello."}
    return record_from(least | DATES | fields)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["name"])
def test_content_hash_and_id_equal_the_reference_vectors(vector: dict[str, Any]) -> None:
    made = record(**orjson.loads(vector["content"]))
    order = {"order": JUNE_ORDER} if vector["order"] == "june" else {}
    content = content_of(made, **order)
    event = draft_of(vector["slug"], content, at=vector["created_at"]).signed_by(KEY_ONE)
    assert content == vector["content"]
    assert content_hash(content) == vector["content_sha256"]
    assert event.id == vector["id"]
    assert event.tags == (("d", vector["slug"]),)


@given(st.text(st.characters(codec="utf-8")), st.lists(st.text(st.characters(codec="utf-8"))))
def test_content_is_what_json_dumps_writes(text: str, pool: list[str]) -> None:
    made = record(system_prompt=text, name_pool=pool)
    body: dict[str, Any] = {"display_name": "One", "system_prompt": text}
    body |= {"name_pool": pool} if pool else {}
    assert content_of(made) == json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def test_nothing_else_of_a_record_is_in_the_content() -> None:
    made = record(env_vars={"A": "b"}, source_team="t", is_active=False, avatar_url=None)
    assert orjson.loads(content_of(made)) == {"display_name": "One", "system_prompt": "Hello."}


@pytest.mark.parametrize(
    ("source", "slug"),
    [
        ("builtin:fizz", "builtin-fizz"),
        ("CodeReviewer", "codereviewer"),
        ("_ops", "a_ops"),
        ("-x", "a-x"),
        ("", "a"),
        ("A b", "a-b"),
        ("com.example.pack", "com-example-pack"),
        ("a" * 65, "a" * 64),
        ("_" * 64, "a" + "_" * 63),
        ("É", "a-"),
        ("Kelvin \u212a", "kelvin--"),
    ],
)
def test_slugs_are_normalised_as_by_the_newer_client(source: str, slug: str) -> None:
    assert normalised(source) == slug


@given(st.text())
def test_every_text_becomes_a_slug_and_a_slug_stays_itself(text: str) -> None:
    slug = normalised(text)
    assert is_slug(slug)
    assert normalised(slug) == slug


def test_a_teams_slug_goes_before_the_id_also_where_it_is_empty() -> None:
    mapper = Mapper()
    assert mapper.slug(record(source_team_persona_slug="Team_One")) == "team_one"
    assert mapper.slug(record(source_team_persona_slug="")) == "a"


def test_of_two_records_with_one_slug_the_same_one_wins_in_any_order() -> None:
    one = record(id="x", source_team_persona_slug="Ops", display_name="A")
    two = record(id="y", source_team_persona_slug="ops", display_name="B")
    for order in ([one, two], [two, one]):
        mapped = Mapper().mapped(order)
        (chosen,) = mapped.personas
        assert chosen.record == two
        assert [skip.id for skip in mapped.skipped] == ["x"]
        assert "'x'" in mapped.warnings[0]
        assert "'y'" in mapped.warnings[0]


def test_built_ins_blank_names_and_long_bodies_are_skipped_with_a_reason() -> None:
    empty = len(content_of(record(system_prompt="")))
    records = [
        record(id="builtin:fizz", is_builtin=True),
        record(id="blank", display_name=" "),
        record(id="long", system_prompt="x" * (LONGEST_BODY + 1 - empty)),
        record(id="fits", system_prompt="x" * (LONGEST_BODY - empty)),
    ]
    mapped = Mapper().mapped(records)
    assert [one.slug for one in mapped.personas] == ["fits"]
    assert [one.id for one in mapped.skipped] == ["builtin:fizz", "blank", "long"]
    assert mapped.slugs == {"builtin-fizz", "blank", "long", "fits"}


def test_a_retired_built_in_is_a_user_persona() -> None:
    retired = dataclasses.replace(record(id="builtin:solo"), is_active=False)
    assert [one.slug for one in Mapper().mapped([retired]).personas] == ["builtin-solo"]
