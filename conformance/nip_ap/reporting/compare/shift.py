"""Whether an operation took longer or shorter than before, beyond noise.

Two conditions, both of them. The samples of the two runs come from different distributions: the
Mann-Whitney test on their histograms says that chance would give a difference like this in fewer
than one of a thousand pairs of runs. And it matters: the median doubled or halved, and moved by a
millisecond or more. The first alone would call every busy machine a slower relay, since a run
has hundreds of samples; the second alone would take three unlucky samples for a trend.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nip_ap.model.latency import Latency

FEWEST = 20
"""Samples that each run needs, or nothing is said."""

CHANCE = 0.001
FACTOR = 2.0
LEAST_MS = 1.0


@dataclass(frozen=True)
class Shift:
    """A change of the median of an operation; `chance` is the p-value."""

    operation: str
    before_ms: float
    now_ms: float
    factor: float
    chance: float

    @property
    def is_slower(self) -> bool:
        """Whether it takes longer now."""
        return self.factor > 1

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


def shift_of(before: Latency, now: Latency) -> Shift | None:
    """The shift between two summaries of one operation in a report; None within noise."""
    if min(before.count, now.count) < FEWEST:
        return None
    was, is_ = before.p50_ms, now.p50_ms
    if was <= 0 or is_ <= 0 or abs(is_ - was) < LEAST_MS:
        return None
    factor = is_ / was
    if max(factor, 1 / factor) < FACTOR:
        return None
    chance = p_value(_counted(before), _counted(now))
    if chance >= CHANCE:
        return None
    return Shift(now.operation, was, is_, round(factor, 2), chance)


def _counted(summary: Latency) -> dict[float, int]:
    return {float(bound): int(number) for bound, number in summary.histogram}


def p_value(one: Mapping[float, int], other: Mapping[float, int]) -> float:
    """Two-sided p of the Mann-Whitney U test on two histograms with the same sort of buckets.

    The normal approximation with correction for ties, which buckets are. 1 where nothing differs.
    """
    left, right = sum(one.values()), sum(other.values())
    total = left + right
    ranks, below, ties = 0.0, 0, 0
    for bound in sorted({*one, *other}):
        here = one.get(bound, 0) + other.get(bound, 0)
        ranks += one.get(bound, 0) * (below + (here + 1) / 2)
        ties += here**3 - here
        below += here
    spread = left * right / 12 * (total + 1 - ties / (total * (total - 1)))
    if spread <= 0:
        return 1.0
    distance = abs(ranks - left * (total + 1) / 2)
    return math.erfc(distance / math.sqrt(2 * spread))
