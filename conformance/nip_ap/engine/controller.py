"""The controller: owns the target of a pytest session and gathers the results."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from nip_ap.checking.preflight import probe
from nip_ap.checking.vigil import Board
from nip_ap.engine.check_ids import COLLECTED, DeclaredChecks
from nip_ap.engine.declarations import declarations
from nip_ap.engine.keys import read_keys
from nip_ap.engine.outcomes import RESULT
from nip_ap.engine.own_scenarios import OwnScenarios, own_scenarios
from nip_ap.engine.preparation import abilities
from nip_ap.engine.pulse import interrupt_the_main_thread
from nip_ap.engine.waits import in_words
from nip_ap.engine.watching import NOT_RUN
from nip_ap.model.baseline import Baseline
from nip_ap.model.check_id import CheckId
from nip_ap.model.clauses import register
from nip_ap.model.deadline import DEADLINE, NEVER, Deadline, OutOfTime
from nip_ap.model.events import (
    CheckFinished,
    Listener,
    RunEvent,
    RunFinished,
    RunStarted,
    RunWaits,
)
from nip_ap.model.faults import UnreachableFault, UsageFault
from nip_ap.model.recipe import Recipe
from nip_ap.model.result import Result, settled
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject, limited_in_the_run
from nip_ap.model.verdict import Verdict
from nip_ap.nostr import SecretKey
from nip_ap.reporting import TargetName, report_of
from nip_ap.targets import Target, kinds
from nip_ap.targets.scratch import vanishing_folder
from nip_ap.wire import Transcript
from nip_ap.wire.trust import trusting


class SuiteController:
    """Owns the target and gathers the results."""

    def __init__(
        self,
        settings: Settings,
        targets: Mapping[str, Target],
        *,
        recipe: Recipe | None = None,
        baseline: Baseline | None = None,
        listeners: Sequence[Listener] = (),
        deadline: Deadline = NEVER,
    ) -> None:
        """`recipe` is what the target was made from; the listeners are told of the run in turn.

        After the deadline no check begins, and none waits any longer.
        """
        self.__name__ = "nip_ap_controller"
        self.settings = settings
        self.recipe = recipe
        self.baseline = baseline
        self.listeners = tuple(listeners)
        self.context: Context | None = None
        self.deadline = deadline
        self.is_interrupted = False
        self.was_given_up = False
        """Whether a run that outlived its deadline was ended by force."""
        self.started = time.time()
        self._targets = dict(targets)
        self._results: list[Result] = []
        self._manifest: dict[str, None] = {}
        self._crashed: dict[str, str] = {}
        self._collected: set[str] = set()
        self._root = Path()
        self._stack = ExitStack()
        self._under_way: dict[str, float] = {}
        self._telling = threading.RLock()

    # -- the life of the target ------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Start and probe the target before any check, or any worker, exists."""
        self._root = session.config.rootpath
        if self.context is not None:
            return
        try:
            self.prepare()
        except UsageFault as error:
            raise pytest.UsageError(str(error)) from None
        except UnreachableFault as error:
            self.close()
            pytest.exit(str(error), returncode=error.exit_code)

    def prepare(self) -> None:
        """Start the targets and probe them. Raises UsageFault and UnreachableFault."""
        self._stack.enter_context(trusting(self.settings.ca))
        keys = read_keys(self.settings.keys)
        subjects = []
        board = str(self._stack.enter_context(vanishing_folder()))
        self._board = Board(Path(board))
        for name, target in self._targets.items():
            self._stack.callback(target.stop)
            target.start()
            subjects.append(self._subject(name, target, keys))
        self.context = Context(
            self.settings,
            tuple(subjects),
            baseline=self.baseline,
            board=board,
            deadline=self.deadline,
        )
        kind = "" if self.recipe is None else self.recipe.kind
        for subject in subjects:
            self.emit(RunStarted(subject, self.settings, kind))

    def emit(self, event: RunEvent) -> None:
        """Tell every listener, of one thing at a time."""
        with self._telling:
            for listener in self.listeners:
                listener(event)

    def _waits(self, why: str, left: float) -> None:
        self.emit(RunWaits(in_words([(left, why)])))

    def _subject(self, name: str, target: Target, keys: Mapping[str, SecretKey]) -> Subject:
        transcript = Transcript()
        try:
            capabilities = probe(
                target.url,
                self.settings,
                keys,
                transcript,
                self._waits,
                self.deadline,
                lambda _: self._board.note_a_crowd(name),
            )
        except OutOfTime as error:
            raise UnreachableFault(
                f"{target.url} was still being asked what it offers: {error}"
            ) from error
        own = None if self.recipe is None else kinds.own_recipe(self.recipe)
        return Subject(
            name,
            target.url,
            capabilities,
            target.is_disposable,
            abilities(target, target.url, self.settings, own),
            preflight=transcript.frames,
            own=own,
            log=str(target.log or ""),
        )

    def close(self) -> None:
        """Stop the targets."""
        self._stack.close()

    def pytest_unconfigure(self) -> None:
        """Stop the targets, whatever happened."""
        self.close()

    # -- results ---------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give an xdist worker what it needs."""
        assert self.context is not None
        node.workerinput["nip_ap"] = self.context.to_json()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Under xdist the workers collect; their lists are the manifest."""
        self._manifest.update(dict.fromkeys(ids))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without xdist the session's own items are the manifest."""
        self._collected.update(session.config.pluginmanager.getplugin("nip_ap_worker").collected)
        self._manifest.update(dict.fromkeys(item.nodeid for item in session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take from an xdist worker what it collected; one that died says nothing."""
        self._collected.update(getattr(node, "workeroutput", {}).get(COLLECTED, ()))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the result off a report; a report without one is of a worker that died."""
        results = [value for name, value in report.user_properties if name == RESULT]
        if results:
            # pytest keeps every report to the end, and this one has all frames of a check.
            report.user_properties = [one for one in report.user_properties if one[0] != RESULT]
            result = Result.from_json(json.loads(str(results[-1])))
            self._results.append(result)
            self.emit(CheckFinished(result, len(self._manifest)))
        elif report.failed:
            self._crashed[report.nodeid] = str(report.longrepr)[:400]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A check began, here or in a worker."""
        self._under_way[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A check has left."""
        self._under_way.pop(nodeid, None)

    def progress(self) -> str:
        """How far the run is, and at what it has been the longest."""
        now = time.monotonic()
        took = f"{time.time() - self.started:.0f} s"
        if self.context is None:
            return f"after {took}: the relay is being asked what it offers"
        if not self._manifest:
            return f"after {took}: the checks are being collected"
        done = f"{len(self._results)} of {len(self._manifest)} checks after {took}"
        under_way = sorted((began, nodeid) for nodeid, began in list(self._under_way.items()))
        if not under_way:
            return done
        began, nodeid = under_way[0]
        known = self._declared([nodeid])
        name = known.parsed(nodeid)[1] if known.declares(nodeid) else nodeid
        return f"{done}; {name} has taken {now - began:.0f} s so far"

    def give_up(self) -> None:
        """End a run that outlived its deadline: something in it hangs."""
        self.was_given_up = True
        interrupt_the_main_thread()

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell Ctrl-C from what pytest and xdist raise where checks cannot be collected."""
        self.is_interrupted = excinfo.type is KeyboardInterrupt and not self.was_given_up

    @property
    def target_name(self) -> TargetName:
        """How the user named the relay."""
        if self.recipe is None:
            return TargetName()
        return TargetName(self.recipe.kind, tuple(kinds.words(self.recipe)))

    def finished(self, run: Run, seconds: float, workers: int) -> None:
        """Tell every listener that a run is over, with its report."""
        report = report_of(
            run,
            self.own.register if run.scenarios else register(),
            started=self.started,
            seconds=seconds,
            target=self.target_name,
            workers=workers,
        )
        self.emit(RunFinished(run, report))

    @property
    def own(self) -> OwnScenarios:
        """The checks of the user's own. Raises OwnScenariosFault."""
        return own_scenarios(self.settings.scenarios)

    def runs(self) -> list[Run]:
        """The run of each relay: the suite's checks and no others."""
        return self._runs(of_the_user=False)

    def own_runs(self) -> list[Run]:
        """The run of the user's own checks on each relay; none where there are no such checks."""
        return self._runs(of_the_user=True) if self.settings.scenarios else []

    def _runs(self, *, of_the_user: bool) -> list[Run]:
        if self.context is None:
            return []
        known = self._declared()
        results = [*self._results, *self._lost(known), *self._not_run(known)]
        results = [one for one in results if self.own.has(one.check) is of_the_user]
        manifest = [known.parsed(nodeid) for nodeid in self._manifest if known.declares(nodeid)]
        manifest = [one for one in manifest if self.own.has(one[1]) is of_the_user]
        runs = []
        for subject in self.context.subjects:
            own = [one for one in results if one.subject == subject.name]
            repeated = [check for name, check in manifest if name == subject.name]
            runs.append(
                Run(
                    limited_in_the_run(subject, [one.facts for one in own]),
                    self.settings,
                    tuple(dict.fromkeys(repeated)),
                    settled(own) if len(repeated) == len(own) else tuple(own),
                    self.baseline,
                    self._left_out(repeated, of_the_user=of_the_user),
                    self.settings.scenarios if of_the_user else "",
                )
            )
        return runs

    def _left_out(self, asked_for: Iterable[str], *, of_the_user: bool) -> int:
        """How many checks were not asked for, be it by --only, by -k or by a path.

        Of a file that was not collected each declaration counts as one check.
        """
        collected = {one for one in self._collected if self.own.has(one) is of_the_user}
        found = {str(CheckId.read(check).declared) for check in collected}
        role = self.settings.role
        every = self.own.declarations if of_the_user else declarations()
        meant = [one for one in every if self.own.known.role_of(one.clauses) == role]
        unseen = {one.check_id() for one in meant} - found
        return len(collected.difference(asked_for)) + len(unseen)

    def _not_run(self, known: DeclaredChecks) -> list[Result]:
        """Results for checks of a run that was ended by force."""
        if not self.was_given_up:
            return []
        seen = {(one.subject, one.check) for one in self._results}
        left = []
        for nodeid in self._manifest:
            declaration = known.declaration(nodeid)
            if declaration is None or nodeid in self._crashed or known.parsed(nodeid) in seen:
                continue
            subject, check = known.parsed(nodeid)
            why = "it did not come to an end" if nodeid in self._under_way else NOT_RUN
            reason = f"{why}: {self.deadline}"
            facts = {DEADLINE: str(self.deadline)}
            left.append(
                Result(
                    check,
                    declaration.clauses,
                    Verdict.INCONCLUSIVE,
                    subject,
                    reason=reason,
                    facts=facts,
                )
            )
        return left

    def _declared(self, nodeids: Iterable[str] | None = None) -> DeclaredChecks:
        wanted = [*self._manifest, *self._crashed] if nodeids is None else nodeids
        files = {nodeid.partition("::")[0]: None for nodeid in wanted}
        return DeclaredChecks(self._root, list(files))

    def _lost(self, known: DeclaredChecks) -> list[Result]:
        """Results for checks whose worker died: inconclusive, never silence."""
        lost = []
        for nodeid, reason in self._crashed.items():
            declaration = known.declaration(nodeid)
            if declaration is None:
                continue
            subject, check = known.parsed(nodeid)
            reason = f"the worker process died: {reason}"
            lost.append(
                Result(check, declaration.clauses, Verdict.INCONCLUSIVE, subject, reason=reason)
            )
        return lost
