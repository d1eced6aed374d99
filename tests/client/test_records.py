"""personas.json: fields, defaults, aliases, and errors that teach and leak nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nip_ap_client.records import NoPersonaFile, PersonaFileError, parse, read_personas, record_from

LEAST: dict[str, Any] = {
    "id": "one",
    "display_name": "One",
    "system_prompt": "",
    "created_at": "2025-01-01T00:00:00+00:00",
    "updated_at": "any string will do",
}


def test_what_is_absent_has_the_defaults_of_the_client() -> None:
    record = record_from(LEAST)
    assert record.is_active is True
    assert record.is_builtin is False
    assert record.name_pool == ()
    assert record.env_vars == {}
    assert record.avatar_url is None


def test_older_names_of_team_fields_are_read() -> None:
    record = record_from(LEAST | {"source_pack": "p", "source_pack_persona_slug": "s"})
    assert (record.source_team, record.source_team_persona_slug) == ("p", "s")


@pytest.mark.parametrize("name", ["id", "display_name", "system_prompt", "created_at"])
def test_a_missing_required_field_is_named(name: str) -> None:
    value = {key: item for key, item in LEAST.items() if key != name}
    with pytest.raises(
        PersonaFileError, match=rf"record 7 \(.*\) has no {name}; every record needs"
    ):
        record_from(value, 7)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"is_active": None}, "is_active must be true or false"),
        ({"name_pool": None}, "name_pool must be an array of strings"),
        ({"env_vars": {"A": 1}}, "env_vars must be an object of strings"),
        ({"display_name": 3}, "display_name must be a string"),
        ({"source_team": "a", "source_pack": "b"}, "gives source_team twice"),
        ({"display_name": "\ud800"}, "half of a surrogate pair"),
    ],
)
def test_a_wrong_value_is_named_by_its_field(change: dict[str, Any], said: str) -> None:
    with pytest.raises(PersonaFileError, match=said):
        record_from(LEAST | change)


def test_null_is_fine_for_optional_fields_and_unknown_keys_do_not_matter() -> None:
    record = record_from(LEAST | {"model": None, "runtime": None, "unheard_of": {"a": []}})
    assert record.model is None


def test_a_field_that_comes_twice_in_one_object_is_refused() -> None:
    text = json.dumps([LEAST]).replace('"id": "one"', '"id": "one", "id": "two"')
    with pytest.raises(PersonaFileError, match="gives id twice"):
        record_from(parse(text.encode())[0])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not valid JSON at line 1"),
        (b"[{}", "not valid JSON"),
        (b"[1,]", "not valid JSON"),
        (b"\xef\xbb\xbf[]", "byte order mark"),
        (b"\xff[]", "not UTF-8 at byte 0"),
        (b'{"personas": []}', "must hold a JSON array"),
    ],
)
def test_a_malformed_file_says_what_is_wrong(data: bytes, said: str) -> None:
    with pytest.raises(PersonaFileError, match=said):
        parse(data)


def test_one_bad_record_makes_the_whole_file_fail(tmp_path: Path) -> None:
    (tmp_path / "personas.json").write_text(json.dumps([LEAST, {"id": "two"}]))
    with pytest.raises(PersonaFileError, match="record 2"):
        read_personas(tmp_path)


def test_a_missing_file_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(NoPersonaFile, match="nothing was published and nothing deleted"):
        read_personas(tmp_path)


def test_no_error_and_no_repr_shows_a_secret() -> None:
    record = record_from(LEAST | {"env_vars": {"TOKEN": "hush"}})
    assert "hush" not in repr(record)
    with pytest.raises(PersonaFileError) as error:
        record_from(LEAST | {"env_vars": {"TOKEN": ["hush"]}})
    assert "hush" not in str(error.value)
