"""The transcript of one check: every frame both ways, when, by whom - and no secret.

It also holds what else a check depended on: when connections came and went, what was awaited in
vain, and what the clock read. So a check can be judged again from its transcript (playback.py).
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import TypeVar

import orjson

from nip_ap.model.frame import NOTE, RECEIVED, SUITE, Frame
from nip_ap.wire.bounds import MOST_SHOWN

LONGEST_SENT = 200_000
"""Characters of a sent frame that a transcript holds: more than any event of the suite, but for
those that are too long on purpose. A longer one is cut and stands by its digest."""


LONGEST_RECEIVED = 4_000_000
"""Characters of a received frame that a transcript holds; a cut one cannot be judged again."""

MOST_RECEIVED = 16 * 2**20
"""Characters of all received frames of a check; of what comes after that only the ends are kept."""

_ENDS = 1_000
"""Characters of a received frame that a transcript holds where it holds too many already."""

_CUT = 200


Value = TypeVar("Value", bound="int | float | bool | str")


class Transcript:
    """Frames in the order in which they happened. Safe to write from several threads."""

    is_played = False
    """Whether the answers come out of a transcript instead of a relay, so that nothing waits."""

    def __init__(self, elapsed: Callable[[], float] | None = None) -> None:
        self._began = time.monotonic()
        self._elapsed = elapsed or (lambda: time.monotonic() - self._began)
        self._lock = threading.Lock()
        self._frames: list[Frame] = []
        self._connections: Counter[tuple[str, str]] = Counter()
        self._received = 0
        self._open = True

    def connection(self, who: str, door: str) -> int:
        """The number of a new connection of an actor at a door, from 1."""
        with self._lock:
            self._connections[who, door] += 1
            return self._connections[who, door]

    def record(self, who: str, door: str, direction: str, text: str, connection: int = 0) -> None:
        """Add one frame; after `close` nothing more is added. What is very long is cut short."""
        text = shortened(text, direction)
        with self._lock:
            if direction == RECEIVED:
                self._received += len(text)
                if self._received > MOST_RECEIVED:
                    text = shortened(text, direction, _ENDS)
            if self._open:
                at = round(self._elapsed(), 6)
                self._frames.append(Frame(at, who, door, direction, text, connection))

    def insert(
        self, whos: Collection[str], frames: Iterable[tuple[str, str, str, str, float]]
    ) -> None:
        """Add frames that were recorded elsewhere, on connections of these actors alone.

        They are (who, door, direction, text, seconds of time.monotonic), in their own order.
        """
        with self._lock:
            if self._open:
                self._frames += [
                    Frame(round(max(0.0, at - self._began), 6), who, door, direction, text, 1)
                    for who, door, direction, text, at in frames
                    if who in whos
                ]

    def note(self, text: str) -> None:
        """Add a remark of the suite itself, such as the key of an actor."""
        self.record(SUITE, "", NOTE, text)

    def reading(self, name: str, take: Callable[[], Value], who: str = SUITE) -> Value:
        """Something that depends on more than the wire, such as the time: taken and noted down.

        `who` is the actor that needs it, where several may act at a time.
        """
        value = take()
        self.record(who, "", NOTE, reading_note(name, value))
        return value

    def connects_anew(self, who: str, connection: int, found: bool) -> bool:
        """Whether an actor leaves an ended connection for a new one, as is found just now."""
        return found

    def thin_out(self, who: str, door: str, connection: int) -> None:
        """Leave out the middle of what came on one connection: a flood tells nothing new."""
        with self._lock:
            flood = [
                number
                for number, frame in enumerate(self._frames)
                if (frame.who, frame.door, frame.connection) == (who, door, connection)
                and frame.direction == RECEIVED
            ]
            for number in flood:
                frame = self._frames[number]
                short = shortened(frame.text, RECEIVED, _ENDS)
                self._frames[number] = replace(frame, text=short)
            left_out = flood[MOST_SHOWN // 2 : -MOST_SHOWN // 2]
            if not left_out:
                return
            at = self._frames[left_out[0]].at
            gone = set(left_out)
            note = Frame(at, who, door, NOTE, f"{len(gone)} frames are left out here", connection)
            self._frames[left_out[0]] = note
            gone.discard(left_out[0])
            self._frames = [one for number, one in enumerate(self._frames) if number not in gone]

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


def shortened(text: str, direction: str, longest: int | None = None) -> str:
    """The text of a frame as transcripts hold it, where nothing else is said about its length."""
    usual = LONGEST_RECEIVED if direction == RECEIVED else LONGEST_SENT
    if len(text) <= (usual if longest is None else longest):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:_CUT]}... ({len(text)} characters, SHA-256 {digest}) ...{text[-_CUT:]}"


def reading_note(name: str, value: object) -> str:
    """The note of a reading: `clock reads 1764000000`."""
    return f"{name} reads {orjson.dumps(value).decode()}"
