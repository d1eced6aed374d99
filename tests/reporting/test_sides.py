"""Expected and seen on a page: what differs is marked, steps are a list, a relay adds nothing."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from nip_ap.reporting.sides import listed, marked


def test_what_differs_between_two_events_is_marked_on_both_sides():
    expected, seen = marked(
        "event 1aa2 (kind 30175, created_at 5, content 'version 2')",
        "event 3bb4 (kind 30175, created_at 5, content 'version 1'), which differs in content: x",
    )
    assert expected == (
        "event <mark>1aa2</mark> (kind 30175, created_at 5, content &#39;version <mark>2</mark>"
        "&#39;)"
    )
    assert "<mark>3bb4</mark> (kind 30175, created_at 5" in seen
    assert seen.endswith(", which differs in content: x"), "the words stay, without marks"


@pytest.mark.parametrize(
    ("expected", "seen"), [("event a1 not to be delivered", "its live delivery"), ("", "x y")]
)
def test_two_different_sentences_have_no_marks(expected, seen):
    assert marked(expected, seen) == (expected, seen)


def test_what_a_relay_says_stays_text():
    for side in marked("a refusal of <mark>", "a refusal of <script>1. x; 2. y</script>"):
        assert "<script" not in listed(side)
        assert "&lt;" in side


def test_numbered_steps_are_a_list():
    text = Markup("another head, after these steps: 1. it writes a; 2. it writes b, or c")
    assert listed(text) == (
        "another head, after these steps<ol><li>it writes a</li><li>it writes b, or c</li></ol>"
    )


@pytest.mark.parametrize("text", ["1. alone", "version 1. 2. 4. of these", "event 2. x; 1. y"])
def test_other_numbers_are_no_list(text):
    assert listed(Markup(text)) == text
