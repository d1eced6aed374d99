"""How large a load is: connections, events, time."""

from __future__ import annotations

import os
from dataclasses import dataclass

_MOST_PROCESSES = 4
_ADDRESSES = 50
_MOST_VERSIONS = 100
"""Versions of one address are a second apart and all within a minute of now."""
_MOST_RECORDED = 600


@dataclass(frozen=True)
class Shape:
    """So many connections that publish, one event in flight each, and so many that listen.

    `events` is the most that all publishers send together, `seconds` how long they do at most once
    warm. What a publisher sends first, a tenth, is its warm-up: judged like the rest, not timed.
    """

    publishers: int
    subscribers: int
    events: int
    seconds: float
    processes: int

    @classmethod
    def full(cls, publishers: int, subscribers: int, events: int, seconds: float) -> Shape:
        """A full load: one process per core, at most four."""
        processes = min(os.cpu_count() or 1, _MOST_PROCESSES, publishers)
        return cls(publishers, subscribers, events, seconds, processes)

    @property
    def each(self) -> int:
        """Events of one publisher."""
        return -(-self.events // self.publishers)

    @property
    def warm_up(self) -> int:
        """The first events of one publisher, which are not timed."""
        return max(1, self.each // 10)

    @property
    def addresses(self) -> int:
        """Personas of one publisher, so that it writes each at least twice."""
        return max(min(_ADDRESSES, self.each // 2), -(-self.each // _MOST_VERSIONS), 1)

    @property
    def versions(self) -> int:
        """How often a publisher writes each of its personas."""
        return -(-self.each // self.addresses)

    @property
    def is_recorded(self) -> bool:
        """Whether every frame goes into the transcript; a large load would drown it."""
        few = self.events * (self.subscribers + 2) <= _MOST_RECORDED
        return few and self.processes == 1


SMALL = Shape(publishers=16, subscribers=2, events=96, seconds=20.0, processes=1)
"""What runs without --load: enough connections at once to show a queue or a pool that is full."""
