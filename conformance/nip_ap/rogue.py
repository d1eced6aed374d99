"""A rogue: something with one deviation on purpose, and the exact clauses that it breaks.

Relays and clients have rogues alike; each declares its own where it lives. A rogue proves that a
check can fail, and that it fails alone.
"""

from __future__ import annotations

from dataclasses import dataclass

ANYTHING = "*"
"""For `blinds`: this rogue takes along whatever runs just then, so any check may be undecided."""

DEVIATION, GENERAL, NOISE, UNSTABLE = "deviation", "general", "noise", "unstable"


@dataclass(frozen=True)
class Rogue:
    """A named deviation.

    kind: `deviation` turns exactly its list red; `general` is broken all over, and no check with a
    negative claim may pass on it; `noise` is conformant and must stay green; `unstable` differs
    from one repetition to the next.
    blinds: clauses that are undecided on it, because a control cannot be seen.
    by_chance: clauses that are red on it in most runs and not in all.
    """

    name: str
    because: str
    turns_red: frozenset[str] = frozenset()
    blinds: frozenset[str] = frozenset()
    by_chance: frozenset[str] = frozenset()
    kind: str = DEVIATION
    remedy: str = ""
    """What the author of a relay or client that behaves so has to change, in one sentence."""


def listed(ids: str) -> frozenset[str]:
    """Clause ids in one string, separated by spaces."""
    return frozenset(ids.split())
