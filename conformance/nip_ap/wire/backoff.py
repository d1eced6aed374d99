"""Waiting out a rate limit: as long as the relay says, doubling where it does not say.

A limit is no answer to what was asked. A request that met one is sent again until it is taken;
only a limit that lets nothing at all through for minutes ends that.
"""

from __future__ import annotations

import re

from nip_ap.wire.answers import RateLimited
from nip_ap.wire.pace import Patience

LIMITED = "rate-limited:"

_TOLD = re.compile(
    r"\b(?:in|after|for|wait)\s+(?:another\s+)?(\d+(?:\.\d+)?)\s*"
    r"(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?)\b",
    re.IGNORECASE,
)
_CONNECTIONS = re.compile(r"\btoo many (\w+ )?connections\b|\bconnection limit\b", re.IGNORECASE)
_FIRST, _LONGEST = 0.5, 60.0
_LONGEST_TOLD = 900.0
_LEAST_TOLD = 0.05


def is_limit(text: str) -> bool:
    """Whether a refusal only says: later."""
    return text.startswith(LIMITED)


def is_about_connections(text: str) -> bool:
    """Whether a limit is of how many connections are open, which waiting alone does not lift."""
    return _CONNECTIONS.search(text) is not None


def seconds_told(message: str) -> float | None:
    """How long a relay says to wait; None where it does not say."""
    found = _TOLD.search(message)
    if found is None:
        return None
    unit = found[2].lower()
    if unit.startswith(("ms", "milli")):
        return float(found[1]) / 1000
    return float(found[1]) * (60 if unit.startswith("m") else 1)


class Backoff:
    """The pauses of one request, or of a batch of them that is sent again together."""

    def __init__(self, patience: Patience, *, waits: bool = True) -> None:
        """`waits` is False where a transcript is played back and the waiting lies behind us."""
        self._patience = patience
        self._waits = waits
        self._next = _FIRST
        self._waited = 0.0

    def pause(self, message: str, *, progressed: bool = False) -> None:
        """Wait once. Raises RateLimited where nothing got through for as long as one waits.

        `progressed` says whether something was taken since the last pause.
        """
        if progressed:
            self._next, self._waited = _FIRST, 0.0
        told = seconds_told(message)
        pause = self._next if told is None else max(told, _LEAST_TOLD)
        self._next = min(2 * self._next, _LONGEST)
        if self._is_too_much(pause, told):
            self._patience.stayed_limited()
            raise RateLimited(
                f"a rate limit let nothing through for {self._waited:.0f} s: {message!r}"
            )
        self._waited += pause
        if self._waits:
            self._patience.rest(pause, message)

    def _is_too_much(self, pause: float, told: float | None) -> bool:
        """One wait that the relay asks for is kept however long the rest was."""
        if not self._waits:
            return False
        if told is not None and not self._waited:
            return told > _LONGEST_TOLD
        return self._waited + pause > self._patience.limited_for
