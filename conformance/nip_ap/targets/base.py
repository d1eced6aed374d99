"""The interface of a target."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from nip_ap.model.faults import UnreachableFault, UsageFault


class TargetError(UnreachableFault):
    """A target that cannot be had; the message is one plain sentence for the user."""


class TargetUsage(UsageFault, ValueError):
    """Options that do not describe a target; the message says what to write instead."""


class Target(Protocol):
    """A relay under test, and as much of its life as the suite controls."""

    @property
    def url(self) -> str:
        """The relay's WebSocket URL, once started."""

    @property
    def is_disposable(self) -> bool:
        """Whether the relay ends with the run, so that nothing needs to be cleaned up."""

    @property
    def log(self) -> Path | None:
        """The file that the relay's output goes to, where it can be read while the relay runs."""

    def start(self) -> None:
        """Make the relay ready. Raises TargetError."""

    def stop(self) -> None:
        """End what was started; never raises, may be called twice."""

    def logs(self) -> str:
        """The tail of the relay's log; empty where the suite has none."""
