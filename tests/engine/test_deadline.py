"""A run ends, and says how far it is until then: the deadline, the pulse, the line of progress."""

from __future__ import annotations

import io
import threading
from dataclasses import replace

import pytest

from nip_ap.engine import controller as controllers
from nip_ap.engine import pulse
from nip_ap.engine.controller import SuiteController
from nip_ap.engine.pulse import Pulse
from nip_ap.engine.runner import run_pytest
from nip_ap.engine.waits import WaitNote, waits_folder
from nip_ap.engine.watching import Watching
from nip_ap.model.deadline import NEVER, Deadline, OutOfTime
from nip_ap.model.events import CheckFinished, RunGoesOn, RunWaits
from nip_ap.model.faults import UnreachableFault
from nip_ap.model.verdict import RunVerdict, Verdict
from nip_ap.reporting.terminal import Progress
from nip_ap.targets import UrlTarget
from nip_ap.wire import Patience
from tests.checking.stand_in import StandIn, served, well
from tests.running import run_of, settings_of


def controller_of(url, deadline, *listeners):
    return SuiteController(
        settings_of("AP-REPL-01", "AP-READ-01"),
        {"": UrlTarget(url)},
        deadline=deadline,
        listeners=listeners,
    )


# -- the deadline ----------------------------------------------------------------------


def test_a_deadline_goes_to_another_process_as_what_is_left_of_it():
    there = Deadline.from_json(Deadline.after(60).to_json())
    assert 59 < there.left <= 60
    assert there.seconds == 60
    assert Deadline.from_json(NEVER.to_json()) == NEVER


def test_after_the_deadline_nothing_is_sent_or_waited_for():
    patience = Patience(8.0, deadline=Deadline.after(0.01))
    with pytest.raises(OutOfTime, match="broken off: the deadline of the run"):
        patience.rest(5.0, "rate-limited: slow down")
    with pytest.raises(OutOfTime):
        patience.keep_to_the_deadline()


def test_what_a_check_wrote_is_taken_away_after_the_deadline_too():
    patience = Patience(8.0, deadline=Deadline.after(0))
    with patience.beyond_the_deadline():
        patience.keep_to_the_deadline()
    with pytest.raises(OutOfTime):
        patience.keep_to_the_deadline()


def test_no_answer_is_awaited_for_longer_than_the_run_may_take():
    assert Patience(100.0).limit == 100.0
    assert 29 < Patience(100.0, deadline=Deadline.after(30)).limit <= 30


def test_what_has_not_run_by_the_deadline_is_undecided_and_says_why():
    with served(StandIn(well)) as url:
        controller = controller_of(url, Deadline.after(60))
        controller.prepare()
        controller.context = replace(controller.context, deadline=Deadline.after(0))
        run_pytest(controller, 1)
        controller.close()
    (run,) = controller.runs()
    assert run.is_complete
    assert {one.verdict for one in run.results} == {Verdict.INCONCLUSIVE}
    assert {one.reason for one in run.results} == {
        "not run: the deadline of the run: 0 s have passed (--deadline)"
    }
    assert run.verdict is RunVerdict.INCONCLUSIVE
    assert run.why.startswith("the deadline of the run: 0 s have passed (--deadline); ")


def test_a_check_that_is_under_way_is_broken_off(monkeypatch):
    made = Deadline.after(60)

    def pass_by(event):
        if isinstance(event, CheckFinished):
            monkeypatch.setattr(
                Deadline, "left", property(lambda self: -1.0 if self.seconds == 60 else 60.0)
            )

    with served(StandIn(well)) as url:
        controller = controller_of(url, made, pass_by)
        controller.prepare()
        monkeypatch.setattr(Watching, "place", lambda *_, **__: None)
        run_pytest(controller, 1)
        controller.close()
    (run,) = controller.runs()
    first, *others = run.results
    assert first.verdict is Verdict.PASS
    assert {one.reason for one in others} == {f"broken off: {made}"}
    assert {one.verdict for one in others} == {Verdict.INCONCLUSIVE}


def test_a_relay_that_is_not_through_the_preflight_by_then_cannot_be_tested():
    with (
        served(StandIn(well)) as url,
        pytest.raises(UnreachableFault, match="was still being asked what it offers"),
    ):
        controller_of(url, Deadline.after(0)).prepare()


def test_a_run_that_hangs_is_ended_and_what_did_not_run_is_undecided(monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    def hang(event):
        if isinstance(event, CheckFinished):
            controller.give_up()

    monkeypatch.setattr(controllers, "interrupt_the_main_thread", interrupt)
    with served(StandIn(well)) as url:
        controller = controller_of(url, Deadline.after(60), hang)
        run = run_of(controller)
    assert run.is_complete
    verdicts = [one.verdict for one in run.results]
    assert verdicts.count(Verdict.INCONCLUSIVE) == len(verdicts) - 1
    assert "the deadline of the run: 60 s have passed" in run.results[-1].reason
    assert run.verdict is RunVerdict.INCONCLUSIVE


# -- the pulse -------------------------------------------------------------------------


class Heard:
    """A listener, and a run that gives up where it is asked to."""

    def __init__(self):
        self.events = []
        self.came = threading.Event()
        self.gave_up = threading.Event()

    def __call__(self, event):
        self.events.append(event)
        self.came.set()

    def pulse(self, deadline=NEVER):
        return Pulse(self, lambda: "3 of 9 checks", deadline, self.gave_up.set)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(pulse, "_LOOK_EVERY", 0.01)
    monkeypatch.setattr(pulse, "_TELL_EVERY", 0.02)


def test_progress_is_told_where_nothing_is_waited_for(quick):
    heard = Heard()
    with heard.pulse().beating():
        assert heard.came.wait(10)
    assert heard.events[0] == RunGoesOn("3 of 9 checks")
    assert not heard.gave_up.is_set()


def test_a_wait_for_a_rate_limit_is_told_while_it_lasts(quick, tmp_path):
    heard, folder = Heard(), waits_folder(str(tmp_path))
    WaitNote(folder).write("rate-limited: slow down", 30.0)
    beat = heard.pulse()
    beat.notes = folder
    with beat.beating():
        assert heard.came.wait(10)
    assert heard.events[0] == RunWaits("waiting 30 s for a rate limit: rate-limited: slow down")


def test_what_outlives_the_deadline_is_given_up(quick, monkeypatch):
    monkeypatch.setattr(pulse, "GRACE", 0.01)
    heard = Heard()
    with heard.pulse(Deadline.after(0)).beating():
        assert heard.gave_up.wait(10)


# -- the line of progress --------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_has_one_line_that_is_written_over():
    stream = Terminal()
    progress = Progress(stream)
    progress.tell("3 of 9 checks")
    progress.clear()
    assert "\n" not in stream.getvalue()
    assert "3 of 9 checks" in stream.getvalue()


def test_a_pipe_gets_a_line_of_its_own():
    stream = io.StringIO()
    Progress(stream).tell("3 of 9 checks")
    assert stream.getvalue() == "  3 of 9 checks\n"
