"""A recipe: what a target is made from, as plain values that go to other processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MASKED = "(masked)"


PORT, DIR = PLACEHOLDERS = ("{port}", "{dir}")
"""What a command, a variable or a template may leave to the suite to fill in."""


_SHORTEST_SECRET = 4


@dataclass(frozen=True)
class Recipe:
    """What a target is made from: its kind, the options as given, and what was made of them."""

    kind: str
    given: Mapping[str, Any] = field(default_factory=dict, repr=False)
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for other processes only: `values` may hold secrets."""
        return {"kind": self.kind, "given": dict(self.given), "values": dict(self.values)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recipe:
        """What `to_json` gave."""
        return cls(value["kind"], value["given"], value["values"])

    @property
    def url(self) -> str:
        """The URL that the user gave; empty for a relay that the suite starts."""
        return str(self.given.get("url", ""))

    def masked(self, text: str) -> str:
        """A text without the values of the environment variables that the user gave."""
        for secret in sorted(self.values.get("env", {}).values(), key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, MASKED)
        return text
