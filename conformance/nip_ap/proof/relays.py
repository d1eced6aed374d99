"""`nip-ap prove`: the kill matrix. Every rogue is caught by exactly the clauses that it declares.

One gallery process serves all rogues, one pytest session runs the suite against all of them.
A clause on a rogue's list that stayed green is a blind check; a clause that went red and is not on
the list is a check that blames the wrong clause. Both fail.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import IO, Any

from nip_ap.checking.preflight import probe
from nip_ap.engine.controller import SuiteController
from nip_ap.engine.declarations import declarations
from nip_ap.engine.preparation import abilities, bundled_recipe, bundled_target
from nip_ap.engine.runner import run_pytest, worker_count
from nip_ap.model.clauses import MUST, NOVEMBER, SHOULD, register
from nip_ap.model.frame import NOTE, SENT
from nip_ap.model.recipe import Recipe
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.model.verdict import RunVerdict, Verdict
from nip_ap.reporting.printing import painted, say, say_json
from nip_ap.reporting.terminal import Progress
from nip_ap.targets import BundledTarget
from nip_ap.targets.kinds import own_recipe
from nip_ap_relay.policy import Policy
from nip_ap_relay.recording import Line, Recording
from nip_ap_relay.rehearsal import rehearse, shown_in
from nip_ap_relay.rogues import ANYTHING, DEVIATION, GENERAL, NOISE, ROGUES, Rogue

REFERENCE = "reference"

CLIENTS_GROUPS = ("MIG", "PIN")
"""Groups that `nip-ap prove --migrator` proves, with rogue clients and rogue relays."""

_DURABILITY = "AP-DUR-"
_ANSWER_LIMIT = 1.5
_PROBES_AT_ONCE = 8
_SHARES = 3
_NOT_THE_CLIENTS_HALF = "not test_client and not test_relay and not test_pinned"
# Slow rogues keep a worker waiting, not computing: several workers share a core.
_WAITING_FACTOR = 5

_INTRODUCED = re.compile(r"(.+) has the key ([0-9a-f]{64})\Z")
_CLOCK = re.compile(r"clock reads (\d+)")


class UnknownRogue(ValueError):
    """A name that no rogue has."""


class ProofBroken(RuntimeError):
    """The proof cannot be made; the message says why."""


@dataclass(frozen=True)
class Finding:
    """What became of one rogue."""

    rogue: Rogue
    run: Run
    ran: Run

    @property
    def red(self) -> frozenset[str]:
        """The clauses of the checks that went red, whatever other checks of them came to."""
        return frozenset(
            clause for one in self.run.results if one.verdict.is_red for clause in one.clauses
        )

    @property
    def blind(self) -> frozenset[str]:
        """The clauses that could not be decided and have no red check."""
        found = (clause for clause, one in self.run.by_clause.items() if one.is_undecided)
        return frozenset(found) - self.red

    @property
    def complaints(self) -> list[str]:
        """Why this rogue is not caught as declared; empty where it is."""
        if self.rogue.kind == NOISE:
            return self._noise()
        if self.rogue.kind == GENERAL:
            return self._general()
        return [
            *(f"{one} stayed green: a blind check" for one in sorted(self._declared - self.red)),
            *(f"{one} went red: it blames the wrong clause" for one in sorted(self._blamed)),
            *(f"{one} is undecided and not declared so" for one in sorted(self._undeclared)),
            *(f"{one} did not run" for one in self.run.missing[:3]),
        ]

    @property
    def _declared(self) -> frozenset[str]:
        judged = {clause for declaration in declarations() for clause in declaration.clauses}
        return self.rogue.turns_red & judged

    @property
    def _blamed(self) -> frozenset[str]:
        return self.red - self.rogue.turns_red - self.rogue.by_chance

    @property
    def _undeclared(self) -> frozenset[str]:
        if ANYTHING in self.rogue.blinds:
            return frozenset()
        return self.blind - self.rogue.blinds - self.rogue.turns_red

    def _noise(self) -> list[str]:
        if self.run.verdict is RunVerdict.CONFORMANT:
            return []
        return [f"a conformant relay was found {self.run.verdict}: {self.run.why}"]

    def _general(self) -> list[str]:
        passed = [
            f"{one.check} passed although it claims a negative"
            for one in self.run.results
            if one.verdict is Verdict.PASS and one.controls
        ]
        if self.run.verdict is RunVerdict.CONFORMANT:
            passed.append("the run was conformant")
        return passed

    def to_json(self) -> dict[str, Any]:
        """A row of the matrix."""
        killers = {
            clause: [
                one.check
                for one in self.run.results
                if clause in one.clauses and one.verdict.is_red
            ]
            for clause in sorted(self.red)
        }
        return {
            "rogue": self.rogue.name,
            "because": self.rogue.because,
            "kind": self.rogue.kind,
            "declared": sorted(self.rogue.turns_red),
            "red": sorted(self.red),
            "undecided": sorted(self.blind),
            "caught_by": killers,
            "verdict": str(self.run.verdict),
            "checks_run": len(self.ran.results),
            "seconds_of_checks": round(sum(one.seconds for one in self.ran.results), 1),
            "complaints": self.complaints,
        }


class ProofController(SuiteController):
    """A controller whose subjects are relays of one gallery."""

    def __init__(self, settings: Settings, subjects: Sequence[Subject]) -> None:
        super().__init__(settings, {})
        self.context = Context(settings, tuple(subjects))


@dataclass(frozen=True)
class Gallery:
    """The process that serves the reference relay and every rogue."""

    settings: Settings
    target: BundledTarget

    def subjects(self, rogues: Sequence[Rogue]) -> list[Subject]:
        """The rogues as relays to test, probed."""
        with ThreadPoolExecutor(_PROBES_AT_ONCE) as pool:
            return list(pool.map(lambda rogue: self.subject(rogue.name), rogues))

    def subject(self, name: str, spec: str = NOVEMBER) -> Subject:
        """One relay of the gallery, probed; REFERENCE is the one without a deviation, in `spec`."""
        url = f"{self.target.url}/" if name == REFERENCE else f"{self.target.url}/{name}/"
        spec = spec if name == REFERENCE else ROGUES[name].spec
        found = probe(url, replace(self.settings, spec=spec), {})
        own = self._own(name)
        able = abilities(self.target, url, self.settings, own)
        return Subject(name, url, found, is_disposable=True, abilities=able, own=own)

    def _own(self, name: str) -> Recipe | None:
        """For checks that kill their relay: the reference in a process, and rogues of that kind.

        All other rogues live in the gallery alone; a start and a kill of each would take minutes.
        """
        if name == REFERENCE:
            return own_recipe(bundled_recipe(self.settings))
        listed = ROGUES[name].turns_red | ROGUES[name].blinds
        if not any(clause.startswith(_DURABILITY) for clause in listed):
            return None
        settings = replace(self.settings, spec=ROGUES[name].spec)
        return own_recipe(bundled_recipe(settings, "--rogue", name))

    def run(
        self, subjects: Sequence[Subject], workers: int, progress: Progress | None
    ) -> list[Run]:
        """Run the checks that the subjects want. Raises ProofBroken where none can be collected."""
        controller = ProofController(self.settings, subjects)
        if progress is not None:
            controller.on_result = progress.add
        printed = run_pytest(controller, workers, "-k", _NOT_THE_CLIENTS_HALF)
        runs = controller.runs()
        if not any(run.manifest for run in runs):
            raise ProofBroken(f"no check could be collected:\n{printed}")
        return runs


def recordings_of(run: Run) -> list[Recording]:
    """What each check of a run sent, for rehearsals."""
    return [_recording(result) for result in run.results]


def _recording(result: Result) -> Recording:
    keys, lines, clock = {}, [], 0
    for frame in result.frames:
        if frame.direction == NOTE:
            introduced = _INTRODUCED.match(frame.text)
            if introduced:
                keys[introduced.group(1)] = introduced.group(2)
            read = _CLOCK.match(frame.text)
            clock = int(read.group(1)) if read else clock
        else:
            sent = frame.direction == SENT
            lines.append(Line(frame.at, frame.who, frame.door, sent, frame.text))
    return Recording(result.check, clock, keys, tuple(lines))


def affected_checks(
    rogue: Rogue, recordings: Sequence[Recording], url: str, plain: Mapping[str, str]
) -> tuple[str, ...]:
    """The checks that a rogue answers otherwise than the reference, and those it declares.

    `plain` are the digests of the reference's answers.
    """
    declared = tuple(
        one.check for one in recordings if one.check.partition("/")[0] in rogue.turns_red
    )
    all_checks = tuple(one.check for one in recordings)
    if rogue.kind != DEVIATION or rogue.spec != NOVEMBER:
        return all_checks
    shown = shown_in(rogue, recordings)
    if len(shown) == len(all_checks):
        return all_checks
    answers = rehearse(recordings, url, rogue.relay_policy(NOVEMBER))
    differing = tuple(check for check, digest in answers.items() if digest != plain[check])
    return tuple(dict.fromkeys((*differing, *shown, *declared)))


def plan(rogues: Sequence[Rogue], reference: Run, workers: int) -> dict[str, tuple[str, ...]]:
    """The checks to run on each rogue, by rehearsing all others."""
    recordings, url = recordings_of(reference), reference.subject.url
    plain = rehearse(recordings, url, Policy(NOVEMBER))
    shares = shared_out([rogue.name for rogue in rogues], workers)
    found: dict[str, tuple[str, ...]] = {}
    with ProcessPoolExecutor(workers) as pool:
        rest = (repeat(recordings), repeat(url), repeat(plain))
        for part in pool.map(affected_by_names, shares, *rest):
            found |= part
    return found


def shared_out(names: Sequence[str], workers: int) -> list[Sequence[str]]:
    """Names in a few shares a worker: recordings are large, and travel with each share."""
    number = workers * _SHARES
    return [names[start::number] for start in range(min(number, len(names)))]


def affected_by_names(
    names: Sequence[str], recordings: Sequence[Recording], url: str, plain: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """As affected_checks; for another process, which knows rogues by their names."""
    return {name: affected_checks(ROGUES[name], recordings, url, plain) for name in names}


def completed(run: Run, reference: Run) -> Run:
    """A rogue's run, with the reference's results for the checks that it answers alike."""
    ran = {result.check for result in run.results}
    same = tuple(
        replace(result, subject=run.subject.name)
        for result in reference.results
        if result.check not in ran and not run.subject.wants(result.check)
    )
    return replace(
        run,
        manifest=(*run.manifest, *(result.check for result in same)),
        results=(*run.results, *same),
    )


def rogues_named(names: Sequence[str]) -> list[Rogue]:
    """The rogues of these names, or all that a proof takes. Raises UnknownRogue."""
    unknown = [name for name in names if name not in ROGUES]
    if unknown:
        raise UnknownRogue(
            f"no rogue is named {', '.join(unknown)}; `nip-ap relay --rogue list` shows them"
        )
    if names:
        return [ROGUES[name] for name in names]
    return [one for one in ROGUES.values() if one.kind in (DEVIATION, GENERAL, NOISE)]


def idle_checks(findings: Sequence[Finding]) -> list[str]:
    """Checks of a MUST or SHOULD that no rogue turned red: nothing shows that they can fail."""
    known = register()
    red = {
        result.check.partition("[")[0]
        for finding in findings
        if finding.rogue.kind == DEVIATION
        for result in finding.run.results
        if result.verdict.is_red
    }
    return [
        declaration.check_id()
        for declaration in declarations()
        if declaration.check_id() not in red
        and any(
            known[clause].level in (MUST, SHOULD)
            and known[clause].group not in CLIENTS_GROUPS
            and not known[clause].no_rogue
            for clause in declaration.clauses
        )
    ]


def unproven_clauses() -> list[str]:
    """MUST and SHOULD clauses with a check, and with neither a rogue nor a reason for none."""
    known = register()
    judged = {clause for declaration in declarations() for clause in declaration.clauses}
    covered = {clause for rogue in ROGUES.values() for clause in rogue.turns_red}
    return [
        clause.id
        for clause in known
        if clause.id in judged
        and clause.group not in CLIENTS_GROUPS
        and clause.level in (MUST, SHOULD)
        and clause.id not in covered
        and not clause.no_rogue
    ]


def prove_rogues(
    names: Sequence[str],
    workers: str,
    seed: str,
    stream: IO[str],
    *,
    as_json: bool,
    page: Path | None,
    full: bool,
) -> int:
    """Run the proof, print the matrix, and give the exit code. Raises UnknownRogue.

    `full` runs every check on every rogue instead of rehearsing first.
    """
    began = time.monotonic()
    rogues = rogues_named(names)
    progress = None if as_json else Progress(stream)
    _, findings = findings_of(rogues, workers, seed, progress, full=full)
    complaints = [] if names else _gaps(findings)
    matrix = _matrix(findings, complaints, seed, time.monotonic() - began)
    if as_json:
        say_json(matrix, stream)
    else:
        _print(matrix, stream)
    if page is not None:
        page.write_text(_page(matrix), encoding="utf-8")
    return 0 if matrix["proven"] else 1


def findings_of(
    rogues: Sequence[Rogue], workers: str, seed: str, progress: Progress | None, *, full: bool
) -> tuple[Run, list[Finding]]:
    """The run of the reference, and what became of each rogue. Raises ProofBroken."""
    settings = Settings(
        seed=seed,
        spec=NOVEMBER,
        answer_limit=_ANSWER_LIMIT,
        shrink=False,
        keep_all_frames=True,
    )
    target = bundled_target(settings, "--gallery")
    processes = worker_count(workers)
    try:
        target.start()
        gallery = Gallery(settings, target)
        (reference,) = gallery.run([gallery.subject(REFERENCE)], processes, progress)
        if reference.verdict is not RunVerdict.CONFORMANT:
            raise ProofBroken(f"the reference relay itself is {reference.verdict}: {reference.why}")
        wanted = {} if full else plan(rogues, reference, processes)
        subjects = [
            replace(subject, checks=wanted.get(subject.name))
            for subject in gallery.subjects(rogues)
        ]
        runs = gallery.run(subjects, processes * _WAITING_FACTOR, progress)
    finally:
        target.stop()
        if progress is not None:
            progress.clear()
    by_name = {run.subject.name: run for run in runs}
    return reference, [
        Finding(rogue, completed(by_name[rogue.name], reference), by_name[rogue.name])
        for rogue in rogues
    ]


def _gaps(findings: Sequence[Finding]) -> list[str]:
    return [
        *(f"{clause}: no rogue breaks it" for clause in unproven_clauses()),
        *(f"{check}: no rogue turns this check red" for check in idle_checks(findings)),
    ]


def _matrix(
    findings: Sequence[Finding], complaints: Sequence[str], seed: str, seconds: float
) -> dict[str, Any]:
    rows = [finding.to_json() for finding in findings]
    return {
        "format": "nip-ap-proof/1",
        "seed": seed,
        "seconds": round(seconds, 1),
        "checks_run": sum(len(finding.ran.results) for finding in findings),
        "rogues": rows,
        "complaints": list(complaints),
        "proven": not complaints and not any(row["complaints"] for row in rows),
    }


def _print(matrix: Mapping[str, Any], stream: IO[str]) -> None:
    for row in matrix["rogues"]:
        good = not row["complaints"]
        sign = painted("✓" if good else "✗", fg="green" if good else "red")
        caught = ", ".join(row["red"]) or row["verdict"]
        if row["kind"] == GENERAL:
            caught = f"{row['verdict']}, {len(row['red'])} clauses red"
        say("  ", sign, f" {row['rogue']:<32} {caught}", file=stream)
        for complaint in row["complaints"]:
            say(f"      {complaint}", file=stream)
    for complaint in matrix["complaints"]:
        say("  ", painted("✗", fg="red"), f" {complaint}", file=stream)
    verdict = "proven" if matrix["proven"] else "not proven"
    say(
        painted(verdict, bold=True),
        f": {len(matrix['rogues'])} rogues, "
        f"{matrix['checks_run']} checks run ({matrix['seconds']:.0f} s)",
        file=stream,
    )


def _page(matrix: Mapping[str, Any]) -> str:
    """The matrix as Markdown for docs/."""
    rows = matrix["rogues"]
    lines = [
        "# The kill matrix",
        "",
        "Written by `nip-ap prove --page docs/kill-matrix.md`; do not edit. A rogue is the bundled",
        "relay with one rule overridden. The suite has to find exactly the clauses that the rogue",
        "breaks: one that stays green is a blind check, one that is red besides blames the wrong",
        "clause, and either fails the proof.",
        "",
        f"{len(rows)} rogues, {matrix['checks_run']} checks run, seed {matrix['seed']}. "
        f"**{'Proven' if matrix['proven'] else 'Not proven'}.**",
        "",
        "## By rogue",
        "",
        "| rogue | what a relay did wrong | clauses it turns red | undecided |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        is_deviation = row["kind"] == DEVIATION
        red = ", ".join(row["red"]) if is_deviation else f"({row['verdict']})"
        undecided = ", ".join(row["undecided"]) if is_deviation else ""
        lines.append(f"| {row['rogue']} | {row['because']} | {red} | {undecided} |")
    lines += [
        "",
        "## By clause",
        "",
        "| clause | level | rogues that break it, and how many checks found each |",
        "| --- | --- | --- |",
    ]
    for clause in register():
        found = [
            f"{row['rogue']} ({len(row['caught_by'][clause.id])})"
            for row in rows
            if row["kind"] == DEVIATION and clause.id in row["caught_by"]
        ]
        why = ", ".join(found) or (f"none: {clause.no_rogue}" if clause.no_rogue else "")
        if why and clause.group not in CLIENTS_GROUPS:
            lines.append(f"| {clause.id} | {clause.level} | {why} |")
    return "\n".join(lines) + "\n"
