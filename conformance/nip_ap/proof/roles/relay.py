"""Rogue relays: one gallery process serves them all, and one pytest session tests them all."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from nip_ap.engine.runner import worker_count
from nip_ap.model.clauses import NOVEMBER, register
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.proof.finding import Finding
from nip_ap.proof.gallery import gallery_of
from nip_ap.proof.plan import plan
from nip_ap.proof.recordings import completed, reference_run, version_of_the_suite
from nip_ap.proof.role import USUAL, Page, Role, Task, role_named, role_names
from nip_ap.proof.session import files_of_checks, files_of_groups, run_checks, workers_for
from nip_ap.rogue import DEVIATION, GENERAL, NOISE
from nip_ap_relay.rogues import ROGUES, RelayRogue

_ANSWER_LIMIT = 1.5
# Slow rogues keep a worker waiting, not computing: several workers share a core.
_WAITING_FACTOR = 5


def rogues() -> list[RelayRogue]:
    """All but those that differ from one repetition to the next."""
    return [one for one in ROGUES.values() if one.kind in (DEVIATION, GENERAL, NOISE)]


def findings(task: Task) -> list[Finding]:
    """What was found on each rogue. Raises ProofBroken."""
    return findings_beside_the_reference(task)[1]


def findings_beside_the_reference(task: Task) -> tuple[Run, list[Finding]]:
    """The run of the reference relay, and what was found on each rogue. Raises ProofBroken."""
    settings = Settings(
        seed=task.seed,
        spec=NOVEMBER,
        answer_limit=_ANSWER_LIMIT,
        shrink=False,
        keep_all_frames=True,
    )
    processes = worker_count(task.workers)
    chosen = [cast(RelayRogue, one) for one in task.rogues]
    cache = task.cache(version_of_the_suite(settings))
    files = files_of_groups(ROLE.groups)
    with gallery_of(settings) as gallery:
        reference = reference_run(gallery, files, processes, cache, task.on_result)
        wanted = {} if task.is_full else plan(chosen, reference, processes, cache)
        subjects = [
            replace(subject, checks=wanted.get(subject.name))
            for subject in gallery.subjects(chosen)
        ]
        checks = [check for each in wanted.values() for check in each]
        runs = run_checks(
            settings,
            subjects,
            files if task.is_full else files_of_checks(checks),
            processes * _WAITING_FACTOR
            if task.is_full
            else workers_for(len(checks), processes * _WAITING_FACTOR),
            task.on_result,
        )
    by_name = {run.subject.name: run for run in runs}
    return reference.run, [
        Finding(rogue, completed(by_name[rogue.name], reference.run), by_name[rogue.name])
        for rogue in chosen
    ]


def _groups() -> frozenset[str]:
    """All groups but those that rogue clients prove."""
    others = frozenset(
        group for name in role_names() if name != USUAL for group in role_named(name).groups
    )
    return frozenset(clause.group for clause in register()) - others


ROLE = Role(
    name=USUAL,
    plural="relays",
    groups=_groups(),
    rogues=rogues,
    findings=findings,
    page=Page(
        file="kill-matrix.md",
        title="The kill matrix",
        wrong="what a relay did wrong",
        introduction=(
            "A rogue is the bundled relay with one rule overridden. The suite has to find exactly\n"
            "the clauses that the rogue breaks: one that stays green is a blind check, one that\n"
            "is red besides blames the wrong clause, and either fails the proof."
        ),
    ),
)
