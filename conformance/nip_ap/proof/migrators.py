"""`nip-ap prove --migrator`: every rogue migrator is caught by exactly the clauses it declares.

One pytest session runs the checks of side (b) against all rogues; the name of the rogue is a
hidden parameter, as the relays' are in nip_ap.proof. Runs of the migrator are forked from a warm
process; the sizes of the heavy checks are scaled down. A second session runs the checks of pinned
spawn config against the rogues of AP-PIN, as against a third party's client. A third runs side
(a), with the honest migrator, against rogue relays that break what a migration depends on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from nip_ap.checking.preflight import probe
from nip_ap.clients.launch import WARM
from nip_ap.engine.controller import SuiteController
from nip_ap.engine.declarations import declarations
from nip_ap.engine.runner import run_pytest, worker_count
from nip_ap.model.clauses import MUST, NOVEMBER, SHOULD, register
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.model.verdict import Verdict
from nip_ap.proof.relays import CLIENTS_GROUPS, REFERENCE, UnknownRogue
from nip_ap.reporting.printing import painted, say, say_json
from nip_ap.reporting.terminal import Progress
from nip_ap.targets import BundledTarget
from nip_ap_client.migrator import Migrator
from nip_ap_client.rogues import HALVES, RELAY, ROGUES, Rogue, clauses
from nip_ap_relay.rogues import ROGUES as RELAY_ROGUES

HONEST = "honest"
"""The migrator without a deviation: it has to come out green."""

_COMMAND = (
    f"{WARM} --rogue {{subject}} --task {{task}} "
    "--base {base} --relay {relay} --key-file {key}"
)
_LOAD = 200
RELAYS = {
    "reference": (),
    "first-write-wins": (13, 14, 18),
    "last-write-wins": (14, 15),
    "tie-highest-id": (14, 17),
    "key-ignores-slug": (1,),
    "duplicate-refused": (11,),
    "future-clamped": (13,),
    "d-filter-ignored": (42,),
    "ids-filter-ignored": (42,),
    "foreign-deletion-honoured": (28,),
}
"""Rogue relays of nip_ap_relay.rogues, and the numbers of AP-MIG that side (a) finds broken."""

_BY_CHANCE = {"first-write-wins": (17,), "last-write-wins": (17,)}
"""What is broken only where the ids of two events fall one way round."""

_MORE_WORKERS = 2
"""Some checks wait for the clock, so that more workers than cores are of use."""


@dataclass(frozen=True)
class Finding:
    """What became of one rogue migrator."""

    rogue: Rogue
    run: Run

    @property
    def red(self) -> frozenset[str]:
        """The clauses that went red."""
        return frozenset(clause for clause, one in self.run.by_clause.items() if one.is_red)

    @property
    def undecided(self) -> frozenset[str]:
        """The clauses that could not be decided, because something more basic is broken."""
        return frozenset(clause for clause, one in self.run.by_clause.items() if one.is_undecided)

    @property
    def complaints(self) -> list[str]:
        """Why this rogue is not caught as declared; empty where it is."""
        errors = [one.check for one in self.run.results if one.verdict is Verdict.ERROR]
        return [
            *(f"{one} stayed green: a blind check" for one in sorted(self._missed)),
            *(f"{one} went red: it blames the wrong clause" for one in sorted(self._blamed)),
            *(f"{one} is an error of the suite" for one in errors),
            *(f"{one} did not run" for one in self.run.missing[:3]),
            *(f"{one} is undecided" for one in sorted(self._doubts)),
        ]

    @property
    def _missed(self) -> frozenset[str]:
        return self.rogue.turns_red - self.red

    @property
    def _blamed(self) -> frozenset[str]:
        return self.red - self.rogue.turns_red - self.rogue.may_turn_red

    @property
    def _doubts(self) -> frozenset[str]:
        """The honest migrator, and the reference relay, leave nothing undecided."""
        return self.undecided if not self.rogue.turns_red else frozenset()

    def to_json(self) -> dict[str, Any]:
        """A row of the matrix."""
        return {
            "rogue": self.rogue.name,
            "because": self.rogue.because,
            "declared": sorted(self.rogue.turns_red),
            "may_turn_red": sorted(self.rogue.may_turn_red),
            "red": sorted(self.red),
            "undecided": sorted(self.undecided),
            "caught_by": {
                clause: sorted(
                    one.check
                    for one in self.run.results
                    if clause in one.clauses and one.verdict.is_red
                )
                for clause in sorted(self.red)
            },
            "complaints": self.complaints,
        }


class MigratorProof(SuiteController):
    """A controller whose subjects are rogue migrators, or rogue relays."""

    def __init__(self, settings: Settings, subjects: Sequence[Subject]) -> None:
        super().__init__(settings, {})
        self.context = Context(settings, tuple(subjects))


def rogue_relays() -> list[Rogue]:
    """The rogue relays, declared as the rogue migrators are."""
    return [
        Rogue(
            f"relay {name}",
            "the reference relay" if name == REFERENCE else RELAY_ROGUES[name].because,
            clauses(numbers),
            Migrator,
            clauses(_BY_CHANCE.get(name, ())),
            halves=(RELAY,),
        )
        for name, numbers in RELAYS.items()
    ]


def _subjects(rogues: Sequence[Rogue], gallery: BundledTarget, settings: Settings) -> list[Subject]:
    """What is tested. Rogue migrators stand beside the reference relay, which is probed once."""
    plain = probe(f"{gallery.url}/", settings, {})
    subjects = []
    for one in rogues:
        name = one.name.removeprefix("relay ")
        if RELAY in one.halves and name != REFERENCE:
            url = f"{gallery.url}/{name}/"
            subjects.append(Subject(one.name, url, probe(url, settings, {}), is_disposable=True))
        else:
            able = () if RELAY in one.halves else ("migrator",)
            subjects.append(Subject(one.name, f"{gallery.url}/", plain, True, able))
    return subjects


def rogues_named(names: Sequence[str]) -> list[Rogue]:
    """The rogues of these names, or all and the honest migrator. Raises UnknownRogue."""
    known = {one.name: one for one in [*ROGUES.values(), *rogue_relays()]}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UnknownRogue(
            f"no rogue migrator is named {', '.join(unknown)}; there are {', '.join(known)}"
        )
    return [known[name] for name in names or known]


def prove_migrators(
    names: Sequence[str],
    workers: str,
    seed: str,
    stream: IO[str],
    *,
    as_json: bool,
    page: Path | None,
) -> int:
    """Run the proof, print the matrix, and give the exit code. Raises UnknownRogue."""
    began = time.monotonic()
    settings = Settings(
        seed=seed,
        spec=NOVEMBER,
        migrator=_COMMAND,
        migrator_load=_LOAD,
    )
    rogues = rogues_named(names)
    progress = Progress(stream)
    count = worker_count(workers) * (_MORE_WORKERS if workers == "auto" else 1)
    gallery = BundledTarget(("--gallery", "--spec", settings.spec))
    runs: dict[str, Run] = {}
    try:
        gallery.start()
        for half in HALVES:
            chosen = [one for one in rogues if half in one.halves]
            if chosen:
                controller = MigratorProof(settings, _subjects(chosen, gallery, settings))
                if not as_json:
                    controller.on_result = progress.add
                run_pytest(controller, count, "-k", half)
                for run in controller.runs():
                    runs[run.subject.name] = _joined(runs.get(run.subject.name), run)
    finally:
        gallery.stop()
    progress.clear()
    findings = [Finding(rogue, runs[rogue.name]) for rogue in rogues]
    complaints = [] if names else [f"{one}: no rogue breaks it" for one in unproven_clauses()]
    matrix = _matrix(findings, complaints, seed, time.monotonic() - began)
    if as_json:
        say_json(matrix, stream)
    else:
        _print(matrix, stream)
    if page is not None:
        page.write_text(_page(matrix), encoding="utf-8")
    return 0 if matrix["proven"] else 1


def unproven_clauses() -> list[str]:
    """MUST and SHOULD clauses of MIG and PIN with a check, and no rogue nor a reason for none."""
    judged = {clause for declaration in declarations() for clause in declaration.clauses}
    covered = {
        clause for rogue in (*ROGUES.values(), *rogue_relays()) for clause in rogue.turns_red
    }
    return [
        clause.id
        for clause in register()
        if clause.group in CLIENTS_GROUPS
        and clause.level in (MUST, SHOULD)
        and clause.id in judged - covered
        and not clause.no_rogue
    ]


def _joined(before: Run | None, run: Run) -> Run:
    """The runs of one rogue in several sessions as one."""
    if before is None:
        return run
    return replace(
        run, manifest=before.manifest + run.manifest, results=before.results + run.results
    )


def _matrix(
    findings: Sequence[Finding], complaints: Sequence[str], seed: str, seconds: float
) -> dict[str, Any]:
    rows = [finding.to_json() for finding in findings]
    return {
        "format": "nip-ap-proof/1",
        "seed": seed,
        "seconds": round(seconds, 1),
        "checks_run": sum(len(finding.run.results) for finding in findings),
        "rogues": rows,
        "complaints": list(complaints),
        "proven": not complaints and not any(row["complaints"] for row in rows),
    }


def _print(matrix: dict[str, Any], stream: IO[str]) -> None:
    for row in matrix["rogues"]:
        good = not row["complaints"]
        sign = painted("✓" if good else "✗", fg="green" if good else "red")
        red = ", ".join(row["red"]) or "green"
        say("  ", sign, f" {row['rogue']:<26} {red}", file=stream)
        for complaint in row["complaints"]:
            say(f"      {complaint}", file=stream)
    for complaint in matrix["complaints"]:
        say("  ", painted("✗", fg="red"), f" {complaint}", file=stream)
    verdict = "proven" if matrix["proven"] else "not proven"
    say(
        painted(verdict, bold=True),
        f": {len(matrix['rogues'])} migrators, "
        f"{matrix['checks_run']} checks run ({matrix['seconds']:.0f} s)",
        file=stream,
    )


def _page(matrix: dict[str, Any]) -> str:
    """The matrix as Markdown for docs/."""
    lines = [
        "# The kill matrix of migrators",
        "",
        "Written by `nip-ap prove --migrator --page`; do not edit. Each rogue is the suite's own",
        "migrator with one step overridden, or (P1 and on) its keeper of agents with one rule",
        "overridden; `relay ...` is a rogue relay under the honest one.",
        "",
        "| rogue | what a client did wrong | clauses it turns red |",
        "| --- | --- | --- |",
    ]
    for row in matrix["rogues"]:
        lines.append(f"| {row['rogue']} | {row['because']} | {', '.join(row['red'])} |")
    return "\n".join([*lines, ""])
