"""Rogue readers: our own with one step overridden, before the relay that plays scripts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from nip_ap.checking.preflight import probe
from nip_ap.clients.launch import WARM
from nip_ap.engine.preparation import reader_abilities
from nip_ap.engine.runner import worker_count
from nip_ap.model.clauses import NOVEMBER
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.proof.finding import Finding
from nip_ap.proof.gallery import gallery_of
from nip_ap.proof.role import Page, Role, Task
from nip_ap.proof.session import files_of_groups, run_checks
from nip_ap.rogue import NOISE
from nip_ap_client.rogues import ROGUES, ClientRogue

_COMMAND = (
    f"{WARM} personas --rogue {{subject}} --relay {{relay}} --owner {{owner}} --slug {{slug}} "
    "--key-file {key} --json"
)
_LOAD = 60
"""Personas that stand for ten thousand; more than a page are in the script of pages."""
_MORE_WORKERS = 4
"""Some checks wait for a relay that pauses, so that more workers than cores are of use."""


def rogues() -> list[ClientRogue]:
    """The rogue readers, and the honest one."""
    return [one for one in ROGUES.values() if one.reads or one.kind == NOISE]


def findings(task: Task) -> list[Finding]:
    """What was found on each rogue."""
    settings = Settings(seed=task.seed, spec=NOVEMBER, reader=_COMMAND, reader_load=_LOAD)
    with gallery_of(settings) as gallery:
        at = f"{gallery.target.url}/"
        subject = partial(
            Subject,
            url=at,
            capabilities=probe(at, settings, {}),
            is_disposable=True,
            abilities=tuple(reader_abilities(_COMMAND)),
        )
        runs = run_checks(
            settings,
            _named(subject, [one.name for one in task.rogues]),
            files_of_groups(ROLE.groups),
            worker_count(task.workers) * (_MORE_WORKERS if task.workers == "auto" else 1),
            task.on_result,
        )
    by_name = {run.subject.name: run for run in runs}
    return [Finding(rogue, by_name[rogue.name], by_name[rogue.name]) for rogue in task.rogues]


def _named(subject: partial[Subject], names: Sequence[str]) -> list[Subject]:
    return [subject(name) for name in names]


ROLE = Role(
    name="reader",
    plural="readers",
    groups=frozenset(("READER", "WRITER")),
    rogues=rogues,
    findings=findings,
    page=Page(
        file="reader-kill-matrix.md",
        title="The kill matrix of readers",
        wrong="what a reader did wrong",
        introduction="Each rogue is the suite's own reader with one step overridden.",
    ),
)
