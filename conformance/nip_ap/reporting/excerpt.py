"""The transcripts as far as a page can carry them: what is red nearly whole, the rest in short."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from nip_ap.model.frame import Frame
from nip_ap.model.report import Report
from nip_ap.model.verdict import NOTABLE, Verdict
from nip_ap.reporting.hashed import hashed
from nip_ap.reporting.legible import visible

_GREEN = (Verdict.PASS, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class _Length:
    """How much of a transcript is kept: frames at both ends, and characters of each."""

    first: int
    last: int
    characters: int


@dataclass(frozen=True)
class _Measure:
    """How much is kept of what is red or undecided, and of what is not."""

    red: _Length
    green: _Length


_NOTHING = _Length(0, 0, 0)
_MEASURES = (
    _Measure(red=_Length(200, 600, 20_000), green=_Length(60, 90, 2_000)),
    _Measure(red=_Length(60, 240, 6_000), green=_Length(24, 36, 1_200)),
    _Measure(red=_Length(30, 90, 3_000), green=_Length(10, 20, 600)),
    _Measure(red=_Length(10, 40, 1_200), green=_Length(4, 8, 400)),
    _Measure(red=_Length(4, 16, 600), green=_NOTHING),
    _Measure(red=_Length(0, 6, 300), green=_NOTHING),
    _Measure(red=_NOTHING, green=_NOTHING),
)


@dataclass(frozen=True)
class Excerpt:
    """Packed frames: JSON by check, deflated, in base64. And how many frames of how many.

    The JSON holds for each check a list of frames, [at, who, door, direction, text, characters
    left out], and where frames are missing a number in their place. `who` counts the connections
    of an actor from the second one on.
    """

    packed: str
    frames: int
    of_frames: int


def excerpt(report: Report, room: int) -> Excerpt:
    """As much of a report's transcripts as fits into so many characters."""
    transcripts = {check.id: report.transcripts[check.id] for check in report.checks}
    red = {check.id for check in report.checks if check.verdict not in _GREEN}
    total = sum(map(len, transcripts.values()))
    for measure in _MEASURES:
        kept = {
            check: _kept(frames, measure.red if check in red else measure.green)
            for check, frames in transcripts.items()
        }
        packed = _packed({check: frames for check, frames in kept.items() if frames})
        if len(packed) <= room:
            break
    frames = sum(isinstance(one, list) for each in kept.values() for one in each)
    return Excerpt(packed, frames, total)


def _kept(frames: Sequence[Frame], length: _Length) -> list[Any]:
    if not length.last:
        return []
    left_out = len(frames) - length.first - length.last
    if left_out <= 0:
        return [_frame(one, length) for one in frames]
    first = frames[: length.first]
    last = frames[len(frames) - length.last :]
    return [*(_frame(one, length) for one in first), left_out, *(_frame(o, length) for o in last)]


def _frame(frame: Frame, length: _Length) -> list[Any]:
    note = hashed(frame.text)
    text = visible(frame.text[: length.characters]) + (f" ({note})" if note else "")
    beyond = max(len(frame.text) - length.characters, 0)
    who = f"{frame.who} ({frame.connection})" if frame.connection > 1 else frame.who
    return [round(frame.at, 4), visible(who), frame.door, frame.direction, text, beyond]


def _packed(kept: Mapping[str, Any]) -> str:
    if not kept:
        return ""
    return base64.b64encode(zlib.compress(orjson.dumps(kept), 6)).decode()


def last_frames(
    report: Report, *, room: int, frames: int = 6, characters: int = 400
) -> dict[str, list[Frame]]:
    """The end of each red or undecided transcript, worst first, until `room` characters are full.

    For readers without scripts. The text of a frame is cut.
    """
    found: dict[str, list[Frame]] = {}
    for check in report.checks_with(*NOTABLE):
        shown = [
            replace(frame, text=frame.text[:characters])
            for frame in report.transcripts[check.id][-frames:]
        ]
        room -= sum(len(one.text) for one in shown)
        if room < 0:
            break
        found[check.id] = shown
    return found
