"""Checks of a project's own (--scenarios): run in the same session, counted for themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import pytest

from nip_ap.engine.declarations import Declaration, ScenarioError, declarations, scenario_files
from nip_ap.model.check_id import CheckId
from nip_ap.model.clauses import Register, RegisterError, register
from nip_ap.model.faults import UsageFault
from nip_ap.model.own_clauses import FOLDER, own_register
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context


class OwnScenariosFault(UsageFault, ValueError):
    """A folder of own scenarios that cannot be used; the message says what to change."""


@dataclass(frozen=True)
class OwnScenarios:
    """What the folder of --scenarios holds; nothing where none was given."""

    folder: str = ""
    register: Register = field(default_factory=lambda: Register({}))
    declarations: tuple[Declaration, ...] = ()

    @property
    def files(self) -> list[Path]:
        """The files of checks."""
        return sorted({one.file for one in self.declarations})

    @cached_property
    def known(self) -> Register:
        """Every clause that a check of the session may name."""
        return register().with_more(self.register) if self.folder else register()

    def has(self, check: str) -> bool:
        """Whether a check, given by its id, is one of these."""
        return bool(self.folder) and CheckId.read(check).clause in self.register


@cache
def own_scenarios(folder: str) -> OwnScenarios:
    """The scenarios in a folder. Raises OwnScenariosFault."""
    if not folder:
        return OwnScenarios()
    place = Path(folder).resolve()
    if not place.is_dir():
        raise OwnScenariosFault(f"--scenarios {folder}: there is no such folder")
    try:
        clauses, checks = own_register(place), declarations(place)
    except (RegisterError, ScenarioError, SyntaxError) as error:
        raise OwnScenariosFault(f"--scenarios {folder}: {error}") from None
    found = OwnScenarios(folder, clauses, checks)
    if complaint := _complaint(found):
        raise OwnScenariosFault(f"--scenarios {folder}: {complaint}")
    return found


def settings_of(config: pytest.Config) -> Settings:
    """The settings of a session, which are known before its relay is."""
    if hasattr(config, "workerinput"):
        return Context.from_json(config.workerinput["nip_ap"]).settings
    settings = config.pluginmanager.getplugin("nip_ap_controller").settings
    assert isinstance(settings, Settings)
    return settings


def _complaint(found: OwnScenarios) -> str:
    """What is wrong with the folder as a whole; empty where nothing is."""
    judged = {clause for one in found.declarations for clause in one.clauses}
    for one in found.declarations:
        for clause in one.clauses:
            if clause not in found.register:
                return _stray(one, clause)
    for entry in found.register:
        if entry.id not in judged and not entry.reason:
            return (
                f"{entry.id} has no check; write one into test_*.py, "
                f"or give the clause a `reason` why there can be none"
            )
    suite = {file.name for file in scenario_files()}
    for file in found.files:
        if file.name in suite:
            return f"the suite has a file {file.name} too; give yours another name"
    return ""


def _stray(check: Declaration, clause: str) -> str:
    where = f"{check.file.name}:{check.line}: {check.function}"
    if clause in register():
        return (
            f"{where} judges {clause}, which is NIP-AP's and has its checks in the suite; "
            f"checks of your own judge clauses of your own, in {FOLDER}/*.toml"
        )
    return f"{where} judges {clause}, which is not in {FOLDER}/*.toml; add it there"
