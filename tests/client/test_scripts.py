"""Scripts for readers: what is served is what the script says, and broken where it says so."""

from __future__ import annotations

import json

import pytest

from nip_ap.clients.scripts import Stage, script_named, script_names, scripts_of
from nip_ap.model.clauses import READER, register
from nip_ap.nostr import Event
from nip_ap.witness import check_of
from nip_ap_relay.stub.script import Manner, Scripted

NOW = 1_800_000_000
SCRIPTS = script_names()


def staged(name: str) -> Stage:
    return Stage(script_named(name), "tests", NOW, many=3)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_says_what_is_shown_and_what_a_person_sees(name: str) -> None:
    stage = staged(name)
    assert stage.shown(), "each script has something to show: that is its control"
    assert stage.hidden() is not None
    assert stage.script.sees.endswith(".")
    assert register()[stage.script.clause].role == READER
    Manner(**stage.script.relay)


@pytest.mark.parametrize("name", SCRIPTS)
def test_exactly_what_is_spoiled_does_not_verify(name: str) -> None:
    stage = staged(name)
    spoiled = {one["name"] for one in stage.script.events if "spoil" in one or "text" in one}
    for one in stage.events.values():
        try:
            problems = bool(Event.from_json(json.loads(one.text)).problems)
        except ValueError:
            problems = True
        assert problems is (one.name in spoiled), one.name


@pytest.mark.parametrize("name", ["tie-loser-first", "tie-loser-last"])
def test_in_a_tie_the_winner_has_the_lower_id(name: str) -> None:
    ids = {one.name: json.loads(one.text)["id"] for one in staged(name).events.values()}
    assert ids["winner"] < ids["loser"]


@pytest.mark.parametrize(
    ("name", "first"), [("tie-loser-first", "loser"), ("tie-loser-last", "winner")]
)
def test_a_tie_is_served_in_either_order(name: str, first: str) -> None:
    stage = staged(name)
    served = [one["text"] for one in stage.served() if one["text"] != stage.events["plain"].text]
    assert served[0] == stage.events[first].text


def test_each_script_belongs_to_a_check() -> None:
    checks = [str(check_of(script_named(name))) for name in SCRIPTS]
    assert len(set(checks)) == len(SCRIPTS)


def test_each_clause_about_reading_has_a_script_or_shares_one() -> None:
    without = [
        clause.id for clause in register() if clause.group == "READER" and not scripts_of(clause.id)
    ]
    assert without == ["AP-READER-31"], "it is judged by what was asked over another's script"


@pytest.mark.parametrize(
    ("filter_", "matches"),
    [
        ({"kinds": [30175]}, True),
        ({"kinds": [1]}, False),
        ({"authors": ["00"]}, False),
        ({"#d": ["plain"]}, True),
        ({"#d": ["other"]}, False),
        ({"until": NOW - 61}, False),
        ({"since": NOW - 60, "until": NOW - 60}, True),
        ({}, True),
    ],
)
def test_the_relay_keeps_to_filters(filter_: dict[str, object], matches: bool) -> None:
    (given,) = staged("control").served()
    assert Scripted.read(given).matches(filter_) is matches


def test_what_is_always_served_comes_whatever_is_asked_and_once_a_list() -> None:
    (_, given, _) = staged("stranger").served()
    event = Scripted.read(given)
    assert event.matches({"authors": ["00"], "kinds": [30175]})
    assert not event.matches({"kinds": [5]})
    assert not event.matches({"until": NOW})
