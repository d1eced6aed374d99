"""Waiting out a rate limit: as long as the relay says, doubling where it does not say."""

from __future__ import annotations

import re
import threading

from nip_ap.wire.answers import RateLimited

_RETRY_IN = re.compile(r"retry in (\d+(?:\.\d+)?)\s*s")
_TRIES = 6


class Backoff:
    """The pauses of one request."""

    def __init__(self, answer_limit: float, *, waits: bool = True) -> None:
        """`waits` is False where a transcript is played back and the waiting lies behind us."""
        self._waits = waits
        self._longest = max(answer_limit, 1.0) * 4
        self._pause = 0.5
        self._tries = 0

    def pause(self, message: str) -> None:
        """Wait once. Raises RateLimited where the limit would not lift in reasonable time."""
        told = _RETRY_IN.search(message)
        pause = float(told.group(1)) if told else self._pause
        self._tries += 1
        self._pause *= 2
        if self._tries > _TRIES or pause > self._longest:
            raise RateLimited(f"a rate limit did not lift: {message!r}")
        if self._waits:
            threading.Event().wait(pause)
