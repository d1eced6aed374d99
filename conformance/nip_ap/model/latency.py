"""How long the relay took, by operation: from the times of the frames in the transcripts.

Only a request that was alone on its way counts. In a burst the last one waits for all others, so
its time would tell the length of the queue, and a check that writes a thousand personas would
drown all others.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from nip_ap.model.frame import Frame
from nip_ap.nostr.message import (
    ClosedMessage,
    CountMessage,
    EoseMessage,
    OkMessage,
    read_message,
)

_REQUEST = re.compile(r'\["(EVENT|REQ|COUNT)",\s*(?:\{"id":\s*"([0-9a-f]{64})"|"([^"]*)")')
_POST = re.compile(r"POST (/[a-z]*)")
_OPERATIONS = {"EVENT": "EVENT to OK", "REQ": "REQ to EOSE", "COUNT": "COUNT to COUNT"}
_BUCKETS_PER_DECADE = 10


class Latency(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Percentiles and a histogram of the times of one operation, in milliseconds.

    `histogram` holds pairs of a bucket's upper bound and how many times fell into it, rising, ten
    buckets per decade; empty ones are left out. Where a fact says what is measured, `operation`
    may be "".
    """

    operation: str = ""
    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    histogram: tuple[tuple[float, int], ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for the facts of a check."""
        value: dict[str, Any] = msgspec.to_builtins(self)
        return value


@dataclass
class _Line:
    """What one actor awaits at one connection."""

    awaited: dict[str, tuple[str, float]] = field(default_factory=dict)
    crowded: bool = False

    def ask(self, name: str, operation: str, at: float) -> None:
        """A request went out; while another is on its way, neither can be measured."""
        self.crowded = bool(self.awaited)
        self.awaited[name] = (operation, at)

    def answer(self, name: str, at: float) -> tuple[str, float] | None:
        """The operation that an answer ends and its seconds, where they mean something."""
        if name not in self.awaited:
            return None
        operation, asked = self.awaited.pop(name)
        measured = None if self.crowded else (operation, at - asked)
        self.crowded = self.crowded and bool(self.awaited)
        return measured


def latency(transcripts: Iterable[Sequence[Frame]]) -> list[Latency]:
    """The times of each operation over all transcripts, by name."""
    samples: dict[str, list[float]] = defaultdict(list)
    for frames in transcripts:
        for operation, seconds in _measured(frames):
            samples[operation].append(seconds)
    return [summary(samples[name], name) for name in sorted(samples)]


def summary(samples: Sequence[float], operation: str = "") -> Latency:
    """The latency of an operation from its times in seconds. Raises ValueError on no samples."""
    if not samples:
        raise ValueError("no sample: what was never measured has no latency")
    ordered = sorted(one * 1000 for one in samples)
    buckets = Counter(map(_bucket, ordered))
    p50, p95, p99 = (round(_percentile(ordered, part), 3) for part in (50, 95, 99))
    return Latency(
        operation=operation,
        count=len(ordered),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        max_ms=round(ordered[-1], 3),
        histogram=tuple((bound, buckets[bound]) for bound in sorted(buckets)),
    )


def _percentile(ordered: Sequence[float], part: int) -> float:
    """The nearest rank: a value that was really measured."""
    return ordered[max(math.ceil(len(ordered) * part / 100), 1) - 1]


def _bucket(milliseconds: float) -> float:
    step = math.ceil(round(math.log10(max(milliseconds, 0.001)) * _BUCKETS_PER_DECADE, 9))
    return float(f"{10 ** (step / _BUCKETS_PER_DECADE):.4g}")


def _measured(frames: Sequence[Frame]) -> Iterator[tuple[str, float]]:
    lines: dict[tuple[str, str, int], _Line] = defaultdict(_Line)
    for frame in frames:
        line = lines[frame.who, frame.door, frame.connection]
        if frame.direction == "sent":
            asked = _asked(frame.text)
            if asked is not None:
                line.ask(*asked, frame.at)
        elif frame.direction == "received":
            found = line.answer(_answered(frame.text), frame.at)
            if found is not None:
                yield found


def _asked(text: str) -> tuple[str, str] | None:
    """What an answer to a request will name, and the operation."""
    request = _REQUEST.match(text)
    if request:
        return request[2] or request[3] or "", _OPERATIONS[request[1]]
    post = _POST.match(text)
    return ("HTTP", f"POST {post[1]}") if post else None


def _answered(text: str) -> str:
    if text.startswith("HTTP "):
        return "HTTP"
    match read_message(text):
        case OkMessage(event_id):
            return event_id
        case EoseMessage(name) | ClosedMessage(name) | CountMessage(name):
            return name
    return ""
