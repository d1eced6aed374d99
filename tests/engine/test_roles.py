"""Whom a run tests: a relay, or a reader alone."""

from __future__ import annotations

import pytest

from nip_ap.engine.declarations import declarations
from nip_ap.engine.keys import SettingsError
from nip_ap.engine.preparation import reader_abilities, recipe_for
from nip_ap.model.clauses import READER, RELAY, register
from nip_ap.model.settings import Settings
from nip_ap.model.target_options import OPTIONS

NOTHING = {one.key: None for one in OPTIONS}
COMMAND = "mytool {relay} {owner}"


def test_a_reader_is_tested_before_the_bundled_relay() -> None:
    assert recipe_for(NOTHING, Settings(seed="s", reader=COMMAND)).kind == "bundled"


@pytest.mark.parametrize(
    ("given", "settings", "said"),
    [
        ({"url": "ws://relay.example"}, {"reader": COMMAND}, "leave the URL"),
        ({"cmd": "relay {port}"}, {"reader": COMMAND}, "leave the URL"),
        ({}, {"reader": COMMAND, "migrator": "m"}, "choose one"),
        ({}, {"reader": "mytool {relay}"}, "needs {relay} and {owner}"),
    ],
)
def test_what_does_not_go_with_a_reader_is_explained(
    given: dict[str, str], settings: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        recipe_for(NOTHING | given, Settings(seed="s", **settings))


def test_placeholders_are_what_a_reader_can_be_asked() -> None:
    assert reader_abilities("") == []
    assert reader_abilities(COMMAND) == ["reader"]
    whole = ["reader", "reader-key", "reader-slug"]
    assert reader_abilities(f"{COMMAND} {{slug}} {{key}}") == whole


def test_each_check_is_of_one_role() -> None:
    """A check that judges clauses of two roles would run in neither, or in both."""
    known = register()
    mixed = [
        one.check_id()
        for one in declarations()
        if len({known[clause].role for clause in one.clauses}) > 1
    ]
    assert mixed == []


def test_what_the_register_does_not_know_is_a_check_of_a_relay() -> None:
    assert register().role_of(["AP-MINE-01"]) == RELAY
    assert register().role_of(["AP-WRITER-11"]) == READER
    assert Settings(seed="s").role == RELAY
    assert Settings(seed="s", reader=COMMAND).role == READER
