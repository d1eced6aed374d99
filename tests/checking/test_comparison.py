"""Values in words: what a reader needs to tell them apart, and no more than fits."""

from __future__ import annotations

import pytest

from nip_ap.checking.comparison import shown, sides
from nip_ap.nostr import Draft, SecretKey

KEY = SecretKey.derived("comparison")


def event(*tags, content="{}"):
    return Draft(30175, 7, tags, content).signed_by(KEY)


def test_an_event_is_told_by_its_kind_date_first_tags_and_content():
    four = event(*((name, "x") for name in "abcd"))
    assert shown(four) == (
        f"event {four.id[:8]} (kind 30175, created_at 7, "
        "tags 'a' 'x', 'b' 'x', 'c' 'x', content '{}')"
    )
    assert ", tags none, " in shown(event())


@pytest.mark.parametrize(("length", "kept"), [(119, 119), (120, 120), (121, 120), (500, 120)])
def test_long_content_is_cut(length, kept):
    assert f"content {'c' * kept!r})" in shown(event(content="c" * length))


@pytest.mark.parametrize("length", [398, 399, 900])
def test_what_is_longer_than_400_characters_is_cut(length):
    text = repr("x" * length)
    assert shown("x" * length) == (text if length == 398 else f"{text[:400]}...")


def test_a_list_tells_its_events_and_other_values_as_they_are():
    one = event()
    assert shown([one, 5]) == f"[{shown(one)}, 5]"
    assert shown((one,)) == f"[{shown(one)}]"
    assert shown([1, None]) == "[1, None]"
    assert shown(None) == "nothing"


def test_events_that_differ_in_nothing_that_counts_differ_in_their_bytes():
    one = event()
    assert sides("==", one, one).seen == f"{shown(one)}, which differs in its bytes alone"


@pytest.mark.parametrize("relation", ["!=", "is"])
def test_only_an_equation_of_events_lists_what_differs(relation):
    assert "which differs" not in sides(relation, event(), event(content="x")).seen


def test_an_event_against_something_else_is_shown_as_it_is():
    assert sides("==", event(), 5).seen == shown(event())
    assert sides("==", 5, event()).seen == "5"
