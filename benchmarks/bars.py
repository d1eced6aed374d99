"""The bars: what the bundled relay has to reach, as ratios within one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.subjects import DISK, MEMORY

_PIPELINED = "pipelined events/s"


@dataclass(frozen=True)
class Bar:
    """One bar: in words, the least that is asked for, and what was reached."""

    what: str
    least: float
    reached: float

    @property
    def holds(self) -> bool:
        return self.reached >= self.least


def bars(relays: Sequence[Mapping[str, Any]]) -> list[Bar]:
    """Every bar, from the results of one run."""
    by_name = {(one["relay"], one["storage"]): one for one in relays}
    memory, disk = by_name["bundled", MEMORY], by_name["bundled", DISK]

    def ratio(ours: Mapping[str, Any], name: str, storage: str) -> float:
        other: float = by_name[name, storage][_PIPELINED]["median"]
        return round(float(ours[_PIPELINED]["median"]) / other, 2)

    return [
        Bar("in memory, against nostr-sdk in memory", 0.5, ratio(memory, "nostr-sdk", MEMORY)),
        Bar("on disk, against nostr-relay on LMDB", 1.5, ratio(disk, "nostr-relay-lmdb", DISK)),
        Bar("on disk, against nostr-sdk on LMDB", 5.0, ratio(disk, "nostr-sdk", DISK)),
        Bar("in memory, cost of an event at 1,000 heads against 100,000", 0.83, _flatness(memory)),
        Bar("on disk, cost of an event at 1,000 heads against 100,000", 0.83, _flatness(disk)),
        *(
            Bar(
                f"deliveries a second to 100 subscribers, {one['storage']}",
                10_000,
                one["fan-out deliveries/s"]["median"],
            )
            for one in (memory, disk)
        ),
    ]


def _flatness(one: Mapping[str, Any]) -> float:
    """1 where an event costs the same early and late; 0.83 where it costs 20 % more late."""
    early, late = one["filled"]["early"], one["filled"]["late"]
    return round(early["us an event"] / late["us an event"], 2) if early and late else 0.0
