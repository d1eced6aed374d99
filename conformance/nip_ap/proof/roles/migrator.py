"""Rogue migrators and ways to pin agents, and rogue relays under the honest migrator.

Three sessions: the checks of a migrator against the rogues of AP-MIG, those of pinned spawn config
against the rogues of AP-PIN, as against a third party's client, and those of a relay under
migration, with the honest migrator, against rogue relays that break what a migration depends on.
Runs of the migrator are forked from a warm process; the sizes of the heavy checks are scaled down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nip_ap.checking.preflight import probe
from nip_ap.clients.launch import WARM
from nip_ap.engine.declarations import declarations
from nip_ap.engine.runner import worker_count
from nip_ap.model.clauses import NOVEMBER
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.proof.finding import Finding
from nip_ap.proof.gallery import REFERENCE, Gallery, gallery_of
from nip_ap.proof.role import Page, Role, Task
from nip_ap.proof.session import run_checks
from nip_ap.rogue import ANYTHING, DEVIATION, NOISE, Rogue, listed
from nip_ap_client.rogues import ROGUES
from nip_ap_relay.rogues import ROGUES as RELAY_ROGUES

_COMMAND = (
    f"{WARM} --rogue {{subject}} --task {{task}} "
    "--base {base} --relay {relay} --key-file {key}"
)
_LOAD = 200
_MORE_WORKERS = 2
"""Some checks wait for the clock, so that more workers than cores are of use."""

MIGRATION, PINNING = "MIG", "PIN"

RELAYS: dict[str, tuple[str, str]] = {
    "first-write-wins": ("AP-MIG-13 AP-MIG-14 AP-MIG-18", "AP-MIG-17"),
    "last-write-wins": ("AP-MIG-14 AP-MIG-15", "AP-MIG-17"),
    "tie-highest-id": ("AP-MIG-14 AP-MIG-17", ""),
    "key-ignores-slug": ("AP-MIG-01", ""),
    "duplicate-refused": ("AP-MIG-11", ""),
    "future-clamped": ("AP-MIG-13", ""),
    "d-filter-ignored": ("AP-MIG-42", ""),
    "ids-filter-ignored": ("AP-MIG-42", ""),
    "foreign-deletion-honoured": ("AP-MIG-28", ""),
}
"""Rogue relays, the clauses that they break under the honest migrator, and those by chance: where
the ids of two events fall one way round."""


@dataclass(frozen=True)
class RelayUnderMigration(Rogue):
    """A relay that the honest migrator meets: a rogue, or the reference."""

    relay: str = REFERENCE


@dataclass(frozen=True)
class _Session:
    """One session: which scenario file it runs, and which rogues it puts before its checks."""

    file: str
    rogues: Sequence[Rogue]


def rogues() -> list[Rogue]:
    """The rogue clients, the honest one, and the relays."""
    return [*(one for one in ROGUES.values() if not one.reads), *_relays()]


def _relays() -> list[RelayUnderMigration]:
    plain = RelayUnderMigration("relay reference", "the reference relay", kind=NOISE)
    return [
        plain,
        *(
            RelayUnderMigration(
                name=f"relay {name}",
                because=RELAY_ROGUES[name].because,
                remedy=RELAY_ROGUES[name].remedy,
                turns_red=listed(red),
                blinds=frozenset((ANYTHING,)),
                by_chance=listed(by_chance),
                relay=name,
            )
            for name, (red, by_chance) in RELAYS.items()
        ),
    ]


def findings(task: Task) -> list[Finding]:
    """What was found on each rogue."""
    settings = Settings(seed=task.seed, spec=NOVEMBER, migrator=_COMMAND, migrator_load=_LOAD)
    workers = worker_count(task.workers) * (_MORE_WORKERS if task.workers == "auto" else 1)
    runs: dict[str, Run] = {}
    with gallery_of(settings) as gallery:
        for session in _sessions(task.rogues):
            subjects = _subjects(session.rogues, gallery)
            files = sorted({one.file for one in declarations() if one.file.match(session.file)})
            for run in run_checks(settings, subjects, files, workers, task.on_result):
                runs[run.subject.name] = _joined(runs.get(run.subject.name), run)
    return [Finding(rogue, runs[rogue.name], runs[rogue.name]) for rogue in task.rogues]


def _sessions(chosen: Sequence[Rogue]) -> list[_Session]:
    relays = [one for one in chosen if isinstance(one, RelayUnderMigration)]
    clients = [one for one in chosen if one not in relays]
    found = [
        _Session("migration/test_client*.py", [one for one in clients if _is_of(one, MIGRATION)]),
        _Session("pinned/test_*.py", [one for one in clients if _is_of(one, PINNING)]),
        _Session("migration/test_relay*.py", relays),
    ]
    return [one for one in found if one.rogues]


def _is_of(rogue: Rogue, group: str) -> bool:
    """Whether a rogue is about a group of clauses; the honest one is about all."""
    named = rogue.turns_red
    return rogue.kind != DEVIATION or any(one.startswith(f"AP-{group}-") for one in named)


def _subjects(chosen: Sequence[Rogue], gallery: Gallery) -> list[Subject]:
    """What is tested. Rogue clients stand before the reference relay, which is probed once."""
    settings, at = gallery.settings, gallery.target.url
    plain = probe(f"{at}/", settings, {})
    subjects = []
    for one in chosen:
        if not isinstance(one, RelayUnderMigration):
            subjects.append(Subject(one.name, f"{at}/", plain, True, ("migrator",)))
        elif one.relay == REFERENCE:
            subjects.append(Subject(one.name, f"{at}/", plain, True))
        else:
            url = f"{at}/{one.relay}/"
            subjects.append(Subject(one.name, url, probe(url, settings, {}), is_disposable=True))
    return subjects


def _joined(before: Run | None, run: Run) -> Run:
    """The runs of one rogue in several sessions as one."""
    if before is None:
        return run
    return replace(
        run, manifest=before.manifest + run.manifest, results=before.results + run.results
    )


ROLE = Role(
    name="migrator",
    plural="migrators",
    groups=frozenset((MIGRATION, PINNING)),
    rogues=rogues,
    findings=findings,
    page=Page(
        file="migrator-kill-matrix.md",
        title="The kill matrix of migrators",
        wrong="what a client did wrong",
        introduction=(
            "Each rogue is the suite's own migrator with one step overridden, or (P1 and on) its\n"
            "way to pin agents with one rule overridden; `relay ...` is a rogue relay under the\n"
            "honest one."
        ),
    ),
    each_check=False,
)
