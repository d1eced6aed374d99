"""Filters: `matches` against a naive model, and what goes on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from nip_ap.nostr import Draft, Filter, SecretKey

KEYS = [SecretKey.derived("filters", str(number)) for number in range(3)]
letters = strategies.sampled_from(["a", "b", ""])
small_tags = strategies.lists(
    strategies.tuples(strategies.sampled_from(["d", "t", "tt"]), letters)
    | strategies.tuples(strategies.sampled_from(["d", "t"])),
    max_size=3,
).map(tuple)
small_events = strategies.builds(
    lambda kind, at, tags, key: Draft(kind, at, tags).signed_by(key),
    strategies.sampled_from([1, 30175]),
    strategies.integers(8, 12),
    small_tags,
    strategies.sampled_from(KEYS),
)


def maybe(strategy):
    return strategies.none() | strategy


@strategies.composite
def filters_near(draw, events):
    """Filters whose values are those of the events, so that some match and some do not."""
    some = strategies.lists(strategies.sampled_from(events), max_size=2)
    time = strategies.integers(8, 12)
    return Filter.of(
        ids=draw(maybe(some.map(lambda found: [one.id for one in found]))),
        authors=draw(maybe(some.map(lambda found: [one.pubkey for one in found]))),
        kinds=draw(maybe(some.map(lambda found: [one.kind for one in found]))),
        d=draw(maybe(strategies.lists(letters, max_size=2))),
        tags=draw(
            strategies.just({}) | strategies.lists(letters, max_size=2).map(lambda v: {"t": v})
        ),
        since=draw(maybe(time)),
        until=draw(maybe(time)),
        limit=draw(maybe(strategies.integers(0, 2))),
    )


def naive(wire, event):
    """NIP-01 word by word, over the JSON of both."""
    for name, wanted in wire.items():
        if name in ("ids", "authors", "kinds"):
            field = {"ids": "id", "authors": "pubkey", "kinds": "kind"}[name]
            good = any(event[field] == one for one in wanted)
        elif name == "since":
            good = wanted <= event["created_at"]
        elif name == "until":
            good = event["created_at"] <= wanted
        elif name.startswith("#"):
            values = [tag[1] for tag in event["tags"] if tag[0] == name[1:] and len(tag) >= 2]
            good = bool(set(values) & set(wanted))
        else:
            good = True
        if not good:
            return False
    return True


@given(strategies.data(), strategies.lists(small_events, min_size=1, max_size=6))
def test_a_filter_matches_what_the_naive_model_matches(data, events):
    one = data.draw(filters_near(events))
    assert [one.matches(event) for event in events] == [
        naive(one.to_json(), event.to_json()) for event in events
    ]


def test_conditions_that_are_not_there_are_not_written():
    assert Filter.of().to_json() == {}


def test_an_empty_list_is_written_and_matches_nothing(key):
    wanted = Filter.of(kinds=[])
    assert wanted.to_json() == {"kinds": []}
    assert not wanted.matches(Draft(1, 1).signed_by(key))


def test_every_condition_is_written_under_its_name_of_nip_01():
    wanted = Filter.of(
        ids=["i"], authors=["a"], kinds=[1], d=["d"], tags={"t": ["t"]},
        since=1, until=2, limit=0, search="s", depth_limit=3,
    )  # fmt: skip
    assert wanted.to_json() == {
        "ids": ["i"], "authors": ["a"], "kinds": [1], "#d": ["d"], "#t": ["t"],
        "since": 1, "until": 2, "limit": 0, "search": "s", "depth_limit": 3,
    }  # fmt: skip


@pytest.mark.parametrize(("offset", "inside"), [(-1, False), (0, True), (1, True)])
def test_since_is_inclusive(key, offset, inside):
    assert Filter.of(since=10).matches(Draft(1, 10 + offset).signed_by(key)) is inside


@pytest.mark.parametrize(("offset", "inside"), [(-1, True), (0, True), (1, False)])
def test_until_is_inclusive(key, offset, inside):
    assert Filter.of(until=10).matches(Draft(1, 10 + offset).signed_by(key)) is inside
