"""Where two transcripts of one check first differ in more than names.

Two runs have other keys, slugs, ids and times. These are replaced by the order in which they came
up, so that the same conversation reads the same in both; times by their distance from the clock.
Each connection is followed on its own: frames of different ones may come in any order. Where the
seeds differ, contents are passed over too: which of some versions has the lowest id is then chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nip_ap.model.frame import GAVE_UP, LOST, NOTE, WITHIN, Frame

_CLOCK = re.compile(r"clock reads (\d+)")
_NAMES = re.compile(
    r"(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{128}"
    r"|[0-9a-f]{64}|(?<=-)[0-9a-f]{12}(?![0-9a-f])|(?<=word)[0-9a-f]{12})"
    r"|(?P<time>(?<![0-9a-zA-Z.])\d{10}(?![0-9a-zA-Z]))"
    r"|(?P<place>wss?://[^/\"\\ ]+)"
)
_CONTENT = re.compile(r'"content":"(?:[^"\\]|\\.)*"')
_NOW = 2
"""Seconds from the clock reading that count as now: a check goes on for a while."""

_CHALLENGE = re.compile(r'^\["AUTH","[^"]*"')
_TOLD_CHALLENGE = re.compile(r'\["challenge","[^"]*"\]')


@dataclass(frozen=True)
class Parting:
    """The first frame that is another one: as it was, and as it is; None where there is none."""

    before: Frame | None
    now: Frame | None

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "before": self.before and self.before.to_json(),
            "now": self.now and self.now.to_json(),
        }


def first_parting(old: Sequence[Frame], new: Sequence[Frame], *, same_seed: bool) -> Parting | None:
    """Where two transcripts part; None where they do not, or where there is none to look at."""
    if not old or not new:
        return None
    before, now = _lines(old, same_seed), _lines(new, same_seed)
    partings = [
        parting
        for line in {**now, **before}
        if (parting := _parting(before.get(line, []), now.get(line, []))) is not None
    ]
    return min(partings, key=_when, default=None)


Line = list[tuple[str, Frame]]


def _lines(frames: Sequence[Frame], with_contents: bool) -> dict[tuple[str, str, int], Line]:
    """The frames of each connection, with what they say in general."""
    lines: dict[tuple[str, str, int], Line] = {}
    for general, frame in _generalised(frames, with_contents):
        lines.setdefault((frame.who, frame.door, frame.connection), []).append((general, frame))
    return lines


def _generalised(frames: Sequence[Frame], with_contents: bool) -> Iterator[tuple[str, Frame]]:
    names: dict[str, str] = {}
    clock = 0

    def general(found: re.Match[str]) -> str:
        if found["id"]:
            return names.setdefault(found["id"], f"<name {len(names) + 1}>")
        if found["time"]:
            distance = int(found["time"]) - clock
            return "<now>" if abs(distance) <= _NOW else f"<now {distance:+d}>"
        return "<relay>"

    for frame in frames:
        if frame.direction == NOTE:
            read = _CLOCK.match(frame.text)
            clock = int(read[1]) if read else clock
            if not frame.text.startswith((LOST, GAVE_UP)):
                continue
        text = _CHALLENGE.sub('["AUTH","<challenge>"', frame.text.partition(WITHIN)[0])
        text = _TOLD_CHALLENGE.sub('["challenge","<challenge>"]', text)
        text = text if with_contents else _CONTENT.sub('"content":"<content>"', text)
        yield f"{frame.direction} {_NAMES.sub(general, text)}", frame


def _parting(before: Line, now: Line) -> Parting | None:
    for (was, old), (is_, new) in zip(before, now, strict=False):
        if was != is_:
            return Parting(old, new)
    if len(before) == len(now):
        return None
    if len(before) > len(now):
        return Parting(before[len(now)][1], None)
    return Parting(None, now[len(before)][1])


def _when(parting: Parting) -> tuple[bool, float]:
    """What differs before what is merely absent, and the earliest first."""
    frame = parting.now or parting.before
    assert frame is not None
    return parting.now is None, frame.at
