"""The interface of a relay as its supervisor sees it; each kind of target brings one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol


class StartedRelay(Protocol):
    """A relay that the supervisor starts and ends."""

    def start(self) -> str:
        """Start it, for the first time or again, and give its URL. Raises TargetError."""

    @property
    def group(self) -> int:
        """The process group that may be killed from outside; 0 where there is none."""

    def ended(self, within: float) -> str:
        """How it ended, waiting so many seconds for that; empty while it runs."""

    def is_well(self) -> bool:
        """What its own health check says; True where it has none."""

    def stop(self, grace: float) -> bool:
        """Ask it to end, and end it after so many seconds; whether it ended by itself."""

    def kill(self) -> None:
        """End it at once."""

    def discard(self) -> None:
        """End it and leave nothing of it."""


Starter = Callable[[Mapping[str, Any], Path, Path], StartedRelay]
"""Makes one from a recipe's values, a scratch folder and a log file."""
