"""The end of a whole run: nothing is begun after it, and nothing awaited."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import ClassVar

from nip_ap.model.judgement import Ending
from nip_ap.model.verdict import Verdict

DEADLINE = "deadline"
"""The fact of a check that the run left no time for."""


class OutOfTime(Ending):
    """The run's deadline passed before a check began, or before it ended."""

    verdict: ClassVar[Verdict] = Verdict.INCONCLUSIVE

    def __init__(self, what: str, deadline: Deadline) -> None:
        super().__init__(f"{what}: {deadline}")
        self.deadline = deadline


@dataclass(frozen=True)
class Deadline:
    """A moment of this process's monotonic clock, and the seconds that led to it."""

    at: float = math.inf
    seconds: float = math.inf

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """So many seconds from now."""
        return cls(time.monotonic() + seconds, seconds)

    @property
    def left(self) -> float:
        """Seconds until then; less than 0 where it has passed."""
        return self.at - time.monotonic()

    def __str__(self) -> str:
        return f"the deadline of the run: {self.seconds:g} s have passed (--deadline)"

    def hold(self, what: str = "broken off") -> None:
        """Raise OutOfTime where it has passed; `what` says what that did to a check."""
        if self.left <= 0:
            raise OutOfTime(what, self)

    def to_json(self) -> list[float] | None:
        """For another process, whose clock is another one; None where there is no deadline."""
        return None if math.isinf(self.at) else [self.left, self.seconds]

    @classmethod
    def from_json(cls, value: list[float] | None) -> Deadline:
        """What `to_json` gave a moment ago."""
        return NEVER if value is None else cls(time.monotonic() + value[0], value[1])


NEVER = Deadline()
