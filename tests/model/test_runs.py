"""A run as a value: what it is missing, what it says, and how repetitions fold."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, strategies

from nip_ap.model.capabilities import NO, UNKNOWN, YES, Capabilities, Capability
from nip_ap.model.clauses import NOVEMBER, Clause, register
from nip_ap.model.deadline import DEADLINE
from nip_ap.model.frame import Frame
from nip_ap.model.judgement import Control, Inconclusive, NotApplicable, ScenarioMistake
from nip_ap.model.result import Result, level_of, settled
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.model.verdict import RunVerdict, Verdict


def capabilities(**offered):
    found = {name: Capability(name, value, "as probed") for name, value in offered.items()}
    return Capabilities(found, NOVEMBER, "for a test")


def subject(**offered):
    return Subject("", "ws://127.0.0.1:1", capabilities(**offered))


def result(check="AP-SLUG-02/x", verdict=Verdict.PASS, **more):
    return Result(check, (check.partition("/")[0],), verdict, **more)


def run_of(manifest, results, **settings):
    return Run(subject(), Settings("seed", **settings), tuple(manifest), tuple(results))


A, B = "AP-SLUG-02/a", "AP-SLUG-03/b"


def test_a_complete_run_of_passes_is_conformant():
    run = run_of([A, B], [result(A), result(B)])
    assert (run.verdict, run.missing, run.surplus) == (RunVerdict.CONFORMANT, (), ())
    assert run.why == "all 2 applicable checks hold"


def test_a_check_that_gave_no_result_makes_the_run_inconclusive():
    run = run_of([A, B], [result(A)])
    assert (run.verdict, run.missing) == (RunVerdict.INCONCLUSIVE, (B,))
    assert "1 check of the manifest did not run" in run.why


def test_a_check_that_ran_twice_makes_the_run_inconclusive():
    run = run_of([A], [result(A), result(A)])
    assert (run.verdict, run.surplus) == (RunVerdict.INCONCLUSIVE, (A,))
    assert "1 ran more than once" in run.why


def test_a_result_that_nobody_asked_for_makes_the_run_inconclusive():
    assert run_of([A], [result(A), result(B)]).verdict is RunVerdict.INCONCLUSIVE


def test_an_empty_run_is_not_conformant():
    run = run_of([], [])
    assert (run.is_complete, run.verdict) == (False, RunVerdict.INCONCLUSIVE)
    assert run.why == "no check ran"


def test_a_run_of_inapplicable_checks_says_so():
    run = run_of([A], [result(A, Verdict.NOT_APPLICABLE)])
    assert (run.verdict, run.why) == (
        RunVerdict.INCONCLUSIVE,
        "no check applied to this relay",
    )


@pytest.mark.parametrize(
    ("strict", "verdict", "why"),
    [
        (False, RunVerdict.CONFORMANT, "all 2 applicable checks hold, 1 with a warning"),
        (True, RunVerdict.NOT_CONFORMANT, "1 clause broken: AP-SLUG-02"),
    ],
)
def test_strict_takes_a_warning_for_a_failure_and_names_it(strict, verdict, why):
    run = run_of([A, B], [result(A, Verdict.WARN), result(B)], strict=strict)
    assert (run.verdict, run.why) == (verdict, why)


def test_the_broken_clauses_are_named():
    run = run_of([A, B], [result(A, Verdict.FAIL), result(B, Verdict.UNSTABLE)])
    assert run.why == "2 clauses broken: AP-SLUG-02, AP-SLUG-03"


def test_a_relay_that_is_silent_is_named_as_the_reason():
    silent = Capabilities({}, NOVEMBER, "", answers=False, silence="no OK came")
    run = Run(
        Subject("", "ws://x", silent), Settings("s"), (A,), (result(A, Verdict.INCONCLUSIVE),)
    )
    assert run.why == "the relay did not answer: no OK came"


def test_only_a_run_of_every_check_of_the_suite_is_whole():
    whole = run_of([A], [result(A)])
    assert (whole.is_whole, whole.part) == (True, "")
    part = replace(whole, left_out=2)
    assert (part.is_whole, part.part) == (False, "1 of 3 checks")
    assert not run_of([A, B], [result(A)]).is_whole
    assert not replace(run_of([A, B], [result(A)]), left_out=2).is_whole


def test_a_part_of_a_run_says_so_in_its_reason_unless_nothing_ran():
    part = replace(run_of([A], [result(A)]), left_out=2)
    assert part.why == "all 1 applicable checks hold (1 of 3 checks)"
    assert replace(run_of([], []), left_out=2).why == "no check ran"


def test_a_run_that_asked_for_nothing_is_incomplete_whatever_came():
    assert not run_of([], [result(A)]).is_complete


def test_each_claim_is_met_by_what_was_found_or_by_what_the_user_gave():
    given = Subject("", "ws://x", capabilities(count=YES, search=NO), abilities=("restart",))
    asked = Settings("s", claims=("count", "search", "restart", "reader"))
    run = Run(given, asked, (A,), (result(A),))
    assert run.unmet_claims == ("search", "reader")
    assert run.verdict is RunVerdict.NOT_CONFORMANT
    assert run.why == "claimed and not found: search, reader"
    broken = replace(run, results=(result(A, Verdict.FAIL),))
    assert broken.why == "1 clause broken: AP-SLUG-02; claimed and not found: search, reader"


def test_a_claim_about_a_relay_that_is_silent_is_undecided():
    silent = Capabilities({}, NOVEMBER, "", answers=False, silence="no OK came")
    asked = Settings("s", claims=("reader",))
    results = (result(A, Verdict.INCONCLUSIVE),)
    run = Run(Subject("", "ws://x", silent), asked, (A,), results)
    assert run.verdict is RunVerdict.INCONCLUSIVE


def test_what_left_checks_undecided_is_told_once_and_the_first_fall_alone():
    falls = [{"fall": f"since {one} it is gone"} for one in (A, B)]
    late = {DEADLINE: "the deadline of the run: 5 s have passed"}
    facts = [*falls, late, late]
    names = [f"AP-SLUG-02/{number}" for number in range(len(facts) + 1)]
    results = [
        result(name, Verdict.INCONCLUSIVE, facts=fact)
        for name, fact in zip(names, facts, strict=False)
    ]
    run = run_of(names, [*results, result(names[-1])])
    assert run.falls == (f"since {A} it is gone", f"since {B} it is gone")
    assert run.why == (
        f"since {A} it is gone; the deadline of the run: 5 s have passed; 4 checks undecided"
    )


def test_one_undecided_check_is_one():
    run = run_of([A, B], [result(A, Verdict.ERROR), result(B)])
    assert run.why == "1 check undecided"


def test_what_ran_twice_is_told_where_nothing_is_missing():
    run = run_of([A], [result(A), result(A)])
    assert run.why == "0 checks of the manifest did not run and 1 ran more than once"


@given(
    strategies.lists(strategies.sampled_from([A, B]), max_size=3, unique=True),
    strategies.lists(
        strategies.builds(
            result, strategies.sampled_from([A, B]), strategies.sampled_from(Verdict)
        ),
        max_size=4,
    ),
)
def test_a_run_is_conformant_only_if_each_check_ran_exactly_once(manifest, results):
    run = run_of(manifest, results)
    if run.verdict is RunVerdict.CONFORMANT:
        assert sorted(one.check for one in results) == sorted(manifest)


# -- repetitions -------------------------------------------------------------------------


def test_repetitions_that_agree_fold_into_one():
    (folded,) = settled([result(repetition=0), result(repetition=1)])
    assert folded.verdict is Verdict.PASS


def test_repetitions_that_differ_are_unstable_and_keep_both_transcripts():
    good = [result(repetition=n, frames=(Frame(0, "o", "ws", "sent", f"g{n}"),)) for n in range(4)]
    bad = result(
        verdict=Verdict.FAIL,
        repetition=4,
        expected="no",
        seen="yes",
        frames=(Frame(0, "o", "ws", "sent", "bad"),),
    )
    (folded,) = settled([*good, bad])
    assert folded.verdict is Verdict.UNSTABLE
    assert "4 x pass" in folded.reason
    assert "1 x fail" in folded.reason
    assert (folded.expected, folded.seen) == ("no", "yes")
    assert [frame.text for frame in folded.frames] == [
        "repetition 1: pass", "g0", "repetition 5: fail", "bad",
    ]  # fmt: skip


def test_the_same_check_of_two_relays_is_not_folded():
    folded = settled([result(subject="a"), result(subject="b", verdict=Verdict.FAIL)])
    assert [one.verdict for one in folded] == [Verdict.PASS, Verdict.FAIL]


# -- travelling to other processes -----------------------------------------------------------


def test_a_result_survives_the_trip_from_a_worker():
    before = result(
        controls=(Control("refused", "accepted", "tag d"),),
        notes=("a note",),
        facts={"n": 1},
        frames=(Frame(0.5, "owner", "ws", "sent", "[]"),),
        seconds=1.5,
    )
    assert Result.from_json(json.loads(json.dumps(before.to_json()))) == before


def test_a_context_survives_the_trip_to_a_worker():
    settings = Settings("seed", only=("SLUG", "AP-INT-*"), repeat=3, keys="a path")
    before = Context(settings, (subject(auth=YES, count=NO),))
    assert Context.from_json(json.loads(json.dumps(before.to_json()))) == before


# -- what is run at all ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("globs", "selected"),
    [
        ((), True),
        (("SLUG",), True),
        (("slug",), True),
        (("AP-SLUG-02",), True),
        (("ap-slug-*",), True),
        (("AP-SLUG-02/an_empty*",), True),
        (("*empty*",), True),
        (("AP-SLUG-02/an_empty_slug[[]ws]",), True),
        (("AP-SLUG-02/an_empty_slug[[]http]",), False),
        (("AP-SLUG-0",), False),
        (("INT",), False),
        (("INT", "SLUG"), True),
        (("nothing-here",), False),
    ],
    ids=str,
)
def test_only_selects_by_group_clause_and_check(globs, selected):
    settings = Settings("seed", only=globs)
    assert settings.selects(("AP-SLUG-02",), "AP-SLUG-02/an_empty_slug[ws]") is selected


def test_a_check_of_two_clauses_is_selected_by_either():
    assert Settings("s", only=("AP-INT-01",)).selects(("AP-SLUG-02", "AP-INT-01"), "x")


# -- what applies -------------------------------------------------------------------------------


def clause(**more):
    return Clause("AP-SLUG-02", "t", "x", "MUST", (NOVEMBER,), "s", **more)


@pytest.mark.parametrize(
    ("offered", "error", "text"),
    [
        (YES, None, ""),
        (NO, NotApplicable, "the relay does not offer count: as probed"),
        (UNKNOWN, Inconclusive, "whether the relay offers count is unknown: as probed"),
    ],
)
def test_a_need_is_decided_by_the_probe(offered, error, text):
    relay = subject(count=offered)
    if error is None:
        assert relay.require(clause(), ["count"]) is None
    else:
        with pytest.raises(error, match=text):
            relay.require(clause(), ["count"])


def test_a_clause_of_another_revision_does_not_apply():
    june_only = Clause("AP-X-01", "t", "x", "MUST", ("2026-06",), "s")
    with pytest.raises(NotApplicable, match="not part of revision 2026-11"):
        subject().require(june_only, ())


def test_a_need_that_nothing_is_called_is_a_mistake_of_the_scenario():
    with pytest.raises(ScenarioMistake, match="'cuont'"):
        subject().require(clause(), ["cuont"])


def test_nothing_applies_to_a_relay_that_did_not_answer():
    silent = Capabilities({}, NOVEMBER, "", answers=False, silence="no OK came")
    with pytest.raises(Inconclusive, match="no OK came"):
        Subject("", "ws://x", silent).require(clause(), ())


def test_a_claim_of_nip_11_that_the_probe_refutes_is_a_finding():
    refuted = Capability("count", NO, "COUNT was refused", claimed=True)
    kept = Capability("auth", YES, "answered", claimed=True)
    unclaimed = Capability("search", NO, "nothing found", claimed=False)
    found = {one.name: one for one in (refuted, kept, unclaimed)}
    assert Capabilities(found, NOVEMBER, "").contradictions == [
        "NIP-11 claims count, but COUNT was refused"
    ]


def test_a_check_of_two_clauses_has_the_stricter_level():
    by_level = {level: one.id for one in register() for level in [one.level_for(NOVEMBER)]}
    assert level_of([by_level["SHOULD"], by_level["MUST"]], register(), NOVEMBER) == "MUST"
