"""Where the time of a run goes: start, collection, checks and the rest, of each wall and processor.

What is told is measured by the run itself, so that the page in docs/ is what a command prints.
"""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import IO

from nip_ap.model.events import CheckFinished, RunEvent, RunFinished, RunStarted
from nip_ap.model.result import Result
from nip_ap.reporting.printing import painted, say

_LONGEST = 10


@dataclass(frozen=True)
class Moment:
    """A reading of both clocks, in seconds: the wall's, and the processor time of this process."""

    wall: float
    processor: float

    @classmethod
    def now(cls) -> Moment:
        """Read them."""
        return cls(time.monotonic(), time.process_time())


class TimingsListener:
    """Prints at the end of a run how long each part of it took."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._came = Moment.now()
        self._probed = self._collected = self._checked = self._came
        self._results: list[Result] = []

    def __call__(self, event: RunEvent) -> None:
        """Note the moments; print when the run is over."""
        match event:
            case RunStarted():
                self._probed = Moment.now()
            case CheckFinished():
                self._checked = Moment.now()
                if not self._results:
                    began = self._checked.wall - event.result.seconds
                    self._collected = Moment(began, self._checked.processor)
                self._results.append(event.result)
            case RunFinished() if self._results:
                self._print()
                self._results.clear()  # a run of somebody's own checks may follow

    def _print(self) -> None:
        over = Moment.now()
        others = resource.getrusage(resource.RUSAGE_CHILDREN)
        say(painted("where the time went", bold=True), file=self._stream)
        say(f"  {'':<44}{'wall':>9}{'processor':>12}", file=self._stream)
        self._line("imports", None, self._came.processor)
        stages = (
            ("the relay starts and is probed", self._came, self._probed),
            ("checks are collected", self._probed, self._collected),
            ("checks run", self._collected, self._checked),
            ("relay and workers end", self._checked, over),
        )
        for name, begin, end in stages:
            self._line(name, end.wall - begin.wall, end.processor - begin.processor)
        self._line(
            "other processes: workers and the relay", None, others.ru_utime + others.ru_stime
        )
        self._print_checks()

    def _print_checks(self) -> None:
        groups: dict[str, float] = defaultdict(float)
        for one in self._results:
            groups[one.clauses[0].split("-")[1]] += one.seconds
        longest_first = sorted(groups.items(), key=lambda one: -one[1])
        told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in longest_first)
        say(f"  checks by group, in seconds: {told}", file=self._stream)
        longest = sorted(self._results, key=lambda one: -one.seconds)[:_LONGEST]
        say("  the longest checks", file=self._stream)
        for one in longest:
            say(f"    {one.seconds:6.2f} s  {one.check}", file=self._stream)

    def _line(self, name: str, wall: float | None, processor: float) -> None:
        of_the_wall = "" if wall is None else f"{wall:.2f} s"
        say(f"  {name:<44}{of_the_wall:>9}{processor:>10.2f} s", file=self._stream)
