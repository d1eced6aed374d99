"""The controller of `pytest --nip-ap`: a guest in a session whose output is pytest's own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nip_ap.engine.controller import SuiteController
from nip_ap.engine.keys import baseline_at
from nip_ap.engine.likeness import held_to
from nip_ap.engine.own_scenarios import own_scenarios
from nip_ap.engine.preparation import recipe_for
from nip_ap.model.configuration import ConfigurationFault, configuration_in, merged
from nip_ap.model.deadline import Deadline
from nip_ap.model.delivery import Delivery
from nip_ap.model.faults import UsageFault
from nip_ap.model.option_table import option_table
from nip_ap.model.options import filled
from nip_ap.model.run import Run
from nip_ap.model.seed import salted
from nip_ap.model.settings import Settings
from nip_ap.model.target_options import OPTIONS as TARGET_OPTIONS
from nip_ap.model.verdict import EXIT_CODES, Verdict
from nip_ap.reporting.legible import harmless_line
from nip_ap.reporting.listeners import FilesListener
from nip_ap.targets import TargetError, kinds

_BROKEN = pytest.ExitCode.INTERNAL_ERROR


class GuestController(SuiteController):
    """Says in pytest's header, summary and exit status what the suite found."""

    @classmethod
    def from_options(cls, given: Mapping[str, Any]) -> GuestController:
        """The controller that options ask for, given by key, or the configuration of the folder."""
        try:
            given = merged(given, configuration_in(Path.cwd(), option_table()))
        except ConfigurationFault as error:
            raise pytest.UsageError(str(error)) from None
        settings = filled(Settings, given, seed=salted(given["seed"]))
        delivery = filled(Delivery, given)
        try:
            settings = held_to(settings, delivery.like)
            known = own_scenarios(settings.scenarios).known
            recipe = recipe_for({one.key: given[one.key] for one in TARGET_OPTIONS}, settings)
            return cls(
                settings,
                {"": kinds.target_of(recipe)},
                recipe=recipe,
                baseline=baseline_at(delivery.baseline, known),
                deadline=Deadline.after(delivery.deadline),
                listeners=() if delivery.out is None else (FilesListener(delivery.out),),
            )
        except (TargetError, UsageFault) as error:
            raise pytest.UsageError(str(error)) from None

    def pytest_report_header(self) -> list[str]:
        """What is tested, for pytest's own header."""
        if self.context is None:
            return []
        return [
            f"nip-ap: {subject.url}, revision {subject.capabilities.spec} "
            f"({subject.capabilities.spec_reason}), seed {self.settings.seed}"
            for subject in self.context.subjects
        ]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the listeners; a run that is not conformant is not a success."""
        config = session.config
        if not _has_run(config) or session.exitstatus == _BROKEN:
            return
        runs = self._told_runs()
        workers = len(config.getoption("tx", None) or ()) or 1
        for run in runs:
            self.finished(run, time.time() - self.started, workers)
        judged = all(EXIT_CODES[run.verdict] == 0 for run in runs)
        if session.exitstatus == pytest.ExitCode.OK and not judged:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
    ) -> None:
        """The verdict in one line, and by name what pytest counts among the passed: warnings."""
        if not _has_run(config):
            return
        if exitstatus == _BROKEN:
            terminalreporter.write_line("nip-ap: the suite itself failed, so there is no verdict")
            return
        for run in self._told_runs():
            whose = f", own checks of {run.scenarios}" if run.scenarios else ""
            terminalreporter.section(f"nip-ap: {run.subject.url}{whose}")
            for line in _summary(run):
                terminalreporter.write_line(harmless_line(line))

    def _told_runs(self) -> list[Run]:
        """The runs that had a check; in a session of other tests there is none."""
        return [run for run in (*self.runs(), *self.own_runs()) if run.manifest]


def _has_run(config: pytest.Config) -> bool:
    """Whether checks were to be run; to list them is to judge nothing."""
    return not config.option.collectonly


def _summary(run: Run) -> list[str]:
    lines = [f"finding: {finding}" for finding in run.subject.capabilities.contradictions]
    for result in run.results:
        if result.verdict in (Verdict.WARN, Verdict.UNSTABLE):
            lines.append(
                f"{result.verdict}: {', '.join(result.clauses)} ({result.level}) {result.check}: "
                f"expected {result.expected}; seen {result.seen}"
            )
    for result in run.results:
        known = run.known(result)
        if known is not None:
            lines.append(f"known: {result.check}: {known.reason}")
    return [*lines, f"{run.verdict}: {run.why}"]
