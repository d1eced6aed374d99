"""One run: what it is asked to do, what it found, and its verdict. No pytest in here."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

from nip_ap.baseline import Baseline, KnownFailure
from nip_ap.capabilities import NO, YES, Capabilities
from nip_ap.clauses import INFO, MAY, MUST, SHOULD, Clause, Register
from nip_ap.evidence import Control, Inconclusive, NotApplicable, ScenarioMistake, UnmetClaim
from nip_ap.targets.recipe import Recipe
from nip_ap.verdict import RunVerdict, Verdict, run_verdict, worst
from nip_ap.wire import Frame

_NOT_PROBED = {
    "restart": "the suite does not control the relay's life (give --cmd, --image or --compose)",
    "limited-key": "no credential without users:write is at hand (a `limited` key in --keys)",
    "users-only-key": "no credential with users:write alone is at hand (`users-only` in --keys)",
    "load": "the relay is not on this machine and --load was not given",
    "migrator": "no migrator was given (--migrator CMD)",
}


@dataclass(frozen=True)
class Settings:
    """What a run was asked to do. Holds no secret: `keys` is the path of a file."""

    seed: str
    spec: str = "auto"
    only: tuple[str, ...] = ()
    auth: str = "nip42"
    keys: str | None = None
    answer_limit: float = 8.0
    repeat: int = 1
    examples: int = 50
    shrink: bool = True
    keep_all_frames: bool = False
    strict: bool = False
    migrator: str = ""
    migrator_load: int = 1000
    claims: tuple[str, ...] = ()
    load: bool = False
    publishers: int = 64
    subscribers: int = 16
    load_events: int = 6400
    load_seconds: float = 20.0
    kills: int = 2

    def selects(self, clauses: Iterable[str], check_id: str) -> bool:
        """Whether --only lets a check run: globs over groups, clause ids and check ids."""
        return not self.only or any(selects(one, clauses, check_id) for one in self.only)


def selects(pattern: str, clauses: Iterable[str], check_id: str) -> bool:
    """Whether one glob over groups, clause ids and check ids matches a check; case is ignored."""
    clauses = list(clauses)
    names = [check_id, *clauses, *(clause.split("-")[1] for clause in clauses)]
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in names)


@dataclass(frozen=True)
class Subject:
    """One relay of a run. Most runs have one, named ""; a proof has one for each rogue.

    `own` makes another such relay for a check that kills it; `log` is the file of its output.
    """

    name: str
    url: str
    capabilities: Capabilities
    is_disposable: bool = False
    abilities: tuple[str, ...] = ()
    checks: tuple[str, ...] | None = None
    preflight: tuple[Frame, ...] = ()
    """The transcript of the probes; workers do not need it."""
    own: Recipe | None = None
    log: str = ""

    def wants(self, check: str) -> bool:
        """Whether a check is to run on this relay; most runs have no such choice."""
        return self.checks is None or check in self.checks

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for workers."""
        return {
            "name": self.name,
            "url": self.url,
            "capabilities": self.capabilities.to_json(),
            "is_disposable": self.is_disposable,
            "abilities": list(self.abilities),
            "checks": self.checks,
            "own": None if self.own is None else self.own.to_json(),
            "log": self.log,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Subject:
        """What `to_json` gave."""
        return cls(
            name=value["name"],
            url=value["url"],
            capabilities=Capabilities.from_json(value["capabilities"]),
            is_disposable=value["is_disposable"],
            abilities=tuple(value["abilities"]),
            checks=None if value["checks"] is None else tuple(value["checks"]),
            own=None if value["own"] is None else Recipe.from_json(value["own"]),
            log=value["log"],
        )

    def require(self, clause: Clause, needs: Iterable[str], claims: Iterable[str] = ()) -> None:
        """Raise NotApplicable or Inconclusive where a clause cannot be judged on this relay.

        Raises UnmetClaim where that is for want of something that --claim says is there.
        """
        capabilities = self.capabilities
        if not capabilities.answers:
            raise Inconclusive(f"the relay did not answer the preflight: {capabilities.silence}")
        if not clause.holds_in(capabilities.spec):
            raise NotApplicable(
                f"{clause.id} is no part of revision {capabilities.spec} "
                f"({capabilities.spec_reason})"
            )
        for need in needs:
            try:
                self._require(need)
            except NotApplicable as error:
                if need not in claims:
                    raise
                raise UnmetClaim(f"{need}, as --claim says", str(error)) from None

    def _require(self, need: str) -> None:
        if need in self.abilities:
            return
        if need in _NOT_PROBED:
            raise NotApplicable(_NOT_PROBED[need])
        if need not in self.capabilities.found:
            raise ScenarioMistake(f"no probe and no ability is called {need!r}")
        found = self.capabilities[need]
        if found.offered == NO:
            raise NotApplicable(f"the relay does not offer {need}: {found.evidence}")
        if found.offered != YES:
            raise Inconclusive(f"whether the relay offers {need} is unknown: {found.evidence}")


@dataclass(frozen=True)
class Context:
    """What a worker process needs to run checks."""

    settings: Settings
    subjects: tuple[Subject, ...]
    evidence: str = ""
    """The folder of a report whose transcripts are judged again; "" where relays are tested."""
    given_keys: Mapping[str, str] = field(default_factory=dict)
    """The public keys, by role, whose secrets are not derived from the seed: those of --keys."""
    baseline: Baseline | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "evidence": self.evidence,
            "given_keys": dict(self.given_keys),
            "baseline": self.baseline and self.baseline.to_json(),
            "settings": asdict(self.settings),
            "subjects": [subject.to_json() for subject in self.subjects],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Context:
        """What `to_json` gave."""
        settings: dict[str, Any] = {
            name: tuple(item) if isinstance(item, list) else item
            for name, item in value["settings"].items()
        }
        return cls(
            Settings(**settings),
            tuple(map(Subject.from_json, value["subjects"])),
            value["evidence"],
            value["given_keys"],
            value["baseline"] and Baseline.from_json(value["baseline"]),
        )

    def subject(self, name: str) -> Subject:
        """The relay of that name."""
        return next(subject for subject in self.subjects if subject.name == name)


@dataclass(frozen=True)
class Result:
    """What one check found."""

    check: str
    clauses: tuple[str, ...]
    verdict: Verdict
    subject: str = ""
    repetition: int = 0
    level: str = MUST
    sentence: str = ""
    reason: str = ""
    expected: str = ""
    seen: str = ""
    controls: tuple[Control, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    frames: tuple[Frame, ...] = ()
    log: str = ""
    """What the relay wrote to its log meanwhile, where the check is red or undecided."""
    beyond: str = ""
    """Why the verdict does not follow from the frames alone; empty where it does."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object, frames included."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            **plain,
            "controls": [control.to_json() for control in self.controls],
            "frames": [frame.to_json() for frame in self.frames],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Result:
        """What `to_json` gave."""
        return cls(
            **{
                **value,
                "clauses": tuple(value["clauses"]),
                "verdict": Verdict(value["verdict"]),
                "controls": tuple(Control(**control) for control in value["controls"]),
                "notes": tuple(value["notes"]),
                "frames": tuple(Frame(**frame) for frame in value["frames"]),
            }
        )


_BROKEN = (Verdict.FAIL, Verdict.UNSTABLE)


def broken_at(level: str) -> Verdict:
    """The verdict of a check whose claim did not hold, by the level of its clause."""
    if level in (MAY, INFO):
        return Verdict.PASS
    return Verdict.WARN if level == SHOULD else Verdict.FAIL


def level_of(clauses: Sequence[str], register: Register, spec: str) -> str:
    """The strictest level among the clauses of a check."""
    order = [MUST, SHOULD, MAY, INFO]
    levels = [register[clause].level_for(spec) for clause in clauses]
    return min(levels, key=order.index)


@dataclass(frozen=True)
class Run:
    """The results of one relay, and what follows from them.

    `manifest` holds the id of each check that had to run, once for each repetition.
    """

    subject: Subject
    settings: Settings
    manifest: tuple[str, ...]
    results: tuple[Result, ...]
    baseline: Baseline | None = None

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Checks of the manifest that gave no result."""
        return tuple(
            (Counter(self.manifest) - Counter(one.check for one in self.results)).elements()
        )

    @cached_property
    def surplus(self) -> tuple[str, ...]:
        """Results beyond the manifest: a check that ran twice."""
        return tuple(
            (Counter(one.check for one in self.results) - Counter(self.manifest)).elements()
        )

    @property
    def is_complete(self) -> bool:
        """Whether every check of the manifest ran exactly once, and there was one."""
        return bool(self.manifest) and not self.missing and not self.surplus

    @cached_property
    def unmet_claims(self) -> tuple[str, ...]:
        """Capabilities that --claim says are there and that no probe found."""
        return tuple(
            claim
            for claim in self.settings.claims
            if claim not in self.subject.abilities and not self.subject.capabilities.offers(claim)
        )

    @cached_property
    def verdict(self) -> RunVerdict:
        """The verdict of the run; --strict takes a warning for a failure.

        What the baseline knows of is passed over, and then told: a run with known failures is not
        called conformant.
        """
        if self.unmet_claims and self.subject.capabilities.answers:
            return RunVerdict.NOT_CONFORMANT
        found = run_verdict(
            [self._strictly(one) for one in self.results if self.known(one) is None],
            complete=self.is_complete,
        )
        excused = [self._strictly(one) for one in self.results if self.known(one) is not None]
        broken = any(one in _BROKEN for one in excused)
        if found is RunVerdict.INCONCLUSIVE and self._is_undecided(excused):
            return found
        if found is RunVerdict.NOT_CONFORMANT:
            return found
        if self.baseline_faults:
            return RunVerdict.OUTDATED
        return RunVerdict.KNOWN_FAILURES if broken else found

    def _is_undecided(self, excused: Sequence[Verdict]) -> bool:
        """Whether more than the want of other results than excused ones leaves a run undecided."""
        unclear = self.counts[Verdict.INCONCLUSIVE] + self.counts[Verdict.ERROR]
        return not self.is_complete or bool(unclear) or not excused

    def _strictly(self, result: Result) -> Verdict:
        is_strict = self.settings.strict and result.verdict is Verdict.WARN
        return Verdict.FAIL if is_strict else result.verdict

    def known(self, result: Result) -> KnownFailure | None:
        """The entry of the baseline that knows of a red result."""
        return None if self.baseline is None else self.baseline.covering(result)

    @cached_property
    def baseline_faults(self) -> tuple[str, ...]:
        """What is wrong with the baseline itself."""
        return () if self.baseline is None else tuple(self.baseline.faults(self.results))

    @cached_property
    def by_clause(self) -> dict[str, Verdict]:
        """The verdict of each clause that had a check."""
        gathered: dict[str, list[Verdict]] = {}
        for result in self.results:
            for clause in result.clauses:
                gathered.setdefault(clause, []).append(result.verdict)
        return {clause: worst(verdicts) for clause, verdicts in gathered.items()}

    @property
    def counts(self) -> Counter[Verdict]:
        """How many checks got each verdict."""
        return Counter(one.verdict for one in self.results)

    @property
    def _told_of_the_baseline(self) -> list[str]:
        faults = self.baseline_faults
        return [f"on the baseline, {', '.join(faults)}"] if faults else []

    @property
    def why(self) -> str:
        """The verdict's reason in one sentence."""
        counts = self.counts
        if not self.manifest:
            return "no check ran"
        if self.verdict is RunVerdict.CONFORMANT:
            warned = f", {counts[Verdict.WARN]} with a warning" if counts[Verdict.WARN] else ""
            return (
                f"all {counts[Verdict.PASS] + counts[Verdict.WARN]} applicable checks hold{warned}"
            )
        if self.verdict is RunVerdict.NOT_CONFORMANT:
            broken = set(_BROKEN)
            if self.settings.strict:
                broken.add(Verdict.WARN)
            red = sorted(
                {
                    clause
                    for one in self.results
                    if one.verdict in broken and self.known(one) is None
                    for clause in one.clauses
                }
            )
            reasons = [f"{_clauses(len(red))} broken: {', '.join(red)}"] if red else []
            if self.unmet_claims:
                reasons.append(f"claimed and not found: {', '.join(self.unmet_claims)}")
            return "; ".join([*reasons, *self._told_of_the_baseline])
        if self.verdict is RunVerdict.OUTDATED:
            return "; ".join(self._told_of_the_baseline)
        if self.verdict is RunVerdict.KNOWN_FAILURES:
            known = sorted({one.clause for one in map(self.known, self.results) if one})
            return f"{_clauses(len(known))} broken, all on the baseline: {', '.join(known)}"
        if not self.subject.capabilities.answers:
            return f"the relay did not answer: {self.subject.capabilities.silence}"
        if self.missing or self.surplus:
            return (
                f"{len(self.missing)} check(s) of the manifest did not run and "
                f"{len(self.surplus)} ran more than once"
            )
        unclear = counts[Verdict.INCONCLUSIVE] + counts[Verdict.ERROR]
        if unclear:
            return f"{unclear} check(s) could not tell"
        return "no check applied to this relay"


def _clauses(number: int) -> str:
    return "1 clause" if number == 1 else f"{number} clauses"


def settled(results: Iterable[Result]) -> tuple[Result, ...]:
    """Results with repetitions folded: a check whose verdict differs between them is unstable."""
    by_check: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        by_check.setdefault((result.subject, result.check), []).append(result)
    return tuple(_folded(group) for group in by_check.values())


def _folded(group: list[Result]) -> Result:
    verdicts = {one.verdict for one in group}
    if len(verdicts) == 1:
        return group[0]
    one, other = group[0], next(each for each in group if each.verdict is not group[0].verdict)
    counts = Counter(str(each.verdict) for each in group)
    shown = ", ".join(f"{number} x {verdict}" for verdict, number in counts.items())
    worse = max(one, other, key=lambda each: list(Verdict).index(each.verdict))
    return Result(
        check=one.check,
        clauses=one.clauses,
        verdict=Verdict.UNSTABLE,
        subject=one.subject,
        level=one.level,
        sentence=one.sentence,
        reason=f"the verdict differs between {len(group)} repetitions: {shown}",
        expected=worse.expected or "the same verdict each time",
        seen=worse.seen or shown,
        controls=worse.controls,
        notes=tuple(note for each in (one, other) for note in each.notes),
        seconds=sum(each.seconds for each in group),
        frames=(*_titled(one), *_titled(other)),
    )


def _titled(result: Result) -> tuple[Frame, ...]:
    title = f"repetition {result.repetition + 1}: {result.verdict}"
    return (Frame(0.0, "suite", "", "note", title), *result.frames)
