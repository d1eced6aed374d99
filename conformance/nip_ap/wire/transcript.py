"""The transcript of one check: every frame both ways, when, by whom - and no secret."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

LONGEST_FRAME = 200_000
"""Characters of a frame that a transcript holds: more than any event of the suite, but for those
that are too long on purpose."""

SENT, RECEIVED, NOTE = "sent", "received", "note"


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a transcript. `at` is seconds since the check began; `who` names the actor."""

    at: float
    who: str
    door: str
    direction: str
    text: str

    def to_json(self) -> dict[str, Any]:
        """The frame as a JSON object."""
        return {
            "at": self.at,
            "who": self.who,
            "door": self.door,
            "direction": self.direction,
            "text": self.text,
        }


class Transcript:
    """Frames in the order in which they happened. Safe to write from several threads."""

    def __init__(self, elapsed: Callable[[], float] | None = None) -> None:
        self._began = time.monotonic()
        self._elapsed = elapsed or (lambda: time.monotonic() - self._began)
        self._lock = threading.Lock()
        self._frames: list[Frame] = []
        self._open = True

    def record(self, who: str, door: str, direction: str, text: str) -> None:
        """Add one frame; after `close` nothing more is added. What is very long is cut short."""
        if len(text) > LONGEST_FRAME:
            text = f"{text[:200]}... ({len(text)} characters)"
        with self._lock:
            if self._open:
                self._frames.append(Frame(round(self._elapsed(), 6), who, door, direction, text))

    def insert(self, frames: Iterable[tuple[str, str, str, str, float]]) -> None:
        """Add frames that were recorded elsewhere, each at its place in time.

        They are (who, door, direction, text, seconds of time.monotonic).
        """
        with self._lock:
            if not self._open:
                return
            self._frames += [
                Frame(round(max(0.0, at - self._began), 6), who, door, direction, text)
                for who, door, direction, text, at in frames
            ]
            self._frames.sort(key=lambda frame: frame.at)

    def note(self, text: str) -> None:
        """Add a remark of the suite itself, such as the clock reading."""
        self.record("suite", "", NOTE, text)

    def forget(self) -> None:
        """Drop all frames so far but the first, which reads the clock."""
        with self._lock:
            del self._frames[1:]

    def close(self) -> None:
        """End the record: cleaning up after a check is not part of its evidence."""
        with self._lock:
            self._open = False

    @property
    def frames(self) -> tuple[Frame, ...]:
        """All frames so far."""
        with self._lock:
            return tuple(self._frames)
