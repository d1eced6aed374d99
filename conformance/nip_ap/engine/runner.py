"""`nip-ap run`: pytest in this process with nothing of the user's; listeners hear what it finds."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from nip_ap.engine.controller import SuiteController
from nip_ap.engine.declarations import Declaration, declarations, scenario_files
from nip_ap.engine.forks import Forks, can_fork
from nip_ap.engine.own_scenarios import own_scenarios
from nip_ap.engine.pulse import Pulse
from nip_ap.engine.waits import waits_folder
from nip_ap.model.baseline import Baseline
from nip_ap.model.deadline import Deadline
from nip_ap.model.delivery import Delivery
from nip_ap.model.events import Listener
from nip_ap.model.faults import Fault, UsageFault
from nip_ap.model.recipe import Recipe
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings, selects
from nip_ap.model.verdict import EXIT_CODES
from nip_ap.resources import resource
from nip_ap.targets import kinds
from nip_ap.targets.scratch import everything_temporary_in, vanishing_folder

_MOST_WORKERS = 4
_MOST_FAR_WORKERS = 12
_A_WORKER_MORE = 0.01
"""Seconds of round trip for which one more process pays: what a check computes between answers."""
_NOT_NEEDED = ("-p", "no:unraisableexception", "-p", "no:threadexception")
"""They collect garbage five times, to warn of what a run shows to nobody."""
_BROKEN_OFF = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.INTERRUPTED)


class NothingSelected(UsageFault, ValueError):
    """--only left no check; the message says what there is to choose from."""


class SuiteBroken(Fault, RuntimeError):
    """The scenarios cannot be run; `details` holds what pytest said."""

    def __init__(self, message: str, details: str) -> None:
        """See Fault."""
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Order:
    """One call of `nip-ap run`."""

    settings: Settings
    recipe: Recipe
    delivery: Delivery
    baseline: Baseline | None = None


def run_suite(order: Order, listeners: Sequence[Listener]) -> int:
    """Run, tell the listeners, and give the exit code.

    0 conformant or known failures alone, 1 not conformant, 2 inconclusive. Raises TargetError,
    Unreachable, KeyFileError and NothingSelected for what the user can fix.
    """
    own = own_scenarios(order.settings.scenarios)
    if idle := _certainly_idle(order.settings.only, (*declarations(), *own.declarations)):
        raise NothingSelected(_no_match(idle))
    controller = SuiteController(
        order.settings,
        {"": kinds.target_of(order.recipe)},
        recipe=order.recipe,
        baseline=order.baseline,
        listeners=listeners,
        deadline=Deadline.after(order.delivery.deadline),
    )
    pulse = Pulse(controller.emit, controller.progress, controller.deadline, controller.give_up)
    began = time.monotonic()
    try:
        with pulse.beating():
            controller.prepare()
            workers = _workers(controller, order)
            stops = ("--maxfail", "1") if order.delivery.fail_fast else ()
            assert controller.context is not None
            pulse.notes = waits_folder(controller.context.board)
            text = run_pytest(controller, workers, *stops)
    finally:
        controller.close()
    runs = [run for run in (*controller.runs(), *controller.own_runs()) if run.manifest]
    if not runs:
        raise NothingSelected(_why_nothing_ran(order, text))
    if idle := _idle_patterns(runs):
        raise NothingSelected(_no_match(idle))
    for run in runs:
        controller.finished(run, time.monotonic() - began, workers)
    return next((code for run in runs if (code := EXIT_CODES[run.verdict])), 0)


def _workers(controller: SuiteController, order: Order) -> int:
    """As many as were asked for, or as suit the distance."""
    assert controller.context is not None
    (subject,) = controller.context.subjects
    return worker_count(order.delivery.workers, subject.capabilities.round_trip)


def worker_count(asked: str, round_trip: float = 0.0) -> int:
    """How many processes `-n` means; 1 runs in this one.

    Where answers travel far, processes mostly wait, and `auto` takes more of them.
    """
    if asked == "auto":
        near = min(os.cpu_count() or 1, _MOST_WORKERS)
        return max(near, min(_MOST_FAR_WORKERS, round(round_trip / _A_WORKER_MORE)))
    return max(int(asked), 1)


def run_pytest(
    controller: SuiteController, workers: int, *extra: str, files: Sequence[Path] | None = None
) -> str:
    """Run all scenarios, or some files of them, under a controller; gives what pytest printed.

    No ini file, conftest or plugin of the user's takes part. Raises SuiteBroken where pytest or a
    scenario file does not work at all, and KeyboardInterrupt.
    """
    arguments = [
        *("-c", os.devnull, "--rootdir", str(resource("scenarios"))),
        *("-p", "no:cacheprovider", *_NOT_NEEDED, "-p", "nip_ap.plugin", "-p", "xdist.plugin"),
        *("-q", "--capture=no", "--tb=line", "--nip-ap"),
        *_distribution(controller, workers),
        *extra,
        *_own_conftests_alone(controller),
        *map(str, [*scenario_files(), *controller.own.files] if files is None else files),
    ]
    printed = io.StringIO()
    plugins: list[object] = [controller]
    if _forks(workers):
        plugins.append(Forks(workers))
    with _nothing_of_the_users(), contextlib.redirect_stdout(printed):
        code = pytest.main(arguments, plugins=plugins)
    if controller.is_interrupted:
        raise KeyboardInterrupt
    text = printed.getvalue()
    was_told_to_stop = controller.was_given_up or (
        "--maxfail" in extra and bool(controller.runs()[0].results)
    )
    if code in _BROKEN_OFF and not was_told_to_stop:
        raise SuiteBroken("the checks could not be run to the end", text)
    return text


def _own_conftests_alone(controller: SuiteController) -> tuple[str, ...]:
    """Own scenarios may have a conftest.py beside them; what is above them takes no part."""
    folder = controller.settings.scenarios
    return ("--confcutdir", str(Path(folder).resolve())) if folder else ()


def _forks(workers: int) -> bool:
    return workers > 1 and can_fork()


def _distribution(controller: SuiteController, workers: int) -> tuple[str, ...]:
    """How xdist deals out checks: one at a time where each takes long, so that the order counts."""
    if workers == 1 or _forks(workers):
        return ()
    subjects = controller.context.subjects if controller.context is not None else ()
    if any(one.capabilities.is_far for one in subjects):
        return ("-n", str(workers), "--dist", "load", "--maxschedchunk", "1")
    return ("-n", str(workers), "--dist", "worksteal")


@contextlib.contextmanager
def _nothing_of_the_users() -> Iterator[None]:
    ours = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}
    with vanishing_folder() as folder, everything_temporary_in(folder):
        # Else Hypothesis leaves one where the user stands.
        ours["HYPOTHESIS_STORAGE_DIRECTORY"] = str(folder / "hypothesis")
        before = {name: os.environ.get(name) for name in ours}
        os.environ.update(ours)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _idle_patterns(runs: Sequence[Run]) -> list[str]:
    """What --only names and no check is called: a slip of the pen would leave a gate open."""
    results = [one for run in runs for one in run.results]
    return [
        pattern
        for pattern in runs[0].settings.only
        if not any(selects(pattern, one.clauses, one.check) for one in results)
    ]


def _certainly_idle(only: Sequence[str], checks: Sequence[Declaration]) -> list[str]:
    """What of --only fits no check, whatever its parameters; told before a relay is started."""
    return [one for one in only if not any(_may_select(one, check) for check in checks)]


def _may_select(pattern: str, check: Declaration) -> bool:
    """Whether a glob fits a check, or begins as one of its variants: ID[parameters] does."""
    declared = check.check_id()
    return selects(pattern, check.clauses, declared) or any(
        selects(pattern[:end], (), declared) for end in range(1, len(pattern))
    )


def _no_match(patterns: Sequence[str]) -> str:
    return f"no check matches --only {' '.join(patterns)}; `nip-ap clauses` lists what there is"


def _why_nothing_ran(order: Order, text: str) -> str:
    if order.settings.only:
        return _no_match(order.settings.only)
    return f"no check could be collected:\n{text}"
