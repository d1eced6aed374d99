"""The register, the scenarios and the rogues fit together."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from nip_ap.engine.declarations import ScenarioError, declarations
from nip_ap.model import clauses as clauses_module
from nip_ap.model.clauses import REVISIONS, RegisterError, register
from nip_ap.proof.catalogue import catalogue
from nip_ap.proof.matrix import unproven_clauses
from nip_ap.proof.role import role_named, role_names
from nip_ap.resources import data, resource
from nip_ap_relay.policy import Policy
from nip_ap_relay.rogues import ANYTHING, DEVIATION, GENERAL, NOISE, ROGUES, UNSTABLE, rogue

CLAUSES = list(register())
CLIENTS = ("MIG", "PIN", "READER", "WRITER")
"""Groups about the client's half; rogue migrators and readers prove them (tests/client)."""
SNAPSHOT = Path(__file__).with_name("clause_ids.txt")


def test_the_clause_ids_are_those_of_the_snapshot():
    """An id never changes once released: add new ones to clause_ids.txt, remove none."""
    assert [clause.id for clause in CLAUSES] == SNAPSHOT.read_text().split()


def test_clause_ids_are_unique_and_of_one_form():
    assert [one for one, n in Counter(clause.id for clause in CLAUSES).items() if n > 1] == []
    assert [c.id for c in CLAUSES if not re.fullmatch(r"AP-[A-Z]+-[0-9]{2}", c.id)] == []


def test_every_clause_says_what_it_demands_and_where_that_comes_from():
    assert [c.id for c in CLAUSES if not (c.title and c.text and c.source)] == []


def test_a_level_that_differs_by_revision_names_revisions_that_exist():
    assert [c.id for c in CLAUSES if not set(c.level_in) <= set(REVISIONS)] == []


def test_every_clause_of_a_scenario_is_in_the_register():
    named = {clause for one in declarations() for clause in one.clauses}
    assert [one for one in sorted(named) if one not in register()] == []


def test_every_clause_has_a_check_or_says_why_it_has_none():
    entries = catalogue()
    silent = [e["id"] for e in entries if not (e["checks"] or e.get("reason"))]
    assert silent == []


def test_a_clause_with_checks_is_not_excused():
    judged = {clause for one in declarations() for clause in one.clauses}
    both = [c.id for c in CLAUSES if c.id in judged and c.reason]
    assert both == []


def test_every_must_and_should_with_a_check_has_a_rogue_or_a_reason_for_none():
    assert [one for name in role_names() for one in unproven_clauses(role_named(name))] == []


def test_every_clause_that_a_rogue_names_is_in_the_register():
    named = {clause for one in ROGUES.values() for clause in one.turns_red | one.blinds}
    assert sorted(clause for clause in named - {ANYTHING} if clause not in register()) == []


@pytest.mark.parametrize("name", ROGUES)
def test_a_rogue_says_what_it_did_wrong_in_a_sentence(name):
    one = ROGUES[name]
    assert re.fullmatch(r"[A-Z\"`(].{15,}[.]", one.because)
    assert one.kind in (DEVIATION, GENERAL, NOISE, UNSTABLE)


@pytest.mark.parametrize("name", [one.name for one in ROGUES.values() if one.kind == DEVIATION])
def test_a_deviation_declares_what_it_turns_red(name):
    assert ROGUES[name].turns_red
    assert not ROGUES[name].turns_red & ROGUES[name].blinds


def test_two_rogues_cannot_share_a_name():
    with pytest.raises(ValueError, match="two rogues are named accepts-everything"):
        rogue("accepts-everything", because="x")(Policy)


def test_there_are_at_least_as_many_rogues_as_clauses_to_prove():
    judged = {clause for one in declarations() for clause in one.clauses}
    to_prove = [
        clause
        for clause in CLAUSES
        if clause.id in judged
        and clause.level in ("MUST", "SHOULD")
        and clause.group not in CLIENTS
        and not clause.no_rogue
    ]
    assert len([one for one in ROGUES.values() if one.kind == DEVIATION]) >= len(to_prove)


def test_no_two_checks_have_one_id():
    ids = Counter(one.check_id() for one in declarations())
    assert [one for one, n in ids.items() if n > 1] == []


def test_the_catalogue_lists_what_issue_2_promises():
    promised = {"id", "level", "revisions", "needs", "text", "source", "checks", "rogues"}
    assert [e["id"] for e in catalogue() if not promised <= set(e)] == []


# -- mistakes are explained --------------------------------------------------------------------


@pytest.fixture
def scenario(tmp_path):
    def write(source):
        (tmp_path / "test_it.py").write_text(source)
        return tmp_path

    return write


HEAD = "from nip_ap.scenario import clause\n"


@pytest.mark.parametrize(
    ("source", "lesson"),
    [
        (HEAD + "def test_it():\n    pass\n", '2: test_it names no clause; put @clause("AP-...")'),
        (HEAD + "@clause()\ndef test_it(owner):\n    pass\n", "names no clause"),
        ("import time\n", "line 1 imports time, and a scenario must not wait: publish a fence"),
        ("from time import sleep\n", "line 1 imports time"),
        ("import asyncio, json\n", "line 1 imports asyncio"),
        ("from threading import Event\n", "line 1 imports threading"),
        ("import select\n", "line 1 imports select"),
        ("def helper():\n    import time\n", "line 2 imports time"),
    ],
)  # fmt: skip
def test_a_scenario_of_the_wrong_form_is_told_what_to_do(scenario, source, lesson):
    folder = scenario(source)
    with pytest.raises(ScenarioError) as caught:
        declarations(folder)
    assert lesson in str(caught.value)
    assert "test_it.py" in str(caught.value)


def test_a_helper_of_a_scenario_file_needs_no_clause(scenario):
    source = HEAD + 'def helper():\n    pass\n\n@clause("AP-SLUG-02")\ndef test_it():\n    pass\n'
    (one,) = declarations(scenario(source))
    assert (one.name, one.clauses, one.check_id("ws")) == (
        "it",
        ("AP-SLUG-02",),
        "AP-SLUG-02/it[ws]",
    )


GOOD = {"id": "AP-X-01", "title": "t", "text": "x", "level": "MUST", "source": "s"}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"level": "SHALL"}, "AP-X-01: .*SHALL.* has a level that does not exist"),
        ({"level_in": {"2026-06": "SHALL"}}, "AP-X-01: .*SHALL"),
        ({"revisions": []}, "AP-X-01: revisions must be some of 2026-06, 2026-07, 2026-11"),
        ({"revisions": ["2027-01"]}, "AP-X-01: revisions must be some of"),
        ({"titel": "t"}, "AP-X-01: .*titel"),
    ],
    ids=str,
)
def test_an_entry_that_is_no_clause_is_named(change, text):
    with pytest.raises(RegisterError, match=text):
        clauses_module._clause({**GOOD, "revisions": ["2026-06"], **change})


# -- resources ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["scenarios", "fixtures/clauses/", "reports/report.schema.json"])
def test_resources_are_found(name):
    assert resource(name).exists()


def test_a_missing_resource_is_named_with_the_places_looked_at():
    with pytest.raises(FileNotFoundError, match=r"nothing-here is part of .* not at .* or "):
        resource("nothing-here")


@pytest.mark.parametrize("name", ["slugs", "envelopes", "contents", "malformed", "vectors"])
def test_the_fixtures_can_be_read(name):
    assert data(name)


def test_named_fixtures_have_names_of_their_own():
    for name in ("envelopes", "contents", "malformed"):
        entries = data(name)
        lists = [entries] if isinstance(entries, list) else entries.values()
        for one in lists:
            names = [entry["name"] for entry in one if isinstance(entry, dict)]
            assert len(names) == len(set(names))


def test_no_two_checks_are_one_function_name():
    """pytest names items of files outside its root by the function alone."""
    names = Counter(one.function for one in declarations())
    assert [one for one, n in names.items() if n > 1] == []
