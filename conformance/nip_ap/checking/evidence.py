"""What one check saw: the ledger of observations, the controls, and the rule that ties them.

The rule: a negative observation (a refusal, an empty answer, a delivery that did not come) proves
something only if the same check saw its positive twin through the same door. The framework
applies it to every check that passed, whatever its author wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nip_ap.model.judgement import Control
from nip_ap.nostr import Event

ACCEPTED, REFUSED = "accepted", "refused"


RETURNED, EMPTY = "returned", "nothing returned"


DELIVERED, SILENT = "delivered", "nothing delivered"


COUNTED, ZERO = "counted", "counted zero"


_TWINS = {REFUSED: ACCEPTED, EMPTY: RETURNED, SILENT: DELIVERED, ZERO: COUNTED}


@dataclass
class Ledger:
    """The observations of one check."""

    controls: list[Control] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _silences: list[Callable[[], tuple[str, str]]] = field(default_factory=list)

    def observe(self, what: str, door: str) -> None:
        """Note one observation at one door."""
        self._seen.add((what, door))

    def observe_later(self, observe: Callable[[], tuple[str, str]]) -> None:
        """Note something that is known only at the end, such as what a subscription received."""
        self._silences.append(observe)

    def control(self, claim: str, twin: str, difference: str) -> None:
        """Note a positive twin that was seen."""
        self.controls.append(Control(claim, twin, difference))

    def settle(self) -> None:
        """Collect what is known only at the end of the check."""
        for observe in self._silences:
            self.observe(*observe())
        self._silences.clear()

    def uncontrolled(self) -> list[str]:
        """The negative observations whose positive twin this check never saw at that door."""
        return [
            f"{negative} at door {door}, but never {_TWINS[negative]} there"
            for (negative, door) in sorted(self._seen)
            if negative in _TWINS and (_TWINS[negative], door) not in self._seen
        ]


def differences(one: Event, other: Event) -> list[str]:
    """The respects in which two events differ, each a phrase.

    The id and signature count only where they are not what the other fields make them.
    """
    found = [
        f"{name}: {_shown(getattr(one, name))} against {_shown(getattr(other, name))}"
        for name in ("kind", "pubkey", "created_at", "content")
        if getattr(one, name) != getattr(other, name)
    ]
    found += _tag_differences(one, other)
    if one.id == other.id:
        if one.sig != other.sig:
            found.append("sig: another signature under the same id")
    elif bool(one.problems) != bool(other.problems):
        found.append(f"integrity: {'; '.join(one.problems or other.problems)}")
    return found


def _tag_differences(one: Event, other: Event) -> list[str]:
    if one.tags == other.tags:
        return []
    names = list(dict.fromkeys(tag[0] for tag in one.tags + other.tags))
    found = []
    for name in names:
        left = [tag for tag in one.tags if tag[0] == name]
        right = [tag for tag in other.tags if tag[0] == name]
        if left != right:
            found.append(f"tag {name}: {_shown(left)} against {_shown(right)}")
    return found or ["order of the tags"]


def _shown(value: object, longest: int = 120) -> str:
    if isinstance(value, list):
        text = ", ".join("[" + ",".join(map(repr, tag)) + "]" for tag in value) or "none"
    else:
        text = repr(value)
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"
