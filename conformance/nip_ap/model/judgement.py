"""How a check can end: the exceptions of checks, and the controls that back a verdict."""

from __future__ import annotations

from dataclasses import dataclass


class Broken(AssertionError):
    """The relay broke the clause."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}; seen {seen}")
        self.expected = expected
        self.seen = seen


class UnmetClaim(Broken):
    """The relay lacks what --claim says it has; a failure whatever the level of the clause."""


class Inconclusive(Exception):
    """The check cannot say: a control was not seen, or the relay did not play along."""


class NotApplicable(Exception):
    """The relay does not offer what the clause is about; the message names the probe."""


class ScenarioMistake(Exception):
    """The check itself is wrong; its verdict is error."""


@dataclass(frozen=True)
class Control:
    """A positive twin that was seen, and the one respect in which it differs from the negative."""

    claim: str
    twin: str
    difference: str

    def to_json(self) -> dict[str, str]:
        """The control as a JSON object."""
        return {"claim": self.claim, "twin": self.twin, "difference": self.difference}
