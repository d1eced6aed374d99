"""How a rogue relay is declared, and the registry that the modules of this folder fill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    "combination",
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


def combination(names: Sequence[str]) -> RelayRogue:
    """A relay with several deviations at once. Raises KeyError, and ValueError with a sentence.

    Two that deviate in the same rule cannot be combined: one of them would not be there.
    """
    chosen = [rogue_named(name) for name in dict.fromkeys(names)]
    if len(chosen) == 1:
        return chosen[0]
    owners: dict[str, str] = {}
    for one in chosen:
        for rule in _deviations(one.policy):
            other = owners.setdefault(rule, one.name)
            if other != one.name:
                raise ValueError(
                    f"{other} and {one.name} both change the rule {rule}; a relay has it once, so "
                    "choose one of them"
                )
    if len({one.spec for one in chosen}) > 1:
        specs = ", ".join(f"{one.name} of {one.spec}" for one in chosen)
        raise ValueError(f"these rogues are of different revisions: {specs}")
    name = "+".join(one.name for one in chosen)
    return RelayRogue(
        name=name,
        because=" ".join(one.because for one in chosen),
        spec=chosen[0].spec,
        policy=type(name, tuple(one.policy for one in chosen), {}),
    )


def _deviations(policy: type[Policy]) -> set[str]:
    """The names of the rules and seams in which a policy differs from the reference."""
    own = [one for one in policy.__mro__ if not issubclass(Policy, one)]
    return {name for one in own for name in vars(one) if not name.startswith("__")}
