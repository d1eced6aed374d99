"""The worker: makes a Check of each pytest item, and a Result of how it ended."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from nip_ap.checking.actor import HTTP
from nip_ap.checking.check import Check, Surface
from nip_ap.checking.comparison import sides
from nip_ap.checking.own_relay import STARTED
from nip_ap.checking.vigil import Board
from nip_ap.engine.check_ids import (
    COLLECTED,
    REPETITION,
    SUBJECT,
    check_id_of,
    clauses_of,
    declared_id_of,
    function_of,
    parameters_of,
    path_of,
)
from nip_ap.engine.declarations import (
    declarations,
    declared_in_files,
    longest_checks,
    scenario_files,
)
from nip_ap.engine.fixtures import CHECK, FALLS
from nip_ap.engine.forks import FORKS
from nip_ap.engine.key_turns import KeyTurns
from nip_ap.engine.keys import read_key_sets
from nip_ap.engine.no_waiting import impatient_imports
from nip_ap.engine.outcomes import RESULT, briefly, dress, plain
from nip_ap.engine.own_scenarios import own_scenarios, settings_of
from nip_ap.engine.visibility import give_fixtures
from nip_ap.engine.waits import WaitNote, waits_folder
from nip_ap.engine.watching import Watching
from nip_ap.model.check_id import CheckId
from nip_ap.model.clauses import MUST
from nip_ap.model.frame import Frame
from nip_ap.model.judgement import ScenarioMistake
from nip_ap.model.markers import CLAUSE, DESTRUCTIVE, OUTLIVES
from nip_ap.model.report import CheckReport, repro_line, transcript_path
from nip_ap.model.result import Result, level_of
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.reporting import TargetName
from nip_ap.reporting.composing import check_report
from nip_ap.reporting.reading import read_transcript
from nip_ap.targets import kinds
from nip_ap.wire import Playback, Transcript
from nip_ap.wire.dialling import FarNetwork
from nip_ap.wire.trust import trusting

_OWN_RELAY = "own_relay"
"""The fixture by which a check starts a relay for itself alone."""


def _name_of(subject: Subject) -> TargetName:
    """How the user named a relay, as far as a worker knows."""
    if not subject.is_disposable:
        return TargetName("url", (subject.url,))
    return TargetName(words=() if subject.own is None else tuple(kinds.words(subject.own)))


class SuiteWorker:
    """Runs checks: makes a Check of each item, and a Result of how it ended."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._running: Check | None = None
        self._finished: Result | None = None
        self._surface: Surface | None = None
        self._watching: Watching | None = None
        self._network: FarNetwork | None = None
        self._exit = ExitStack()
        self._turns: KeyTurns | None = None
        self.collected: dict[str, None] = {}
        """Every check that was found, also where it is not selected then."""
        self.own = own_scenarios(settings_of(config).scenarios)
        """The checks of the user's own, beside those of the suite."""
        config.args = [path_of(one) for one in config.args]
        files = [*scenario_files(), *self.own.files]
        if config.args_source is not pytest.Config.ArgsSource.ARGS:
            config.args = [str(path) for path in files]
        elif not any(map(_names_checks, config.args)):
            config.args = [*config.args, *map(str, files)]
        if "test" not in config.getini("python_functions"):
            for one in declarations():
                config.addinivalue_line("python_functions", one.function)

    # -- what there is to run --------------------------------------------------

    @property
    def context(self) -> Context:
        """From xdist's controller, or from the controller in this process."""
        if _is_worker(self._config):
            return Context.from_json(self._config.workerinput["nip_ap"])  # type: ignore[attr-defined]
        controller = self._config.pluginmanager.getplugin("nip_ap_controller")
        context = controller.context
        assert isinstance(context, Context)
        return context

    @property
    def surface(self) -> Surface:
        """The shared surface of this process, made when first needed."""
        if self._surface is None:
            context = self.context
            self._exit.enter_context(trusting(context.settings.ca))
            self._network = FarNetwork()
            self._network.is_far = any(one.capabilities.is_far for one in context.subjects)
            self._surface = Surface(
                context,
                self._network,
                {},
                self._salt(),
                on_rest=WaitNote(waits_folder(context.board)).write if context.board else None,
                share=_processes(self._config),
                on_crowd=Board(Path(context.board)).note_a_crowd if context.board else None,
            )
        return self._surface

    def _salt(self) -> str:
        """Under `--dist each` every worker runs every check: each with keys of its own."""
        is_each = self._config.getoption("dist", "no") == "each"
        return str(self._config.workerinput["workerid"]) if is_each else ""  # type: ignore[attr-defined]

    @property
    def turns(self) -> KeyTurns:
        """The sets of given keys, of which a check has one at a time."""
        if self._turns is None:
            context = self.surface.context
            path = None if context.evidence else context.settings.keys
            self._turns = KeyTurns(read_key_sets(path))
        return self._turns

    @property
    def watching(self) -> Watching:
        """The watch over the relays of this process."""
        if self._watching is None:
            self._watching = Watching(self.surface)
        return self._watching

    def pytest_sessionstart(self) -> None:
        """Where allure-pytest writes results, tell it what it cannot know of a check."""
        if not self._config.pluginmanager.hasplugin("allure_listener"):
            return
        from allure_commons import plugin_manager

        from nip_ap.reporting.allure_results import AllureResults

        results = AllureResults(self._for_allure)
        plugin_manager.register(results)
        self._config.add_cleanup(lambda: plugin_manager.unregister(results))

    def _for_allure(self) -> tuple[CheckReport, Sequence[Frame]] | None:
        if self._finished is None:
            return None
        context = self.surface.context
        subject = context.subject(self._finished.subject)
        target = _name_of(subject)
        spec = subject.capabilities.spec
        repro = repro_line(self._finished.check, context.settings, spec, target)
        return check_report(self._finished, repro), self._finished.frames

    def leave(self) -> None:
        """End the relay apart, and leave the network."""
        if self._watching is not None:
            self._watching.leave()
        if self._network is not None:
            self._network.leave()
        self._exit.close()

    def pytest_sessionfinish(self) -> None:
        """Nothing of this process stays; what it collected, the controller has to know."""
        self.leave()
        if _is_worker(self._config):
            self._config.workeroutput[COLLECTED] = list(self.collected)  # type: ignore[attr-defined]

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Give the fixtures to the files of checks alone: others have some of the same names."""
        if isinstance(collector, pytest.Module) and _names_checks(str(collector.path)):
            give_fixtures(collector)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Note each check, whatever selects among them later."""
        clauses, _ = clauses_of(item)
        if clauses and self._is_of_the_role(clauses):
            self.collected[check_id_of(item, clauses)] = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Multiply each check by relays and repetitions, where there are several."""
        if metafunc.definition.get_closest_marker(CLAUSE) is None:
            return
        context = self.surface.context
        names = [subject.name for subject in context.subjects]
        if names != [""]:
            check = declared_id_of(metafunc)
            names = [one.name for one in context.subjects if _wants_any(one, check)]
            metafunc.fixturenames.append(SUBJECT)
            metafunc.parametrize(SUBJECT, names, ids=[f"@{name}@" for name in names])
        if context.settings.repeat > 1:
            numbers = range(context.settings.repeat)
            metafunc.fixturenames.append(REPETITION)
            metafunc.parametrize(REPETITION, numbers, ids=[f"#{one}#" for one in numbers])

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep what --only selects, in order: last what may hurt a relay, then what outlives it.

        Where checks are dealt out one at a time, those that take long begin first: a relay of its
        own makes a check wait while others compute. The order is the same in each worker.
        """
        settings = self.surface.context.settings
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            clauses, _ = clauses_of(item)
            selected = not clauses or self._is_selected(item, clauses, settings)
            (kept if selected else dropped).append(item)
        if dropped:
            config.hook.pytest_deselected(items=dropped)
        is_far = any(one.capabilities.is_far for one in self.surface.context.subjects)
        forks = config.pluginmanager.hasplugin(FORKS)
        rank = _rank if is_far or forks else _no_rank
        items[:] = sorted(
            kept, key=lambda item: (_outlives(item), _is_destructive(item), rank(item))
        )

    def _is_of_the_role(self, clauses: Sequence[str]) -> bool:
        """Whether a check tests the kind of program that the run is of."""
        return self.own.known.role_of(clauses) == self.surface.context.settings.role

    def _is_selected(self, item: pytest.Item, clauses: Sequence[str], settings: Settings) -> bool:
        if not self._is_of_the_role(clauses):
            return False
        check = check_id_of(item, clauses)
        name = parameters_of(item).get(SUBJECT, "")
        if not isinstance(name, str):  # what pytest makes of a check that no relay wants
            return False
        wanted = self.surface.context.subject(name).wants(check)
        return wanted and settings.selects(clauses, check)

    # -- one check -------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Make the check, and see whether its clause applies to this relay."""
        clauses, needs = clauses_of(item)
        self._finished = None
        if not clauses:
            return
        known = self.own.known
        unknown = [clause for clause in clauses if clause not in known]
        parameters = parameters_of(item)
        subject = self.surface.context.subject(parameters.get(SUBJECT, ""))
        spec = subject.capabilities.spec
        check = Check(
            id=check_id_of(item, clauses),
            clauses=clauses,
            level=MUST
            if unknown
            else level_of(clauses, known, spec, self.surface.context.settings.profile),
            sentence=function_of(item).removeprefix("test_").replace("_", " "),
            subject=subject,
            surface=replace(self.surface, keys=self.turns.take()),
            repetition=parameters.get(REPETITION, 0),
            transcript=self._transcript(check_id_of(item, clauses)),
        )
        item.stash[CHECK] = check
        self._running = check
        # dress says how a check ended. pytest's excerpt of the code, which takes longer than most
        # checks take, would be thrown away.
        item.repr_failure = briefly  # type: ignore[method-assign, assignment]
        if unknown:
            raise ScenarioMistake(f"{', '.join(unknown)} is not in fixtures/clauses/")
        for complaint in impatient_imports(item.path):
            raise ScenarioMistake(complaint)
        if parameters.get("via") == HTTP:
            needs = (*needs, "http")
        for clause in clauses:
            subject.require(
                known[clause],
                (*known[clause].needs, *needs),
                self.surface.context.settings.claims,
                self.surface.context.settings.profile,
            )
        self._place(check, item)

    def _place(self, check: Check, item: pytest.Item) -> None:
        """The run's relay, or one apart; a playback has it from the transcript."""
        if isinstance(check.transcript, Playback):
            if check.transcript.reads(STARTED) and _is_destructive(item):
                check.borrow(None)
            return
        item.stash[FALLS] = self.watching.told
        destructive, outlives = _is_destructive(item), _outlives(item)
        self.watching.place(check, destructive=destructive, outlives=outlives)
        check.begins()

    def _transcript(self, check: str) -> Transcript:
        """A new one, or the recorded one where checks are judged again."""
        evidence = self.surface.context.evidence
        if not evidence:
            return Transcript()
        return Playback(read_transcript(Path(evidence) / transcript_path(check)))

    def pytest_assertrepr_compare(
        self, config: pytest.Config, op: str, left: object, right: object
    ) -> None:
        """Remember the two sides of a comparison that failed: seen and expected."""
        if self._running is not None:
            self._running.comparison = sides(op, left, right)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn the end of a check into its result, and the result into pytest's words."""
        report = yield
        check = item.stash.get(CHECK, None)
        if check is None:
            return report
        error = call.excinfo.value if call.excinfo else None
        ended = call.when == "call" or (call.when == "setup" and error is not None)
        if ended:
            result = check.result(plain(error))
            result = self.watching.seen(check, result, destructive=_is_destructive(item))
            self._finished = result
            dress(report, item, result, self.surface.context.baseline)
            report.user_properties.append((RESULT, json.dumps(result.to_json())))
        if call.when == "teardown":
            self._running = None
            del item.stash[CHECK]  # items live as long as the session, and a check has its frames
            self.watching.over()
            self.turns.give_back()
        return report


def _is_destructive(item: pytest.Item) -> bool:
    return item.get_closest_marker(DESTRUCTIVE) is not None


def _outlives(item: pytest.Item) -> bool:
    return item.get_closest_marker(OUTLIVES) is not None


def _rank(item: pytest.Item) -> int:
    """The place of a check among the longest ones; all others come after them, as they are."""
    if _OWN_RELAY in getattr(item, "fixturenames", ()):
        return -1
    clauses, _ = clauses_of(item)
    longest = longest_checks()
    check = str(CheckId.read(check_id_of(item, clauses)).declared) if clauses else ""
    return longest.index(check) if check in longest else len(longest)


def _no_rank(item: pytest.Item) -> int:
    return 0


def _processes(config: pytest.Config) -> int:
    """How many processes run checks."""
    forks = config.pluginmanager.getplugin(FORKS)
    if forks is not None:
        return int(forks.count)
    return int(config.workerinput["workercount"]) if _is_worker(config) else 1  # type: ignore[attr-defined]


@cache
def _names_checks(argument: str) -> bool:
    """Whether a path, or a node id, is of a file that declares checks."""
    file = Path(argument.partition("::")[0])
    return file.is_file() and bool(declared_in_files([file]))


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _wants_any(subject: Subject, declared: str) -> bool:
    """Whether any variant of a check is to run on a relay."""
    if subject.checks is None:
        return True
    return any(str(CheckId.read(one).declared) == declared for one in subject.checks)
