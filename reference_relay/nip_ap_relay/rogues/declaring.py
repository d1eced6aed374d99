"""How a rogue relay is declared, and the registry that the modules of this folder fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nip_ap.rogue import ANYTHING, DEVIATION, GENERAL, NOISE, UNSTABLE, Rogue, listed
from nip_ap_relay.policy import NOVEMBER, Policy

__all__ = [
    "ANYTHING",
    "DEVIATION",
    "GENERAL",
    "NOISE",
    "ROGUES",
    "UNSTABLE",
    "RelayRogue",
    "rogue",
    "rogue_named",
]


@dataclass(frozen=True)
class RelayRogue(Rogue):
    """A relay with one deviation, in one revision of the protocol."""

    spec: str = NOVEMBER
    policy: type[Policy] = Policy

    def relay_policy(self, spec: str) -> Policy:
        """A policy of this rogue, which calls itself by its name."""
        made = self.policy(spec)
        made.name = self.name
        return made


ROGUES: dict[str, RelayRogue] = {}


def rogue(
    name: str,
    *,
    because: str,
    remedy: str = "",
    turns_red: str = "",
    blinds: str = "",
    by_chance: str = "",
    kind: str = DEVIATION,
    spec: str = NOVEMBER,
) -> Callable[[type[Policy]], type[Policy]]:
    """Declare a rogue; clauses are given as ids in one string, separated by spaces."""

    def register(policy: type[Policy]) -> type[Policy]:
        if name in ROGUES:
            raise ValueError(f"two rogues are named {name}")
        ROGUES[name] = RelayRogue(
            name=name,
            because=because,
            remedy=remedy,
            turns_red=listed(turns_red),
            blinds=listed(blinds),
            by_chance=listed(by_chance),
            kind=kind,
            spec=spec,
            policy=policy,
        )
        return policy

    return register


def rogue_named(name: str) -> RelayRogue:
    """The rogue of that name. Raises KeyError."""
    return ROGUES[name]
