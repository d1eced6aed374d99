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
        Bar("in memory, the pace at 100,000 heads against that at 1,000", 0.8, _flatness(memory)),
        Bar("on disk, the pace at 100,000 heads against that at 1,000", 0.8, _flatness(disk)),
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
    filled = one["filled"]
    early, late = filled["events/s from 1,000 on"], filled["events/s up to 100,000"]
    return round(late / early, 2) if early and late else 0.0
