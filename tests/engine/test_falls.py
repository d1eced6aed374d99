"""A relay that falls silent during a run: told once, by the check since which it is gone."""

from __future__ import annotations

import fcntl
import math

import pytest

from nip_ap.checking import vigil
from nip_ap.checking.vigil import Board
from nip_ap.engine.controller import SuiteController
from nip_ap.engine.preparation import bundled_recipe
from nip_ap.model.fall import Fall
from nip_ap.model.verdict import RunVerdict, Verdict
from nip_ap.targets import UrlTarget, kinds
from tests.checking.stand_in import StandIn, served, well
from tests.running import run_of, settings_of


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(vigil, "LONGEST_SILENCE", 0.5)
    monkeypatch.setattr(vigil.silence_of, "__defaults__", (0.5,))


def test_a_foreign_relay_that_falls_silent_breaks_one_clause_and_the_rest_is_not_run():
    relay = StandIn(well, falls_silent_after=30)
    with served(relay) as url:
        settings = settings_of("REPL", "READ", "AP-ROB-07")
        run = run_of(SuiteController(settings, {"": UrlTarget(url)}))
    assert {clause for clause, one in run.by_clause.items() if one.is_broken} == {"AP-ROB-07"}
    reasons = {one.reason for one in run.results if one.reason.startswith("not run: since AP-")}
    assert len(reasons) == 1
    not_run = [one for one in run.results if one.reason in reasons]
    assert len(not_run) > 20
    assert not any(frame.direction == "sent" for one in not_run for frame in one.frames)
    assert run.verdict is RunVerdict.NOT_CONFORMANT


def test_without_the_robust_clause_the_run_says_since_when_the_relay_is_gone():
    with served(StandIn(well, falls_silent_after=30)) as url:
        run = run_of(SuiteController(settings_of("REPL", "READ"), {"": UrlTarget(url)}))
    assert run.verdict is RunVerdict.INCONCLUSIVE
    assert run.why.startswith("since AP-RE")
    assert "no longer serves" in run.why


def test_a_relay_of_the_suites_own_is_started_again_and_the_run_goes_on():
    settings = settings_of("ROB", "AP-INT-06", "AP-REPL-01")
    recipe = bundled_recipe(settings, "--rogue", "hangs-after-a-fan-out")
    controller = SuiteController(settings, {"": kinds.target_of(recipe)}, recipe=recipe)
    run = run_of(controller)
    assert {clause for clause, one in run.by_clause.items() if one.is_broken} == {"AP-ROB-07"}
    others = [one for one in run.results if "AP-ROB-07" not in one.clauses]
    assert {one.verdict for one in others} <= {Verdict.PASS, Verdict.NOT_APPLICABLE}
    last = run.results[-1]
    assert last.check == "AP-ROB-07/the_relay_serves_to_the_end"
    assert "the suite started another" in last.seen


def test_what_may_hurt_a_relay_runs_after_all_else():
    settings = settings_of("AP-INT-0?", "AP-ROB-0[127]", "AP-SCOPE-01")
    recipe = bundled_recipe(settings)
    target = kinds.target_of(recipe)
    run = run_of(SuiteController(settings, {"": target}, recipe=recipe))
    ran = [one.check for one in run.results]
    hurting = [one for one in ran if one.startswith(("AP-INT-06", "AP-ROB"))]
    assert ran[-len(hurting) :] == hurting
    apart = {one.check for one in run.results if "own relay" in "".join(f.text for f in one.frames)}
    assert apart == set(hurting[:-1])
    assert run.verdict is RunVerdict.CONFORMANT


# -- what workers tell each other ------------------------------------------------------------


def test_of_two_falls_of_one_relay_the_first_counts(tmp_path):
    board = Board(tmp_path)
    first, second = (Fall("", "ws://a", f"AP-{n}", "gone", f"10:00:0{n}") for n in (1, 2))
    board.put(first)
    board.put(second)
    board.put(Fall("other", "ws://b", "AP-3", "gone", "10:00:03"))
    assert board.falls("") == [first]


def is_free(folder, how):
    with next(folder.glob("turn-*")).open("ab") as file:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_who_may_hurt_a_relay_has_it_alone(tmp_path):
    board = Board(tmp_path)
    with board.turn("", alone=False):
        assert is_free(tmp_path, fcntl.LOCK_SH)
        assert not is_free(tmp_path, fcntl.LOCK_EX)
    with board.turn("", alone=True):
        assert not is_free(tmp_path, fcntl.LOCK_SH)
    assert is_free(tmp_path, fcntl.LOCK_EX)


class DropsSomeRequests(StandIn):
    """It leaves a REQ without an answer where a filter names no id at all."""

    def frames(self, text):
        if '"ids":[]' not in text.replace(" ", ""):
            yield from super().frames(text)


@pytest.mark.parametrize(
    ("pace", "verdict"),
    [(0.01, Verdict.WARN), (0.4, Verdict.INCONCLUSIVE), (math.inf, Verdict.INCONCLUSIVE)],
)
def test_silence_is_a_fault_where_the_relay_is_prompt_otherwise(monkeypatch, pace, verdict):
    monkeypatch.setattr(vigil, "pace_of", lambda canary: pace)
    with served(DropsSomeRequests(well)) as url:
        run = run_of(SuiteController(settings_of("AP-ROB-03"), {"": UrlTarget(url)}))
    (result,) = run.results
    assert result.verdict is verdict
    assert "an answer to a REQ with no ids" in result.reason + result.expected
    assert ("too slow at present" in result.reason) is (verdict is Verdict.INCONCLUSIVE)
