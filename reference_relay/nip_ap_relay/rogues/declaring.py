"""What a rogue is, and the registry that the modules of this folder fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nip_ap_relay.policy import NOVEMBER, Policy

ANYTHING = "*"
"""For `blinds`: this rogue takes along whatever runs just then, so any check may be undecided."""

DEVIATION, GENERAL, NOISE, UNSTABLE = "deviation", "general", "noise", "unstable"


@dataclass(frozen=True)
class Rogue:
    """A named deviation.

    kind: `deviation` turns exactly its list red; `general` is broken all over, and no check with a
    negative claim may pass on it; `noise` is conformant and must stay green; `unstable` differs
    from one repetition to the next.
    by_chance: clauses whose check searches by chance and finds this rogue in most runs, not in all.
    """

    name: str
    because: str
    turns_red: frozenset[str]
    blinds: frozenset[str]
    by_chance: frozenset[str]
    kind: str
    spec: str
    policy: type[Policy]

    def relay_policy(self, spec: str) -> Policy:
        """A policy of this rogue, which calls itself by its name."""
        made = self.policy(spec)
        made.name = self.name
        return made


ROGUES: dict[str, Rogue] = {}


def rogue(
    name: str,
    *,
    because: str,
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
        red, blind = frozenset(turns_red.split()), frozenset(blinds.split())
        chance = frozenset(by_chance.split())
        ROGUES[name] = Rogue(name, because, red, blind, chance, kind, spec, policy)
        return policy

    return register


def rogue_named(name: str) -> Rogue:
    """The rogue of that name. Raises KeyError."""
    return ROGUES[name]
