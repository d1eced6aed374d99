"""A pytest session of the suite: the controller that owns the target, the worker that runs checks.

Without xdist one process is both. With it the controller starts the target and probes it before
any worker exists, and results travel to it on the reports.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from nip_ap.actor import HTTP
from nip_ap.baseline import Baseline, BaselineError, read_baseline
from nip_ap.capabilities import PROBES, Capabilities, Probing, explore, relay_information
from nip_ap.check import Check, Surface
from nip_ap.checks import Declaration, declarations, declared_in_files, scenario_files
from nip_ap.clauses import MUST, register
from nip_ap.credentials import ABILITIES, grants, run_key
from nip_ap.evidence import ScenarioMistake
from nip_ap.fixtures import CHECK
from nip_ap.nostr import Event, SecretKey
from nip_ap.nostr.channel import Channel
from nip_ap.patience import impatient_imports, no_waiting
from nip_ap.reporting import Report, TargetName, report_of, write_reports
from nip_ap.reporting.legible import on_one_line, visible
from nip_ap.reporting.model import read_transcript, repro_line, transcript_path
from nip_ap.run import Context, Result, Run, Settings, Subject, level_of, settled
from nip_ap.target_options import OPTIONS
from nip_ap.targets import BundledTarget, Target, TargetError, TargetUsage, kinds
from nip_ap.targets.bundled import recipe_of
from nip_ap.targets.recipe import Recipe
from nip_ap.targets.url import is_loopback
from nip_ap.verdict import EXIT_CODES, EXIT_UNREACHABLE, Verdict
from nip_ap.wire import LiveNetwork, Playback, Transcript, Unreachable

_RESULT = "nip_ap.result"
PREFLIGHT = "preflight"
"""What stands for a check's id where the preflight's transcript is meant."""

_SUBJECT, _REPETITION = "nip_ap_subject", "nip_ap_repetition"


class SettingsError(ValueError):
    """Something that the user asked for and that cannot be done."""


class KeyFileError(SettingsError):
    """A key file that cannot be used; the message never repeats its content."""


def read_keys(path: str | None) -> dict[str, SecretKey]:
    """Secret keys by role from a JSON object of hex strings. Raises KeyFileError."""
    if path is None:
        return {}
    try:
        parsed = json.loads(Path(path).read_text(encoding="utf-8"))
        return {role: SecretKey.from_hex(text) for role, text in parsed.items()}
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be read: {error.strerror}") from None
    except (ValueError, AttributeError):
        raise KeyFileError(
            f"the key file {path} must be a JSON object of roles to 64 hex digits, "
            'such as {"owner": "...", "stranger": "...", "limited": "..."}'
        ) from None


def baseline_at(path: str | Path | None) -> Baseline | None:
    """The baseline in a file, as of today; None where none was given. Raises SettingsError."""
    if path is None:
        return None
    try:
        return read_baseline(Path(path), register(), datetime.now(UTC).date())
    except BaselineError as error:
        raise SettingsError(str(error)) from None


def new_client(*urls: str) -> httpx.Client:
    """An HTTP client for these relays; it minds no proxy.

    Loading certificates takes 30 ms, so it does that only where a relay speaks TLS.
    """
    return httpx.Client(
        trust_env=False,
        verify=any(url.startswith("wss:") for url in urls),
        limits=httpx.Limits(max_keepalive_connections=4),
    )


def probe(
    target_url: str,
    settings: Settings,
    keys: Mapping[str, SecretKey],
    transcript: Transcript | None = None,
) -> Capabilities:
    """Preflight and probes of one relay, noted down in a transcript. Raises Unreachable."""
    with new_client(target_url) as client:
        subject = Subject("", target_url, Capabilities({}, settings.spec, ""))
        surface = Surface(Context(settings, (subject,)), LiveNetwork(client), keys)
        return preflight(surface, transcript or Transcript())


def preflight(surface: Surface, transcript: Transcript) -> Capabilities:
    """What the one relay of a surface offers. Raises Unreachable."""
    settings, (subject,) = surface.context.settings, surface.context.subjects
    check = Check(PREFLIGHT, (), "MUST", PREFLIGHT, subject, surface, transcript=transcript)
    try:
        now = check.clock.now()
        information = relay_information(check.anonymous().http)
        probing = Probing(
            owner=check.actor("owner"),
            stranger=check.actor("stranger"),
            anonymous=check.anonymous(),
            now=now,
            information=information,
            channel=Channel(check.channel_id(), now),
            transcript=transcript,
            slug=check.slug("probe"),
            may_load=settings.load or is_loopback(subject.url),
        )
        return explore(probing, spec=settings.spec)
    finally:
        check.leave()


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
        self.context: Context | None = None
        self.is_interrupted = False
        self.started = time.time()
        self._targets = dict(targets)
        self._results: list[Result] = []
        self._manifest: dict[str, None] = {}
        self._crashed: dict[str, str] = {}
        self._root = Path()
        self._stack = ExitStack()

    @classmethod
    def from_options(cls, config: pytest.Config) -> SuiteController:
        """The controller of `pytest --nip-ap`."""
        option = config.getoption
        settings = Settings(
            seed=option("nip_ap_seed") or secrets.token_hex(4),
            spec=option("nip_ap_spec"),
            only=tuple(option("nip_ap_only")),
            auth=option("nip_ap_auth"),
            keys=option("nip_ap_keys"),
            answer_limit=option("nip_ap_timeout"),
            repeat=option("nip_ap_repeat"),
            examples=option("nip_ap_examples"),
            migrator=option("nip_ap_migrator"),
            claims=tuple(option("nip_ap_claim")),
            load=option("nip_ap_load"),
            publishers=option("nip_ap_publishers"),
            subscribers=option("nip_ap_subscribers"),
            load_events=option("nip_ap_load_events"),
            load_seconds=option("nip_ap_load_seconds"),
            kills=option("nip_ap_kills"),
        )
        given = {one.key: option(f"nip_ap_{one.key}") for one in OPTIONS}
        out = option("nip_ap_out")
        try:
            recipe = recipe_for(given | {"url": option("relay_url")}, settings)
            target = kinds.target_of(recipe)
            return cls(
                settings,
                {"": target},
                recipe=recipe,
                out=Path(out) if out else None,
                baseline=baseline_at(option("nip_ap_baseline")),
            )
        except (TargetError, SettingsError) as error:
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
        except SettingsError as error:
            raise pytest.UsageError(str(error)) from None
        except (TargetError, Unreachable) as error:
            self.close()
            pytest.exit(str(error), returncode=EXIT_UNREACHABLE)

    def prepare(self) -> None:
        """Start the targets and probe them. Raises TargetError, Unreachable, KeyFileError."""
        keys = read_keys(self.settings.keys)
        subjects = []
        for name, target in self._targets.items():
            self._stack.callback(target.stop)
            target.start()
            subjects.append(self._subject(name, target, keys))
        self.context = Context(self.settings, tuple(subjects), baseline=self.baseline)

    def _subject(self, name: str, target: Target, keys: Mapping[str, SecretKey]) -> Subject:
        transcript = Transcript()
        capabilities = probe(target.url, self.settings, keys, transcript)
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
        self._manifest.update(dict.fromkeys(item.nodeid for item in session.items))

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
        """Under plain pytest: write the reports; a run that is not conformant is no success."""
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

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The verdict in one line, and by name what pytest counts among the passed: warnings."""
        for run in self.runs():
            if not run.manifest:
                continue
            terminalreporter.section(f"nip-ap: {run.subject.url}")
            for finding in run.subject.capabilities.contradictions:
                terminalreporter.write_line(on_one_line(f"finding: {finding}"))
            for result in run.results:
                if result.verdict in (Verdict.WARN, Verdict.UNSTABLE):
                    named = ", ".join(result.clauses)
                    told = (
                        f"{result.verdict}: {named} ({result.level}) {result.check}: "
                        f"expected {result.expected}; seen {result.seen}"
                    )
                    terminalreporter.write_line(on_one_line(told))
            for result in run.results:
                known = run.known(result)
                if known is not None:
                    told = f"known: {result.check}: {known.reason}"
                    terminalreporter.write_line(on_one_line(told))
            terminalreporter.write_line(on_one_line(f"{run.verdict}: {run.why}"))

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
                    subject,
                    self.settings,
                    tuple(dict.fromkeys(repeated)),
                    settled(own) if len(repeated) == len(own) else tuple(own),
                    self.baseline,
                )
            )
        return runs

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


class _Declared:
    """The checks behind pytest's node ids: the suite's own, and those of a user's files."""

    def __init__(self, root: Path, files: Sequence[str]) -> None:
        own = {(one.file.resolve(), one.function): one for one in declarations()}
        self._paths = {file: (root / file).resolve() for file in files if file}
        foreign = set(self._paths.values()) - {path for path, _ in own}
        self._by_place = own | {
            (one.file, one.function): one for one in declared_in_files(sorted(foreign))
        }
        self._by_function = {one.function: one for one in declarations()}

    def declaration(self, nodeid: str) -> Declaration | None:
        """The check that an item is; None for a test that is none."""
        file, function, _ = _parts(nodeid)
        if not file:  # what pytest writes for files outside its root, so for an installed suite
            return self._by_function.get(function)
        return self._by_place.get((self._paths[file], function))

    def declares(self, nodeid: str) -> bool:
        """Whether an item is a check."""
        return self.declaration(nodeid) is not None

    def parsed(self, nodeid: str) -> tuple[str, str]:
        """The subject and the check id that a node id stands for."""
        declaration = self.declaration(nodeid)
        assert declaration is not None
        subject, rest = _split_hidden(_parts(nodeid)[2])
        return subject, declaration.check_id(rest)


def _parts(nodeid: str) -> tuple[str, str, str]:
    """File, function and parameters of a pytest node id."""
    file, _, rest = nodeid.partition("::")
    function, _, parameters = rest.partition("[")
    return file, function, parameters.removesuffix("]")


def recipe_for(given: Mapping[str, Any], settings: Settings) -> Recipe:
    """The relay that options describe (targets/kinds.py), the bundled one where they name none.

    Raises SettingsError.
    """
    check_claims(settings)
    try:
        recipe = kinds.chosen(given)
    except TargetUsage as error:
        raise SettingsError(str(error)) from None
    return bundled_recipe(settings, given=recipe.given) if recipe.kind == "bundled" else recipe


def bundled_recipe(
    settings: Settings, *arguments: str, given: Mapping[str, Any] | None = None
) -> Recipe:
    """The bundled relay in the revision asked for; it knows the run's limited credentials.

    Raises KeyFileError.
    """
    spec = () if settings.spec == "auto" else ("--spec", settings.spec)
    limited = grants(settings.seed, read_keys(settings.keys))
    return recipe_of(given or {}, (*spec, *arguments), limited)


def bundled_target(settings: Settings, *arguments: str) -> BundledTarget:
    """A target of such a recipe. Raises KeyFileError."""
    target = kinds.target_of(bundled_recipe(settings, *arguments))
    assert isinstance(target, BundledTarget)
    return target


def abilities(
    target: Target, url: str, settings: Settings, own: Recipe | None = None
) -> tuple[str, ...]:
    """What the suite can do to a relay that no probe can find out.

    `own` makes another relay of its kind, which a check may restart.
    """
    keys = read_keys(settings.keys)
    granted = target.grants if isinstance(target, BundledTarget) else {}
    found = [
        ability
        for role, ability in ABILITIES.items()
        if role in keys or run_key(settings.seed, role, keys).pubkey in granted
    ]
    if settings.load or is_loopback(url):
        found.append("load")
    if settings.migrator:
        found.append("migrator")
    if own is not None:
        found.append("restart")
    return tuple(found)


def check_claims(settings: Settings) -> None:
    """Raise SettingsError where --claim names something that nobody could find."""
    known = [*PROBES, *ABILITIES.values(), "restart"]
    unknown = [claim for claim in settings.claims if claim not in known]
    if unknown:
        raise SettingsError(
            f"--claim {unknown[0]}: there is no such capability; known are {', '.join(known)}"
        )


def _ignore(result: Result, expected: int) -> None:
    """What happens to results while the run goes on, unless somebody listens."""


def _split_hidden(parameters: str) -> tuple[str, str]:
    """Take the suite's own parameters, `@subject@` and `#repetition#`, off a parameter string."""
    subject = ""
    if parameters.startswith("@"):
        subject, _, parameters = parameters[1:].partition("@")
        parameters = parameters.removeprefix("-")
    if parameters.startswith("#"):
        _, _, parameters = parameters[1:].partition("#")
        parameters = parameters.removeprefix("-")
    return subject, parameters


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
        self._client: httpx.Client | None = None
        if config.args_source is not pytest.Config.ArgsSource.ARGS:
            config.args = [str(path) for path in scenario_files()]
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
            urls = [subject.url for subject in context.subjects]
            self._client = new_client(*urls)
            keys = {} if context.evidence else read_keys(context.settings.keys)
            self._surface = Surface(context, LiveNetwork(self._client), keys)
        return self._surface

    def pytest_sessionstart(self) -> None:
        """Where allure-pytest writes results, tell it what it cannot know of a check."""
        if not self._config.pluginmanager.hasplugin("allure_listener"):
            return
        from allure_commons import plugin_manager

        from nip_ap.reporting.allure_results import Dresser

        dresser = Dresser(self._for_allure)
        plugin_manager.register(dresser)
        self._config.add_cleanup(lambda: plugin_manager.unregister(dresser))

    def _for_allure(self) -> Mapping[str, Any] | None:
        from nip_ap.reporting.allure_results import check_of

        if self._finished is None:
            return None
        context = self.surface.context
        subject = context.subject(self._finished.subject)
        target = _name_of(subject)
        spec = subject.capabilities.spec
        repro = repro_line(self._finished.check, context.settings, spec, target)
        return check_of(self._finished, repro)

    def pytest_sessionfinish(self) -> None:
        """Close the shared HTTP client."""
        if self._client is not None:
            self._client.close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Multiply each check by relays and repetitions, where there are several."""
        if metafunc.definition.get_closest_marker("nip_ap_clause") is None:
            return
        context = self.surface.context
        names = [subject.name for subject in context.subjects]
        if names != [""]:
            check = _declared_id(metafunc)
            names = [one.name for one in context.subjects if _wants_any(one, check)]
            metafunc.fixturenames.append(_SUBJECT)
            metafunc.parametrize(_SUBJECT, names, ids=[f"@{name}@" for name in names])
        if context.settings.repeat > 1:
            numbers = range(context.settings.repeat)
            metafunc.fixturenames.append(_REPETITION)
            metafunc.parametrize(_REPETITION, numbers, ids=[f"#{one}#" for one in numbers])

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep what --only selects."""
        settings = self.surface.context.settings
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            clauses, _ = _clauses_of(item)
            selected = not clauses or self._is_selected(item, clauses, settings)
            (kept if selected else dropped).append(item)
        if dropped:
            config.hook.pytest_deselected(items=dropped)
            items[:] = kept

    def _is_selected(self, item: pytest.Item, clauses: Sequence[str], settings: Settings) -> bool:
        check = _check_id(item, clauses)
        name = _parameters(item).get(_SUBJECT, "")
        if not isinstance(name, str):  # what pytest makes of a check that no relay wants
            return False
        wanted = self.surface.context.subject(name).wants(check)
        return wanted and settings.selects(clauses, check)

    # -- one check -------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Make the check, and see whether its clause applies to this relay."""
        clauses, needs = _clauses_of(item)
        self._finished = None
        if not clauses:
            return
        known = register()
        unknown = [clause for clause in clauses if clause not in known]
        parameters = _parameters(item)
        subject = self.surface.context.subject(parameters.get(_SUBJECT, ""))
        spec = subject.capabilities.spec
        check = Check(
            id=_check_id(item, clauses),
            clauses=clauses,
            level=MUST if unknown else level_of(clauses, known, spec),
            sentence=_function(item).removeprefix("test_").replace("_", " "),
            subject=subject,
            surface=self.surface,
            repetition=parameters.get(_REPETITION, 0),
            transcript=self._transcript(_check_id(item, clauses)),
        )
        item.stash[CHECK] = check
        self._running = check
        # _dress says how a check ended. pytest's excerpt of the code, which takes longer than most
        # checks take, would be thrown away.
        item.repr_failure = _briefly  # type: ignore[method-assign, assignment]
        if unknown:
            raise ScenarioMistake(f"{', '.join(unknown)} is not in fixtures/clauses.toml")
        for complaint in impatient_imports(item.path):
            raise ScenarioMistake(complaint)
        if parameters.get("via") == HTTP:
            needs = (*needs, "http")
        for clause in clauses:
            subject.require(
                known[clause],
                (*known[clause].needs, *needs),
                self.surface.context.settings.claims,
            )

    def _transcript(self, check: str) -> Transcript:
        """A new one, or the recorded one where checks are judged again."""
        evidence = self.surface.context.evidence
        if not evidence:
            return Transcript()
        return Playback(read_transcript(Path(evidence) / transcript_path(check)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Run the check's own code with nothing at hand that waits for time to pass."""
        if item.stash.get(CHECK, None) is None:
            return (yield)
        with no_waiting(item.path):
            return (yield)

    def pytest_assertrepr_compare(
        self, config: pytest.Config, op: str, left: object, right: object
    ) -> None:
        """Remember the two sides of a comparison that failed: seen and expected."""
        if self._running is not None:
            self._running.comparison = (_shown(left), _wanted(op, right))

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
            result = check.result(_plain(error))
            self._finished = result
            _dress(report, item, result, self.surface.context.baseline)
            report.user_properties.append((_RESULT, json.dumps(result.to_json())))
        if call.when == "teardown":
            self._running = None
        return report


def _briefly(error: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
    """What went wrong, for a report that says no more of it."""
    return str(error.value)


def _plain(error: BaseException | None) -> BaseException | None:
    """pytest's own skip and fail have no place in a scenario."""
    if isinstance(error, (pytest.skip.Exception, pytest.fail.Exception, pytest.xfail.Exception)):
        return ScenarioMistake(
            f"a scenario must not call pytest.{type(error).__name__.lower()}: raise NotApplicable, "
            "Inconclusive or Broken instead"
        )
    return error


def _dress(
    report: pytest.TestReport, item: pytest.Item, result: Result, baseline: Baseline | None
) -> None:
    """pytest's outcome: fail, inconclusive and error fail; warn passes; not applicable skips.

    A failure that the baseline knows of is an expected one.
    """
    known = baseline.covering(result) if baseline is not None else None
    if known is not None and result.verdict is not Verdict.WARN:
        report.outcome = "skipped"
        report.wasxfail = f"known: {known.reason}"
        report.longrepr = None
        return
    if result.verdict in (Verdict.PASS, Verdict.WARN):
        report.outcome = "passed"
        report.longrepr = None
    elif result.verdict is Verdict.NOT_APPLICABLE:
        path, line, _ = item.location
        report.outcome = "skipped"
        report.longrepr = (path, line or 0, f"not applicable: {result.reason}")
    else:
        report.outcome = "failed"
        title = f"{result.verdict}: {', '.join(result.clauses)} ({result.level})"
        report.longrepr = f"{title}\n{visible(result.reason)}\n" + "\n".join(
            f"  {frame.at:8.3f}  {frame.who} {frame.direction}: {on_one_line(frame.text[:300])}"
            for frame in result.frames[-8:]
        )


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _clauses_of(item: pytest.Item) -> tuple[tuple[str, ...], tuple[str, ...]]:
    mark = item.get_closest_marker("nip_ap_clause")
    return ((), ()) if mark is None else (mark.args, mark.kwargs.get("needs", ()))


def _parameters(item: pytest.Item) -> Mapping[str, Any]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec is not None else {}


def _function(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", item.name))


def _check_id(item: pytest.Item, clauses: Sequence[str]) -> str:
    callspec = getattr(item, "callspec", None)
    _, parameters = _split_hidden(callspec.id if callspec is not None else "")
    name = _function(item).removeprefix("test_")
    return f"{clauses[0]}/{name}{f'[{parameters}]' if parameters else ''}"


def _declared_id(metafunc: pytest.Metafunc) -> str:
    """The id of a check without its parameters."""
    mark = metafunc.definition.get_closest_marker("nip_ap_clause")
    assert mark is not None
    return f"{mark.args[0]}/{metafunc.function.__name__.removeprefix('test_')}"


def _wants_any(subject: Subject, declared: str) -> bool:
    """Whether any variant of a check is to run on a relay."""
    if subject.checks is None:
        return True
    return any(one.partition("[")[0] == declared for one in subject.checks)


def _wanted(op: str, value: object) -> str:
    return _shown(value) if op == "==" else f"{op} {_shown(value)}"


def _shown(value: object, longest: int = 400) -> str:
    text = _described(value)
    return text if len(text) <= longest else f"{text[:longest]}..."


def _described(value: object) -> str:
    """An event by what tells it from others, not by its key and signature."""
    if isinstance(value, Event):
        tags = ", ".join(" ".join(map(repr, tag)) for tag in value.tags[:3])
        return (
            f"event {value.id[:8]} (kind {value.kind}, created_at {value.created_at}, "
            f"tags {tags or 'none'}, content {value.content[:120]!r})"
        )
    if isinstance(value, (list, tuple)) and any(isinstance(one, Event) for one in value):
        return f"[{', '.join(map(_described, value))}]"
    return repr(value)
