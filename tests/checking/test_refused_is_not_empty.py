"""A refusal is not an empty answer, and what is no event is not silence: whole runs on stand-ins.

No verdict on any of them is the suite's own fault, and none blames a clause for what another broke.
"""

from __future__ import annotations

import pytest

from nip_ap.engine.controller import SuiteController
from nip_ap.model.run import Run
from nip_ap.model.verdict import RunVerdict, Verdict
from nip_ap.targets import UrlTarget
from tests.checking.stand_in import StandIn, nothing, refused, served, tags_as_text
from tests.running import run_of, settings_of

GROUPS = ("SLUG", "ENV", "REPL", "GATE", "DEL", "READ", "INT", "SCOPE", "AUTH", "HTTP", "AP-ROB-0?")


def run_on(relay: StandIn, only=GROUPS, spec="2026-11") -> Run:
    with served(relay) as url:
        settings = settings_of(*only, spec=spec, examples=3)
        return run_of(SuiteController(settings, {"": UrlTarget(url)}))


def faults(run: Run):
    return {one.check: one.reason for one in run.results if one.verdict is Verdict.ERROR}


def red(run: Run):
    return {one.check: one.reason for one in run.results if one.verdict.is_red}


@pytest.mark.slow
@pytest.mark.parametrize("reads", [nothing, refused, tags_as_text])
@pytest.mark.parametrize("bodies", ["JSON", "text"])
def test_no_relay_makes_the_suite_itself_go_wrong(reads, bodies):
    run = run_on(StandIn(reads, bodies_are_text=bodies == "text"))
    assert faults(run) == {}
    assert not [one for one in red(run).values() if "assert " in one or one.count("Event(") > 0]


def test_a_refused_read_makes_claims_undecided_and_is_quoted():
    run = run_on(StandIn(refused), only=("AP-REPL-01", "AP-REPL-04", "AP-REPL-09", "AP-READ-0?"))
    assert red(run) == {}
    undecided = [one.reason for one in run.results if one.verdict is Verdict.INCONCLUSIVE]
    assert undecided
    quoted = [one for one in undecided if "blocked: this relay is not for reading" in one]
    assert quoted == undecided


def test_an_empty_answer_is_still_held_against_the_relay():
    run = run_on(StandIn(nothing), only=("AP-REPL-04",))
    assert red(run)
    assert run.verdict is RunVerdict.NOT_CONFORMANT


def test_a_preflight_that_may_not_read_what_it_wrote_stops_and_shows_the_frame():
    run = run_on(StandIn(refused, spares_the_preflight=False), only=("AP-REPL-0?",))
    assert {one.verdict for one in run.results} == {Verdict.INCONCLUSIVE}
    assert "blocked: this relay is not for reading" in run.subject.capabilities.silence


def test_what_is_no_event_is_one_finding_and_breaks_one_clause():
    relay = StandIn(tags_as_text, spares_the_preflight=False)
    run = run_on(relay, only=("AP-ENV-08", "AP-REPL-0?", "AP-READ-0?"))
    (finding,) = [one for one in run.subject.capabilities.contradictions if "not an event" in one]
    assert "`tags` must be an array" in finding
    assert {check.partition("/")[0] for check in red(run)} == {"AP-ENV-08"}
    assert all("not an event" in reason for reason in red(run).values())
