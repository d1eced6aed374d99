"""Covering arrays, and the hidden personas and contents that the gate is asked about."""

import json
from itertools import combinations
from random import Random

import pytest

from nip_ap.checking.contents import EMPTY, FOREIGN, KINDS, OBJECT, content_of
from nip_ap.checking.covering import covering_rows
from nip_ap.checking.gate_rows import live_rows, request_of, short_rows, stored_rows
from nip_ap.checking.hidden_personas import hidden_personas
from nip_ap.checking.traffic import Write

DIMENSIONS = {"size": (1, 2, 3), "colour": ("red", "blue"), "shape": ("a", "b", "c", "d")}


def persona(**values):
    return Write(**{"name": f"w-{values['slug']}", "author": "0", **values})


def test_every_two_values_of_different_dimensions_meet():
    rows = covering_rows(DIMENSIONS, Random("a"))
    for one, other in combinations(DIMENSIONS, 2):
        met = {(row[one], row[other]) for row in rows}
        assert met == {(a, b) for a in DIMENSIONS[one] for b in DIMENSIONS[other]}


def test_rows_are_few_and_depend_on_the_seed_alone():
    rows = covering_rows(DIMENSIONS, Random("a"))
    assert rows == covering_rows(DIMENSIONS, Random("a"))
    assert rows != covering_rows(DIMENSIONS, Random("b"))
    assert 12 <= len(rows) <= 18


@pytest.mark.parametrize("kind", KINDS)
def test_a_content_holds_its_word_and_is_as_long_as_wanted(kind):
    made = content_of(kind, "word", 5_000)
    assert (made == "") if kind == EMPTY else ("word" in made and len(made) >= 5_000)


def test_only_some_contents_can_be_read_as_json():
    def is_json(text):
        try:
            json.loads(text)
        except ValueError:
            return False
        return True

    assert [kind for kind in KINDS if is_json(content_of(kind, "w"))] == [
        OBJECT, "bare", "array", FOREIGN,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="not a kind of content"):
        content_of("unheard of", "w")


def test_hidden_personas_are_hidden_and_no_larger_than_the_relay_takes():
    every, small = (hidden_personas(persona, largest) for largest in (100_000, 2_000))
    assert not any(one.shared for one in every)
    assert {one.content for one in every} == set(KINDS)
    assert max(one.size for one in every) == 20_000
    assert max(one.size for one in small) == 1_500
    assert len({one.slug for one in every}) == len(every)


def test_a_request_keeps_to_the_filters_that_a_relay_takes_and_still_asks_for_what_is_hidden():
    hidden = hidden_personas(persona, 2_000)
    random = Random("a")
    for row in stored_rows(len(hidden), ("1", "anonymous"), random):
        for most in (1, 2, 5):
            made = request_of(row, hidden[row["target"]], hidden, most, random)
            assert 1 <= len(made) <= most
            assert any(one.kinds == row["kinds"] for one in made)


def test_dear_doors_and_subscriptions_get_fewer_rows():
    random = Random("a")
    many = len(stored_rows(30, ("1", "2"), random))
    assert len(short_rows(30, ("1", "2"), random)) < many
    assert len(live_rows(random)) < many
