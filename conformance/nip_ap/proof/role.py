"""What a proof needs to know of one kind of program that can be a rogue: a relay, a migrator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from nip_ap.model.faults import Fault
from nip_ap.model.result import Result
from nip_ap.proof.cache import Cache
from nip_ap.proof.finding import Finding
from nip_ap.rogue import Rogue

USUAL = "relay"
"""The role that is proved where none is named."""


class ProofBroken(Fault, RuntimeError):
    """The proof cannot be made; the message says why."""


@dataclass(frozen=True)
class Task:
    """One call of `nip-ap prove`, as far as running checks goes."""

    rogues: Sequence[Rogue]
    workers: str
    seed: str
    on_result: Callable[[Result, int], None]
    is_full: bool = False
    """Run every check on every rogue, rehearsing nothing."""
    cache: Callable[[str], Cache] = lambda version: Cache(None)
    """The cache of a version of the suite."""


@dataclass(frozen=True)
class Page:
    """Where the kill matrix of a role is in docs/, and how it begins."""

    file: str
    title: str
    wrong: str
    """The heading of the column that says what a rogue did wrong."""
    introduction: str


@dataclass(frozen=True)
class Role:
    """A kind of program. One module of proof/roles with a ROLE is all that it takes to add one."""

    name: str
    plural: str
    groups: frozenset[str]
    """The groups of clauses that its rogues prove."""
    rogues: Callable[[], Sequence[Rogue]]
    """All that a proof takes."""
    findings: Callable[[Task], list[Finding]]
    """Runs the checks on some rogues. Raises ProofBroken."""
    page: Page
    each_check: bool = True
    """Whether each check has to be turned red by some rogue, or each clause only."""


def role_names() -> list[str]:
    """The roles that there are, by the names of their modules; the usual one first."""
    found = [one.name for one in iter_modules([str(Path(__file__).with_name("roles"))])]
    return sorted(found, key=lambda name: (name != USUAL, name))


def role_named(name: str) -> Role:
    """One of `role_names`."""
    found: Role = import_module(f"nip_ap.proof.roles.{name}").ROLE
    return found
