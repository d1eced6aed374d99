"""The proof of a project's own checks: each of its rogues turns exactly its clauses red."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from nip_ap.engine.controller import SuiteController
from nip_ap.engine.own_scenarios import OwnScenarios, OwnScenariosFault, own_scenarios
from nip_ap.engine.runner import run_pytest, worker_count
from nip_ap.model.faults import UsageFault
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.reporting.legible import counted
from nip_ap.reporting.printing import painted, say
from nip_ap.targets import Target, kinds

FILE = "rogues.toml"
_FORM = """[[rogue]]
name = "pages-of-100"
cmd = "my-relay --port {port} --page 100"
turns_red = ["ACME-FAMILY-01"]
because = "It answers with a page of 100 where no limit was given."
"""
_KEYS = {"name", "cmd", "turns_red", "because"}


@dataclass(frozen=True)
class OwnRogue:
    """A relay, started by a command, that breaks own clauses on purpose."""

    name: str
    cmd: str
    turns_red: frozenset[str]
    because: str


def prove_own(folder: str, names: Sequence[str], workers: str, seed: str, stream: IO[str]) -> int:
    """Run own checks on own rogues, print who was caught by what, and give the exit code.

    Raises OwnScenariosFault, TargetError and Unreachable.
    """
    began = time.monotonic()
    own = own_scenarios(folder)
    rogues = _rogues_of(own, names)
    runs = _runs(own, rogues, workers, seed)
    caught = [_told(rogue, run, stream) for rogue, run in zip(rogues, runs, strict=True)]
    unbroken = [] if names else _never_broken(own, rogues)
    for clause in unbroken:
        say("  ", painted("✗", fg="red"), f" no rogue breaks {clause}; add one", file=stream)
    is_proven = all(caught) and not unbroken
    said = painted("proven" if is_proven else "not proven", bold=True)
    told = f": {counted(len(rogues), 'rogue')} of your own ({time.monotonic() - began:.0f} s)"
    say(said, told, file=stream)
    return 0 if is_proven else 1


def _runs(own: OwnScenarios, rogues: Sequence[OwnRogue], workers: str, seed: str) -> list[Run]:
    settings = Settings(seed, scenarios=own.folder, only=tuple(one.id for one in own.register))
    targets: dict[str, Target] = {
        one.name: kinds.target_of(kinds.chosen({"cmd": one.cmd})) for one in rogues
    }
    controller = SuiteController(settings, targets)
    try:
        controller.prepare()
        run_pytest(controller, worker_count(workers), files=own.files)
    finally:
        controller.close()
    return controller.own_runs()


def _told(rogue: OwnRogue, run: Run, stream: IO[str]) -> bool:
    """Whether a rogue was caught by exactly its clauses; what was otherwise is said."""
    red = {clause for one in run.results if one.verdict.is_red for clause in one.clauses}
    undecided = sorted(one.check for one in run.results if one.verdict.is_undecided)
    complaints = [f"{one} should be red, and is not" for one in sorted(rogue.turns_red - red)]
    complaints += [
        f"{one} is red, and is not in turns_red" for one in sorted(red - rogue.turns_red)
    ]
    complaints += [f"{one} is undecided" for one in undecided]
    sign = painted("✗", fg="red") if complaints else painted("✓", fg="green")
    say("  ", sign, f" {rogue.name}  {', '.join(sorted(red)) or run.verdict}", file=stream)
    for complaint in complaints:
        say(f"      {complaint}", file=stream)
    return not complaints


def _never_broken(own: OwnScenarios, rogues: Sequence[OwnRogue]) -> list[str]:
    broken = {clause for one in rogues for clause in one.turns_red}
    judged = {clause for one in own.declarations for clause in one.clauses}
    return [
        one.id
        for one in own.register
        if one.id in judged and one.id not in broken and not one.no_rogue
    ]


def _rogues_of(own: OwnScenarios, names: Sequence[str]) -> list[OwnRogue]:
    """The rogues of these names, or all. Raises OwnScenariosFault."""
    path = Path(own.folder) / FILE
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("rogue", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OwnScenariosFault(f"{path} cannot be read: {error}; its form is\n{_FORM}") from None
    found = {one.name: one for one in (_rogue(entry, own, path) for entry in entries)}
    if not found:
        raise OwnScenariosFault(f"{path} has no rogue; its form is\n{_FORM}")
    unknown = [name for name in names if name not in found]
    if unknown:
        raise OwnScenariosFault(f"{path}: no rogue is named {unknown[0]}; there are {list(found)}")
    return [found[name] for name in names] if names else list(found.values())


def _rogue(entry: Any, own: OwnScenarios, path: Path) -> OwnRogue:
    if not isinstance(entry, dict) or set(entry) != _KEYS:
        raise OwnScenariosFault(f"{path}: an entry has to be of this form:\n{_FORM}")
    unknown = [one for one in entry["turns_red"] if one not in own.register]
    if unknown:
        raise OwnScenariosFault(f"{path}: {entry['name']} turns {unknown[0]} red, no clause here")
    try:
        kinds.chosen({"cmd": entry["cmd"]})
    except UsageFault as error:
        raise OwnScenariosFault(f"{path}: {entry['name']}: {error}") from None
    return OwnRogue(
        entry["name"], entry["cmd"], frozenset(entry["turns_red"]), str(entry["because"])
    )
