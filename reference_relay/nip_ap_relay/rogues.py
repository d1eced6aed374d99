"""Relays with one deviation each: the proof that each check can fail, and fails alone.

A rogue overrides one rule of policy.py, names the exact clauses that it turns red, and says what
a real relay would have done wrong to behave so. One class here is all it takes to add one.
"""

from __future__ import annotations

from dataclasses import dataclass

from nip_ap_relay.policy import Policy


@dataclass(frozen=True)
class Rogue:
    """A named deviation."""

    name: str
    because: str
    turns_red: frozenset[str]
    policy: type[Policy]

    def relay_policy(self, spec: str) -> Policy:
        return self.policy(spec)


ROGUES: dict[str, Rogue] = {}


def rogue_named(name: str) -> Rogue:
    """The rogue of that name. Raises KeyError."""
    return ROGUES[name]
