"""How a rogue client is declared, and the registry that the modules of this folder fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard, TypeVar

from nip_ap.rogue import ANYTHING, DEVIATION, NOISE, Rogue, listed
from nip_ap_client.family import FamilyMigrator
from nip_ap_client.migrator import Migrator
from nip_ap_client.pinned import PinnedAgents
from nip_ap_client.reader import Reader
from nip_ap_client.versions import FAMILY

__all__ = ["NOISE", "ROGUES", "ClientRogue", "rogue", "rogue_named"]

_Made = TypeVar("_Made", bound=type[Migrator] | type[PinnedAgents] | type[Reader])


@dataclass(frozen=True)
class ClientRogue(Rogue):
    """A client with one deviation: in its migrator, in how it pins agents, or in its reader."""

    migrator: type[Migrator] = Migrator
    family: tuple[type[FamilyMigrator], ...] = FAMILY
    pinned_agents: type[PinnedAgents] = PinnedAgents
    reader: type[Reader] = Reader

    @property
    def reads(self) -> bool:
        """Whether its deviation is in its reader."""
        return self.reader is not Reader


ROGUES: dict[str, ClientRogue] = {}


def rogue(
    name: str,
    *,
    because: str,
    remedy: str = "",
    turns_red: str = "",
    blinds: str = ANYTHING,
    by_chance: str = "",
    kind: str = DEVIATION,
    migrator: type[Migrator] = Migrator,
) -> Callable[[_Made], _Made]:
    """Declare a migrator, a way to pin agents or a reader as a rogue; clauses are in one string.

    A fault of a client leaves undecided whatever builds on it, so `blinds` is anything unless said.
    `migrator` is the one that works with rogue pins.
    """

    def register(made: _Made) -> _Made:
        if name in ROGUES:
            raise ValueError(f"two rogues are named {name}")
        ROGUES[name] = ClientRogue(
            name=name,
            because=because,
            remedy=remedy,
            turns_red=listed(turns_red),
            blinds=listed(blinds) if kind == DEVIATION else frozenset(),
            by_chance=listed(by_chance),
            kind=kind,
            migrator=made if _migrates_personas(made) else migrator,
            family=tuple(made if issubclass(made, one) else one for one in FAMILY),
            pinned_agents=made if issubclass(made, PinnedAgents) else PinnedAgents,
            reader=made if issubclass(made, Reader) else Reader,
        )
        return made

    return register


def _migrates_personas(made: type) -> TypeGuard[type[Migrator]]:
    return issubclass(made, Migrator) and not issubclass(made, FamilyMigrator)


def rogue_named(name: str) -> ClientRogue:
    """The rogue of that name. Raises ValueError naming them all."""
    if name not in ROGUES:
        raise ValueError(f"no rogue is named {name!r}; there are {', '.join(ROGUES)}")
    return ROGUES[name]
