"""Judgements: each way to end carries its own verdict, and each reason is a sentence."""

from __future__ import annotations

import pytest

from nip_ap.checking.comparison import shown, sides
from nip_ap.model.judgement import (
    Broken,
    Comparison,
    Ending,
    Inconclusive,
    Judgement,
    NotApplicable,
    ScenarioMistake,
    UnmetClaim,
    judged,
)
from nip_ap.model.verdict import BROKEN, MET, NOTABLE, RED, RED_FIRST, UNDECIDED, Verdict
from nip_ap.nostr import Draft, SecretKey
from nip_ap.wire import ConnectionLost, Diverged, NoAnswer, RateLimited, Reading, Unreachable

KEY = SecretKey.derived("judgement")
OLD, NEW = (Draft(30175, at, (("d", "a"),), "{}").signed_by(KEY) for at in (5, 6))
NO_SIDES = Comparison()


def of(error, level="MUST", compared=NO_SIDES):
    return judged(error, level, compared, "the newest write is the head")


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (Broken("this", "that"), (Verdict.FAIL, "expected this; seen that", "this", "that")),
        (UnmetClaim("x", "no x"), (Verdict.FAIL, "expected x; seen no x", "x", "no x")),
        (Inconclusive("no control"), (Verdict.INCONCLUSIVE, "no control", "", "")),
        (NotApplicable("no probe"), (Verdict.NOT_APPLICABLE, "no probe", "", "")),
        (NoAnswer("silence"), (Verdict.INCONCLUSIVE, "silence", "", "")),
        (ScenarioMistake("two"), (Verdict.ERROR, "the scenario is wrong: two", "", "")),
        (Diverged("a {}"), (Verdict.ERROR, "the transcript does not fit: a {}", "", "")),
        (KeyError("x"), (Verdict.ERROR, "KeyError: 'x'", "", "")),
    ],
    ids=repr,
)
def test_an_ending_says_its_own_judgement(error, found):
    assert of(error) == Judgement(*found)


def test_a_claim_that_is_not_met_fails_at_any_level():
    assert of(UnmetClaim("x", "no x"), "MAY").verdict is Verdict.FAIL


def test_what_binds_nobody_is_a_remark():
    found = of(Broken("this", "that"), "MAY")
    assert found == Judgement(Verdict.PASS, "", "this", "that", remark="expected this; seen that")


def test_every_ending_of_the_wire_is_undecided():
    for ending in (NoAnswer, ConnectionLost, Unreachable, RateLimited):
        assert issubclass(ending, Ending)
        assert ending.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("message", "compared", "reason"),
    [
        (
            "assert None == Event(id='ab')",
            sides("==", None, NEW),
            f"expected {shown(NEW)}; seen nothing",
        ),
        (
            "after a deep filter\nassert None == Event(id='ab')",
            sides("==", None, NEW),
            f"after a deep filter: expected {shown(NEW)}; seen nothing",
        ),
        (
            "assert False\n +  where False = is_there()",
            NO_SIDES,
            "expected that the newest write is the head; seen False",
        ),
        (
            "it must be there",
            NO_SIDES,
            "it must be there: expected that the newest write is the head; seen it must be there",
        ),
        ("", NO_SIDES, "expected that the newest write is the head; seen the opposite"),
    ],
)
def test_a_bare_assertion_is_told_as_a_sentence(message, compared, reason):
    found = of(AssertionError(message), compared=compared)
    assert found.verdict is Verdict.FAIL
    assert found.reason == reason
    assert "assert " not in found.reason


def test_two_events_are_told_apart_by_what_differs():
    told = sides("==", OLD, NEW)
    assert told.expected.startswith(f"event {NEW.id[:8]} (kind 30175, created_at 6")
    assert told.seen.endswith("which differs in created_at: 5 against 6")


def test_what_should_have_been_in_an_answer_is_what_was_expected():
    reading = Reading("owner", "ws", (), (OLD,))
    told = sides("in", NEW, reading)
    assert told.expected == f"{shown(NEW)} to be there"
    assert told.seen == f"1 event: {OLD.id[:8]}"
    assert sides("not in", OLD, reading).expected == f"{shown(OLD)} not to be there"


@pytest.mark.parametrize(
    ("relation", "expected"), [("<", "< 500"), ("==", "500"), ("!=", "anything but 500")]
)
def test_other_relations_are_named(relation, expected):
    assert sides(relation, 503, 500) == Comparison(expected, "503")


def test_the_sets_of_verdicts_fit_together():
    assert set(RED) == set(BROKEN) | {Verdict.WARN}
    assert set(NOTABLE) == set(RED) | set(UNDECIDED)
    assert set(RED_FIRST) == set(Verdict)
    assert len(RED_FIRST) == len(Verdict)
    assert not set(UNDECIDED) & (set(RED) | set(MET))
