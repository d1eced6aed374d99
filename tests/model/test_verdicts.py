"""Verdicts and how they merge: never better than what was seen."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from nip_ap.model.judgement import broken_at
from nip_ap.model.verdict import EXIT_CODES, RunVerdict, Verdict, run_verdict, worst

verdicts = strategies.sampled_from(Verdict)
several = strategies.lists(verdicts, max_size=8)
some = strategies.lists(verdicts, min_size=1, max_size=8)

PASS, NA, WARN = Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.WARN
INCONCLUSIVE, ERROR = Verdict.INCONCLUSIVE, Verdict.ERROR
UNSTABLE, FAIL = Verdict.UNSTABLE, Verdict.FAIL


@pytest.mark.parametrize(
    ("children", "parent"),
    [
        ([PASS], PASS),
        ([NA], NA),
        ([PASS, NA], PASS),
        ([WARN, NA, PASS], WARN),
        ([INCONCLUSIVE, PASS], INCONCLUSIVE),
        ([INCONCLUSIVE, WARN], INCONCLUSIVE),
        ([ERROR, INCONCLUSIVE], ERROR),
        ([UNSTABLE, ERROR], UNSTABLE),
        ([FAIL, UNSTABLE, ERROR, PASS], FAIL),
    ],
    ids=str,
)
def test_a_clause_has_the_worst_verdict_of_its_checks(children, parent):
    assert worst(children) is parent
    assert worst(reversed(children)) is parent


def test_a_clause_without_checks_has_no_verdict():
    with pytest.raises(ValueError, match="nothing to merge"):
        worst([])


@given(some, some)
def test_merging_in_two_steps_gives_the_same(one, other):
    assert worst([worst(one), worst(other)]) is worst(one + other)


@given(some, verdicts)
def test_one_more_verdict_never_hides_a_red_one(found, more):
    if worst(found).is_red:
        assert worst([*found, more]) not in (PASS, NA)


@given(several, strategies.booleans())
def test_a_run_is_conformant_only_if_complete_and_without_doubt(found, complete):
    if run_verdict(found, complete=complete) is RunVerdict.CONFORMANT:
        assert complete
        assert not set(found) & {FAIL, UNSTABLE, INCONCLUSIVE, ERROR}
        assert set(found) & {PASS, WARN}


@given(several, strategies.booleans())
def test_a_run_is_not_conformant_exactly_where_a_must_is_broken_or_unstable(found, complete):
    broken = bool(set(found) & {FAIL, UNSTABLE})
    verdict = run_verdict(found, complete=complete)
    assert (verdict is RunVerdict.NOT_CONFORMANT) is broken


@given(several, verdicts, strategies.booleans())
def test_one_more_result_never_makes_a_run_better_than_it_was(found, more, complete):
    order = [RunVerdict.CONFORMANT, RunVerdict.INCONCLUSIVE, RunVerdict.NOT_CONFORMANT]
    before = run_verdict(found, complete=complete)
    after = run_verdict([*found, more], complete=complete)
    if set(found) & {PASS, WARN}:
        assert order.index(after) >= order.index(before)


@pytest.mark.parametrize("found", [[], [NA], [NA, NA]], ids=str)
def test_a_run_that_judged_nothing_is_inconclusive(found):
    assert run_verdict(found, complete=True) is RunVerdict.INCONCLUSIVE


def test_only_a_run_without_unknown_failures_exits_with_zero():
    green = {verdict for verdict, code in EXIT_CODES.items() if code == 0}
    assert green == {RunVerdict.CONFORMANT, RunVerdict.KNOWN_FAILURES}
    assert set(EXIT_CODES) == set(RunVerdict)


@pytest.mark.parametrize(
    ("level", "verdict"), [("MUST", FAIL), ("SHOULD", WARN), ("MAY", PASS), ("INFO", PASS)]
)
def test_what_a_broken_claim_means_depends_on_the_level(level, verdict):
    assert broken_at(level) is verdict


@pytest.mark.parametrize("verdict", Verdict)
def test_red_is_what_breaks_a_clause(verdict):
    assert verdict.is_red is (verdict in (FAIL, WARN, UNSTABLE))


def test_the_exit_codes_are_those_of_the_documentation():
    assert EXIT_CODES == {
        RunVerdict.CONFORMANT: 0,
        RunVerdict.NOT_CONFORMANT: 1,
        RunVerdict.INCONCLUSIVE: 2,
        RunVerdict.KNOWN_FAILURES: 0,
        RunVerdict.OUTDATED: 1,
    }
