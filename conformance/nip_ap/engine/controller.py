"""The controller: owns the target of a pytest session and gathers the results."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from nip_ap.checking.preflight import probe
from nip_ap.engine.check_ids import COLLECTED, _Declared
from nip_ap.engine.declarations import declarations
from nip_ap.engine.keys import baseline_at, read_keys
from nip_ap.engine.likeness import held_to
from nip_ap.engine.outcomes import _RESULT
from nip_ap.engine.preparation import abilities, recipe_for
from nip_ap.model.baseline import Baseline
from nip_ap.model.clauses import register
from nip_ap.model.delivery import Delivery
from nip_ap.model.faults import UnreachableFault, UsageFault
from nip_ap.model.options import filled
from nip_ap.model.recipe import Recipe
from nip_ap.model.result import Result, settled
from nip_ap.model.run import Run
from nip_ap.model.seed import salted
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject, limited_in_the_run
from nip_ap.model.target_options import OPTIONS as TARGET_OPTIONS
from nip_ap.model.verdict import EXIT_CODES, Verdict
from nip_ap.nostr import SecretKey
from nip_ap.reporting import Report, TargetName, report_of, write_reports
from nip_ap.reporting.legible import harmless_line
from nip_ap.targets import Target, TargetError, kinds
from nip_ap.wire import Transcript
from nip_ap.wire.pace import OnRest
from nip_ap.wire.trust import trusting

_BROKEN = pytest.ExitCode.INTERNAL_ERROR


class SuiteController:
    """Owns the target and gathers the results."""

    def __init__(
        self,
        settings: Settings,
        targets: Mapping[str, Target],
        *,
        recipe: Recipe | None = None,
        out: Path | None = None,
        baseline: Baseline | None = None,
    ) -> None:
        """`recipe` is what the target was made from; `out` a folder for reports under pytest."""
        self.__name__ = "nip_ap_controller"
        self.settings = settings
        self.recipe = recipe
        self.out = out
        self.baseline = baseline
        self.on_result: Callable[[Result, int], None] = _ignore
        self.on_rest: OnRest | None = None
        self.context: Context | None = None
        self.is_interrupted = False
        self.started = time.time()
        self._targets = dict(targets)
        self._results: list[Result] = []
        self._manifest: dict[str, None] = {}
        self._crashed: dict[str, str] = {}
        self._collected: set[str] = set()
        self._root = Path()
        self._stack = ExitStack()

    @classmethod
    def from_options(cls, given: Mapping[str, Any]) -> SuiteController:
        """The controller of `pytest --nip-ap`, from its options by key."""
        settings = filled(Settings, given, seed=salted(given["seed"]))
        delivery = filled(Delivery, given)
        try:
            settings = held_to(settings, delivery.like)
            recipe = recipe_for({one.key: given[one.key] for one in TARGET_OPTIONS}, settings)
            return cls(
                settings,
                {"": kinds.target_of(recipe)},
                recipe=recipe,
                out=delivery.out,
                baseline=baseline_at(delivery.baseline),
            )
        except (TargetError, UsageFault) as error:
            raise pytest.UsageError(str(error)) from None

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
        for name, target in self._targets.items():
            self._stack.callback(target.stop)
            target.start()
            subjects.append(self._subject(name, target, keys))
        board = self._stack.enter_context(TemporaryDirectory(prefix="nip-ap-board-"))
        self.context = Context(self.settings, tuple(subjects), baseline=self.baseline, board=board)

    def _subject(self, name: str, target: Target, keys: Mapping[str, SecretKey]) -> Subject:
        transcript = Transcript()
        capabilities = probe(target.url, self.settings, keys, transcript, self.on_rest)
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
        results = [value for name, value in report.user_properties if name == _RESULT]
        if results:
            result = Result.from_json(json.loads(str(results[-1])))
            self._results.append(result)
            self.on_result(result, len(self._manifest))
        elif report.failed:
            self._crashed[report.nodeid] = str(report.longrepr)[:400]

    def pytest_report_header(self) -> list[str]:
        """What is tested, for pytest's own header."""
        if self.context is None:
            return []
        return [
            f"nip-ap: {subject.url}, revision {subject.capabilities.spec} "
            f"({subject.capabilities.spec_reason}), seed {self.settings.seed}"
            for subject in self.context.subjects
        ]

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell Ctrl-C from what pytest and xdist raise where checks cannot be collected."""
        self.is_interrupted = excinfo.type is KeyboardInterrupt

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Under plain pytest: write the reports; a run that is not conformant is not a success."""
        if not self._has_run(session.config) or session.exitstatus == _BROKEN:
            return
        runs = [run for run in self.runs() if run.manifest]
        if self.out is not None and runs:
            write_reports(self._report(runs[0], session.config), self.out)
        judged = all(EXIT_CODES[run.verdict] == 0 for run in runs)
        if session.exitstatus == pytest.ExitCode.OK and not judged:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @property
    def target_name(self) -> TargetName:
        """How the user named the relay."""
        if self.recipe is None:
            return TargetName()
        return TargetName(self.recipe.kind, tuple(kinds.words(self.recipe)))

    def _report(self, run: Run, config: pytest.Config) -> Report:
        return report_of(
            run,
            register(),
            started=self.started,
            seconds=time.time() - self.started,
            target=self.target_name,
            workers=len(config.getoption("tx", None) or ()) or 1,
        )

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
    ) -> None:
        """The verdict in one line, and by name what pytest counts among the passed: warnings."""
        if not self._has_run(config):
            return
        if exitstatus == _BROKEN:
            terminalreporter.write_line("nip-ap: the suite itself failed, so there is no verdict")
            return
        for run in self.runs():
            if not run.manifest:
                continue
            terminalreporter.section(f"nip-ap: {run.subject.url}")
            for finding in run.subject.capabilities.contradictions:
                terminalreporter.write_line(harmless_line(f"finding: {finding}"))
            for result in run.results:
                if result.verdict in (Verdict.WARN, Verdict.UNSTABLE):
                    named = ", ".join(result.clauses)
                    told = (
                        f"{result.verdict}: {named} ({result.level}) {result.check}: "
                        f"expected {result.expected}; seen {result.seen}"
                    )
                    terminalreporter.write_line(harmless_line(told))
            for result in run.results:
                known = run.known(result)
                if known is not None:
                    told = f"known: {result.check}: {known.reason}"
                    terminalreporter.write_line(harmless_line(told))
            terminalreporter.write_line(harmless_line(f"{run.verdict}: {run.why}"))

    def runs(self) -> list[Run]:
        """The run of each relay."""
        if self.context is None:
            return []
        known = self._declared()
        results = [*self._results, *self._lost(known)]
        manifest = [known.parsed(nodeid) for nodeid in self._manifest if known.declares(nodeid)]
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
                    self._left_out(repeated),
                )
            )
        return runs

    @staticmethod
    def _has_run(config: pytest.Config) -> bool:
        """Whether checks were to be run; to list them is to judge nothing."""
        return not config.option.collectonly

    def _left_out(self, asked_for: Iterable[str]) -> int:
        """How many checks of the suite were not asked for, be it by --only, by -k or by a path.

        Of a file that was not collected each declaration counts as one check.
        """
        found = {check.partition("[")[0] for check in self._collected}
        unseen = {one.check_id() for one in declarations()} - found
        return len(self._collected.difference(asked_for)) + len(unseen)

    def _declared(self) -> _Declared:
        files = {nodeid.partition("::")[0]: None for nodeid in [*self._manifest, *self._crashed]}
        return _Declared(self._root, list(files))

    def _lost(self, known: _Declared) -> list[Result]:
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


def _ignore(result: Result, expected: int) -> None:
    """What happens to results while the run goes on, unless somebody listens."""
