"""The ledger guard, the differences of twins, and how a check ends in a verdict."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from nip_ap.checking.check import Check, Surface
from nip_ap.checking.evidence import (
    ACCEPTED,
    COUNTED,
    DELIVERED,
    EMPTY,
    REFUSED,
    RETURNED,
    SILENT,
    ZERO,
    Ledger,
    differences,
)
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.clauses import NOVEMBER
from nip_ap.model.judgement import Broken, Inconclusive, NotApplicable, ScenarioMistake
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.model.verdict import Verdict
from nip_ap.nostr import Draft, SecretKey
from nip_ap.wire import ConnectionLost, NoAnswer, RateLimited, Unreachable

TWINS = [(REFUSED, ACCEPTED), (EMPTY, RETURNED), (SILENT, DELIVERED), (ZERO, COUNTED)]
KEY = SecretKey.derived("evidence")
observations = strategies.lists(
    strategies.tuples(
        strategies.sampled_from([one for pair in TWINS for one in pair]),
        strategies.sampled_from(["ws", "http"]),
    )
)


@pytest.mark.parametrize(("negative", "positive"), TWINS)
def test_a_negative_needs_its_own_positive_at_the_same_door(negative, positive):
    ledger = Ledger()
    ledger.observe(negative, "ws")
    ledger.observe(positive, "http")
    assert ledger.uncontrolled() == [f"{negative} at door ws, but never {positive} there"]
    ledger.observe(positive, "ws")
    assert ledger.uncontrolled() == []


def test_what_is_uncontrolled_is_told_in_the_same_order_each_time():
    ledger = Ledger()
    for negative, _ in TWINS[::-1]:
        ledger.observe(negative, "ws")
    told = ledger.uncontrolled()
    assert told == sorted(told)
    assert len(told) == len(TWINS)


@given(observations)
def test_a_negative_without_its_twin_is_never_overlooked(seen):
    ledger = Ledger()
    for what, door in seen:
        ledger.observe(what, door)
    alone = {
        (negative, door)
        for negative, positive in TWINS
        for door in ("ws", "http")
        if (negative, door) in seen and (positive, door) not in seen
    }
    assert len(ledger.uncontrolled()) == len(alone)


# -- differences -----------------------------------------------------------------------------

BASE = Draft(30175, 1_800_000_000, (("d", "a"), ("t", "x")), "{}").signed_by(KEY)


@pytest.mark.parametrize(
    ("change", "respect"),
    [
        ({"kind": 30078}, "kind: 30078 against 30175"),
        ({"created_at": 5}, "created_at: 5 against 1800000000"),
        ({"content": "x" * 200}, "content: "),
        ({"tags": (("d", "b"), ("t", "x"))}, "tag d: ['d','b'] against ['d','a']"),
        ({"tags": (("d", "a"),)}, "tag t: none against ['t','x']"),
        ({"tags": (("d", "a"), ("d", "a"), ("t", "x"))}, "tag d: ['d','a'], ['d','a'] against"),
        ({"tags": (("t", "x"), ("d", "a"))}, "order of the tags"),
    ],
    ids=str,
)
def test_twins_differ_in_the_one_respect_that_was_changed(change, respect):
    (found,) = differences(BASE.resigned(KEY, **change), BASE)
    assert found.startswith(respect)


def test_a_signature_of_its_own_under_the_same_id_is_a_respect():
    assert differences(BASE.altered(sig="0" * 128), BASE) == [
        "sig: another signature under the same id"
    ]


def test_content_altered_under_the_same_id_is_one_respect():
    found = differences(BASE.altered(content="x"), BASE)
    assert found == ["content: 'x' against '{}'"]


def test_an_id_that_is_not_the_hash_is_a_respect():
    (found,) = differences(BASE.altered(id="0" * 64), BASE)
    assert found.startswith("integrity: id is not the hash of the event")


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_wrong_with_either_event_is_told(order):
    pair = [BASE, BASE.altered(id="0" * 64)][::order]
    (found,) = differences(*pair)
    assert found.startswith("integrity: id is not the hash of the event")


def test_two_events_under_wrong_ids_differ_in_no_integrity():
    one, other = (BASE.altered(id=digit * 64) for digit in "01")
    assert differences(one, other) == []


@pytest.mark.parametrize(("length", "is_cut"), [(118, False), (119, True)])
def test_long_values_are_cut_and_their_length_is_told(length, is_cut):
    text = repr("x" * length)
    (found,) = differences(BASE.resigned(KEY, content="x" * length), BASE)
    shown = f"{text[:120]}... ({length + 2} characters)" if is_cut else text
    assert found == f"content: {shown} against '{{}}'"


def test_a_tag_that_one_side_lacks_is_none():
    (found,) = differences(BASE, BASE.resigned(KEY, tags=(("d", "a"),)))
    assert found == "tag t: ['t','x'] against none"


def test_another_author_is_one_respect():
    (found,) = differences(BASE.resigned(SecretKey.derived("other")), BASE)
    assert found.startswith("pubkey: ")


def test_equal_events_differ_in_nothing():
    assert differences(BASE, BASE) == []


def test_two_changes_are_two_respects():
    assert len(differences(BASE.resigned(KEY, kind=1, content="x"), BASE)) == 2


# -- how a check ends ----------------------------------------------------------------------------


@pytest.fixture
def check():
    def make(level="MUST"):
        subject = Subject("", "ws://127.0.0.1:1", Capabilities({}, NOVEMBER, ""))
        surface = Surface(Context(Settings("seed"), (subject,)), None, {})
        return Check("AP-SLUG-02/x", ("AP-SLUG-02",), level, "x", subject, surface)

    return make


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (None, Verdict.PASS),
        (Broken("this", "that"), Verdict.FAIL),
        (AssertionError("assert 1 == 2"), Verdict.FAIL),
        (Inconclusive("no control"), Verdict.INCONCLUSIVE),
        (NotApplicable("no probe"), Verdict.NOT_APPLICABLE),
        (NoAnswer("silence"), Verdict.INCONCLUSIVE),
        (ConnectionLost("gone"), Verdict.INCONCLUSIVE),
        (Unreachable("nowhere"), Verdict.INCONCLUSIVE),
        (RateLimited("slow down"), Verdict.INCONCLUSIVE),
        (ScenarioMistake("two respects"), Verdict.ERROR),
        (KeyError("x"), Verdict.ERROR),
        (RuntimeError("bug"), Verdict.ERROR),
    ],
    ids=repr,
)
def test_how_a_check_ended_decides_its_verdict(check, error, verdict):
    result = check().result(error)
    assert result.verdict is verdict
    assert bool(result.reason) is (error is not None)


def test_a_broken_should_is_a_warning_with_both_sides(check):
    result = check("SHOULD").result(Broken("this", "that"))
    assert (result.verdict, result.expected, result.seen) == (Verdict.WARN, "this", "that")


@pytest.mark.parametrize("level", ["MAY", "INFO"])
def test_what_is_only_observed_passes_with_a_note(check, level):
    result = check(level).result(Broken("this", "that"))
    assert result.verdict is Verdict.PASS
    assert result.notes == ("expected this; seen that",)


def test_a_check_that_passed_on_an_uncontrolled_negative_is_inconclusive(check):
    running = check()
    running.ledger.observe(REFUSED, "ws")
    result = running.result(None)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason == "no positive control: refused at door ws, but never accepted there"


def test_an_uncontrolled_negative_does_not_hide_a_failure(check):
    running = check()
    running.ledger.observe(REFUSED, "ws")
    assert running.result(Broken("this", "that")).verdict is Verdict.FAIL


def test_the_seed_of_a_check_depends_on_run_check_and_repetition(check):
    one, other = check(), check()
    assert one.seed == other.seed
    other.repetition = 1
    assert one.seed != other.seed
    assert one.slug() == check().slug()
    assert one.slug("a") != one.slug("b")
