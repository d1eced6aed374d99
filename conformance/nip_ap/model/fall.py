"""A relay that no longer serves: since which check, and how that showed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Fall:
    """One relay that went silent. `check` is the one after which nothing more was answered.

    `at` is UTC, hours to seconds. `was_replaced` says that the suite owns such relays and started
    another.
    """

    subject: str
    url: str
    check: str
    why: str
    at: str
    was_replaced: bool = False

    def __str__(self) -> str:
        then = "; the suite started another" if self.was_replaced else ""
        return f"since {self.check} ({self.at}) the relay no longer serves: {self.why}{then}"

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for the other workers of a run."""
        return asdict(self)
