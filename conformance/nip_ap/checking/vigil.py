"""Whether a relay still serves, asked after a check that may have hurt it or was left unanswered.

A relay that no longer serves is told once, by the check after which it did not, and every worker of
the run learns of it: the checks that follow would say no more than that.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from nip_ap.checking.actor import Actor, address
from nip_ap.model.fall import Fall
from nip_ap.model.frame import GAVE_UP, LOST, NOT_CONNECTED, NOTE
from nip_ap.model.result import Result
from nip_ap.nostr import PERSONA, Filter
from nip_ap.wire import RateLimited, WireError

LONGEST_SILENCE = 15.0
"""Seconds for which a relay may be silent before it is given up."""
_PAUSE = 0.5


@dataclass(frozen=True)
class Board:
    """A folder in which the workers of a run tell each other which relays fell."""

    folder: Path

    def turn(self, subject: str, *, alone: bool) -> IO[bytes]:
        """Wait until a check may use a relay of the run, and hold it until the file is closed.

        What may hurt the relay has it alone, so that nobody else is blamed for it or harmed by it.
        """
        file = (self.folder / f"turn-{_digest(subject)}").open("ab")
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        return file

    def note_a_crowd(self, subject: str) -> None:
        """A relay takes so few connections that checks have to take turns there."""
        (self.folder / f"crowd-{_digest(subject)}").touch()

    def is_crowded(self, subject: str) -> bool:
        """Whether anybody noted that."""
        return (self.folder / f"crowd-{_digest(subject)}").exists()

    def put(self, fall: Fall) -> None:
        """Tell of a fall; of two at the same relay the first counts."""
        name = _digest(f"{fall.subject} {fall.url}")
        try:
            with (self.folder / f"{name}.json").open("x", encoding="utf-8") as file:
                json.dump(fall.to_json(), file)
        except FileExistsError:
            return

    def falls(self, subject: str) -> list[Fall]:
        """The falls of one subject, the first one first."""
        found = []
        for file in self.folder.glob("*.json"):
            try:
                found.append(Fall(**json.loads(file.read_text(encoding="utf-8"))))
            except ValueError:
                continue  # another worker is writing it just now
        own = [one for one in found if one.subject == subject]
        return sorted(own, key=lambda one: one.at)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def met_silence(result: Result) -> bool:
    """Whether a check was left without an answer or a connection."""
    signs = (GAVE_UP, LOST, NOT_CONNECTED)
    return any(one.direction == NOTE and one.text.startswith(signs) for one in result.frames)


def silence_of(canary: Callable[[], Actor], longest: float = LONGEST_SILENCE) -> str:
    """Why a relay is taken for gone, after a bounded time; empty where it answers.

    The canary is asked for anew each time, on a fresh connection.
    """
    began = time.monotonic()
    while True:
        actor = canary()
        why = _silence(actor)
        actor.leave()
        waited = time.monotonic() - began
        if not why:
            return ""
        if waited + _PAUSE > longest:
            return f"{why} (asked for {waited:.0f} s)"
        threading.Event().wait(_PAUSE)


def pace_of(canary: Callable[[], Actor]) -> float:
    """Seconds that a relay takes at present for a read that it has nothing to do for.

    The connection is made and authenticated before. A relay that does not answer took for ever.
    """
    actor = canary()
    try:
        if _silence(actor):
            return math.inf
        began = time.monotonic()
        return math.inf if _silence(actor) else time.monotonic() - began
    finally:
        actor.leave()


def _silence(actor: Actor) -> str:
    """What a read by address met, and one by kind: whoever answers one of the two is there."""
    why = ""
    for wanted in (address(actor, "canary"), Filter.of(kinds=[PERSONA], limit=1)):
        try:
            actor.try_to_read(wanted)
        except RateLimited:
            return ""  # whoever says "later" is there
        except (WireError, OSError) as error:
            why = why or str(error)
        else:
            return ""
    return why


def now() -> str:
    """The time of day."""
    return datetime.now(UTC).strftime("%H:%M:%S UTC")
