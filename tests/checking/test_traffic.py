"""Traffic as values: it goes to JSON and back, and one seed gives one plan."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest

from nip_ap.checking import gate_plans, plans
from nip_ap.checking.player import _batches
from nip_ap.checking.sequences import _smaller
from nip_ap.checking.traffic import (
    COUNTS,
    NEARLY,
    STORED,
    Ask,
    Cast,
    Delete,
    Open,
    Race,
    Resend,
    Wanted,
    Write,
    from_json,
    readable,
    to_json,
)
from nip_ap.checking.traffic_generator import SLUGS, Scope, within
from nip_ap.nostr import PERSONA, SecretKey

PLANS = [
    plans.conditions, plans.limits, plans.counts, plans.http, plans.http_counts, plans.at_once,
    plans.live, plans.subscriptions, gate_plans.stored, gate_plans.counts, gate_plans.http,
    gate_plans.live, plans.versions, plans.heads, plans.deletions,
]  # fmt: skip
SCOPE = Scope(surfaces=frozenset((STORED, COUNTS)), searches=True, anonymous_reads=True)


def cast(**values):
    keys = {name: SecretKey.derived("cast", name) for name in "012"}
    return Cast(
        lambda author, draft: draft.signed_by(keys[author]),
        {name: key.pubkey for name, key in keys.items()},
        1_800_000_000,
        "nonce",
        **values,
    )


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.__name__)
def test_a_plan_depends_on_its_seed_alone_and_survives_json(plan):
    steps = plan(Random("a"), SCOPE)
    assert steps == plan(Random("a"), SCOPE)
    assert steps != plan(Random("b"), SCOPE)
    assert from_json(json.loads(json.dumps(to_json(steps, "AP-X/y")))) == steps


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.__name__)
def test_no_request_has_more_filters_than_the_relay_takes(plan):
    scope = replace(SCOPE, most_filters=1)
    steps = within(scope, plan(Random("a"), scope))
    asked = [one for one in steps if isinstance(one, (Ask, Open, Race))]
    assert {len(one.filters) for one in asked} == {1}
    whole = plan(Random("a"), SCOPE)
    assert within(SCOPE, whole) == whole


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.__name__)
def test_more_examples_make_a_longer_plan(plan):
    if plan in (plans.at_once, plans.heads):
        pytest.skip("it asks for each write once")
    assert len(plan(Random("a"), Scope(size=3.0))) > len(plan(Random("a"), Scope()))


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.__name__)
def test_a_plan_names_only_what_was_written_before(plan):
    written = set()
    later = {one.name for one in plan(Random("a"), SCOPE) if isinstance(one, Write)}
    for step in plan(Random("a"), SCOPE):
        if isinstance(step, (Write, Delete)):
            written.add(step.name)
        named = [name for _, name in step.targets] if isinstance(step, Delete) else []
        named += [step.name] if isinstance(step, Resend) else []
        assert set(named) <= written
        if isinstance(step, (Ask, Open)):
            named_ids = {name for wanted in step.filters for name in wanted.ids or ()}
            ids = {name for name in named_ids if not name.startswith("unknown")}
            assert ids <= written | later


def test_the_gate_is_asked_in_every_shape_of_one_and_two_conditions():
    asked = {
        wanted.shape
        for step in gate_plans.stored(Random("a"), SCOPE)
        if isinstance(step, Ask)
        for wanted in step.filters
    }
    assert {"ids", "authors", "#t", "#p", "since", "ids+authors", "authors+limit"} <= asked


def test_slugs_are_slugs_and_stay_apart_behind_a_prefix():
    for made in (cast(), cast(slug_prefix="12345678-")):
        slugs = [made.slug(one) for one in SLUGS]
        assert len(set(slugs)) == len(SLUGS)
        assert max(map(len, slugs)) == 64


def test_a_filter_is_made_of_names():
    made = cast()
    event = made.event(Write("w1", "0", slug="a", age=20, tags=(("t", "x"), ("p", "1"))))
    wanted = Wanted(
        ids=("w1", "unknown"), authors=("0", "unknown"), kinds=(PERSONA,),
        tags=(("d", ("a",)), ("t", ("x",)), ("p", ("1",))), since=20, until=20, limit=3,
    )  # fmt: skip
    found = made.filter(wanted)
    assert found.changed(limit=None).matches(event)
    assert (len(found.ids), len(found.authors), found.limit) == (2, 2, 3)
    assert wanted.shape == "ids+authors+kinds+#d+#t+#p+since+until+limit"


def test_values_of_e_tags_that_differ_in_a_letter_differ_in_the_last_digit():
    one, other = (cast().value("e", word) for word in ("e1", "e2"))
    assert one != other
    assert one[:63] == other[:63]


def test_writes_that_compete_are_not_sent_at_once():
    steps = (Write("w1", "0", slug="a"), Write("w2", "0", slug="b"), Write("w3", "0", slug="a"))
    assert [[one.name for _, one in batch] for batch in _batches(steps)] == [["w1", "w2"], ["w3"]]


def test_steps_are_told_in_numbered_sentences():
    made = cast()
    steps = (Write("w1", "0", slug="a", age=3), Ask("2", STORED, (Wanted(ids=("w1",)),)))
    made.event(steps[0])
    lines = readable(steps, made)
    assert lines[0] == "1. author 0 writes w1: persona under 'a' of 3 s ago, not shared"
    assert lines[1].startswith('2. a stranger asks by REQ: ids [{"ids":["')


@pytest.mark.parametrize(
    "value", [[], {}, {"format": "nip-ap-sequence/1", "steps": [{"step": "dance"}]},
              {"format": "nip-ap-sequence/1", "steps": [{"step": "write"}]}],
)  # fmt: skip
def test_a_file_that_is_no_sequence_is_refused(value):
    with pytest.raises(ValueError, match="sequence"):
        from_json(value)


def test_smaller_sequences_are_smaller():
    steps = plans.conditions(Random("a"), SCOPE)

    class Finding:
        step = 60

    sizes = [len(one) for one, _ in zip(_smaller(steps, Finding), range(60), strict=False)]
    assert sizes
    assert all(size < len(steps) for size in sizes)


def test_odd_values_keep_their_case_their_blanks_and_what_follows_them():
    made = cast()
    tags = (("t", "X"), ("t", " x"), ("t", "x "), ("t", ""), ("t", "x", "y"))
    event = made.event(Write("w1", "0", slug="a", tags=tags))
    values = [tag[1:] for tag in event.tags if tag[0] == "t"]
    x = made.value("t", "x")
    assert [value[0] for value in values][3:] == ["", x]
    assert [value[0].strip() for value in values[1:3]] == [x, x]
    assert values[0][0] != x
    assert values[0][0].lower() == x.lower()
    assert values[4] == (x, made.value("t", "y"))


def test_a_key_that_is_nearly_another_differs_in_its_last_digit():
    near, key = cast().value("p", f"p1{NEARLY}"), cast().value("p", "p1")
    assert near != key
    assert near[:-1] == key[:-1]
