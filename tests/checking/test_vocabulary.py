"""What scenarios are written with beside claims: one check for each value, fixtures filled in."""

from __future__ import annotations

import pytest
from hypothesis import strategies

from nip_ap.scenario import batched, changed, each, examples, fill

EVENT = {"kind": 1, "content": "x", "tags": [["d", "a"]]}


def test_each_value_names_itself_or_is_named():
    values = [{"name": "a tab"}, {"other": 1}, "name", 7]
    marked = each("value", values)
    assert marked.kwargs["ids"] == ["a tab", "{'other': 1}", "name", "7"]
    assert marked.args == ("value", values)
    assert each("value", [1, 2], ids=lambda one: f"no {one}").kwargs["ids"] == ["no 1", "no 2"]


def test_the_tags_of_a_fixture_are_filled_in_and_repeated():
    plain = {"tags": [["d", "{slug}"], ["x"]]}
    assert fill(plain, slug="a") == [["d", "a"], ["x"]]
    repeated = plain | {"repeat_tag": [["t", "{slug}-{n}"], 3]}
    assert fill(repeated, slug="a")[2:] == [["t", "a-0"], ["t", "a-1"], ["t", "a-2"]]


@pytest.mark.parametrize(
    ("change", "made"),
    [
        ({"replace": [1]}, [1]),
        ({"remove": "content"}, {"kind": 1, "tags": [["d", "a"]]}),
        ({"set": {"kind": "{slug}"}}, EVENT | {"kind": "b"}),
        ({"set": {"tags": [["d", "{slug}", 7, None]]}}, EVENT | {"tags": [["d", "b", 7, None]]}),
        ({"set": {"content": "}", "more": "plain"}}, EVENT | {"content": "}", "more": "plain"}),
    ],
    ids=str,
)
def test_an_event_is_changed_as_a_fixture_says(change, made):
    assert changed(EVENT, change, slug="b") == made


@pytest.mark.parametrize(
    ("size", "batches"), [(2, ["ab", "cd", "e"]), (5, ["abcde"]), (9, ["abcde"])]
)
def test_values_come_in_their_order_a_few_at_a_time(size, batches):
    assert ["".join(one) for one in batched("abcde", size)] == batches
    assert list(batched("", size)) == []


def test_examples_are_distinct_and_the_same_for_a_seed():
    found = examples(strategies.integers(0, 9), 5, 7)
    assert len(found) == len(set(found)) == 5
    assert found == examples(strategies.integers(0, 9), 5, 7)
