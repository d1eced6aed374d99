"""Drawings for pages: where bars and lines go; templates make SVG of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nip_ap.model.latency import Latency

_BUCKET = 10 ** (1 / 10)  # how much wider a bucket's upper bound is than its lower one


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram in percent of the drawing's width and height; `says` is its label."""

    x: float
    width: float
    height: float
    says: str


@dataclass(frozen=True)
class Tick:
    """A mark on the axis at so many percent of the width."""

    x: float
    label: str


@dataclass(frozen=True)
class Histogram:
    """The times of one operation on an axis that it may share with others."""

    name: str
    count: int
    p50: str
    p95: str
    p99: str
    longest: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


def histograms(summaries: Mapping[str, Latency]) -> list[Histogram]:
    """Summaries by name, drawn over one logarithmic axis so that they can be compared by eye."""
    bounds = [bound for one in summaries.values() for bound, _ in one.histogram]
    if not bounds:
        return []
    low = math.log10(min(bounds) / _BUCKET)
    wide = max(math.log10(max(bounds)) - low, 0.1)
    ticks = tuple(_ticks(low, wide))
    return [_histogram(name, one, low, wide, ticks) for name, one in summaries.items()]


def _histogram(
    name: str, summary: Latency, low: float, wide: float, ticks: tuple[Tick, ...]
) -> Histogram:
    most = max(count for _, count in summary.histogram)
    bars = tuple(
        Bar(
            x=round((math.log10(bound / _BUCKET) - low) / wide * 100, 2),
            width=round(10 / wide, 2),
            height=round(max(count / most * 100, 2), 1),
            says=f"{count} up to {milliseconds(bound)}",
        )
        for bound, count in summary.histogram
    )
    return Histogram(
        name=name,
        count=summary.count,
        p50=milliseconds(summary.p50_ms),
        p95=milliseconds(summary.p95_ms),
        p99=milliseconds(summary.p99_ms),
        longest=milliseconds(summary.max_ms),
        bars=bars,
        ticks=ticks,
    )


def _ticks(low: float, wide: float) -> list[Tick]:
    decades = range(math.ceil(low - 1e-9), math.floor(low + wide + 1e-9) + 1)
    return [Tick(round((ten - low) / wide * 100, 2), milliseconds(10.0**ten)) for ten in decades]


def milliseconds(value: float) -> str:
    """A time for people: three figures, in the unit that fits."""
    if value >= 1000:
        return f"{_figures(value / 1000)} s"
    if value >= 1:
        return f"{_figures(value)} ms"
    return f"{_figures(value * 1000)} µs"


def _figures(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


@dataclass(frozen=True)
class Point:
    """A point of a trend in percent of the drawing; `says` is its label."""

    x: float
    y: float
    says: str


def trend(values: Sequence[tuple[float | None, str]], top: float) -> list[list[Point]]:
    """Values with labels, evenly spread from zero to `top`; a missing one breaks the line."""
    runs: list[list[Point]] = [[]]
    for number, (value, says) in enumerate(values):
        if value is None:
            runs.append([])
            continue
        x = number / max(len(values) - 1, 1) * 100
        runs[-1].append(Point(round(x, 2), round(100 - value / (top or 1) * 100, 2), says))
    return [run for run in runs if run]
