"""How often a relay lets itself be asked: learned from its limits, and kept to from then on.

A limit is learned as "so many requests in so many seconds". It is taken to be one for each key
first, which for fresh keys is as good as for each connection; where it strikes keys that kept to
it, it is one for the whole address, and the process takes its share.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

EVENTS, READS = "events", "reads"

_REMEMBERED = 90.0
"""Seconds that a request is remembered: limits by the minute are the longest usual ones."""
_STRICTER = 1.5
_STRIKES = 3
_FEW = 5
"""Requests that no relay minds of one key, so that a limit after fewer is one of the address."""
_SLACK = 0.05
_EVERYBODY = ""

Rest = Callable[[float, str], None]


@dataclass
class _Limit:
    """So many requests in so many seconds, for each key or for everybody together."""

    number: int
    seconds: float = 0.0
    is_shared: bool = False
    strikes: int = 0


@dataclass
class _History:
    """When requests were sent that were taken, or may still be; when a limit was met last."""

    sent: deque[float] = field(default_factory=deque)
    limited_at: float = 0.0

    def since(self, moment: float) -> int:
        return sum(at > moment for at in self.sent)


class Allowance:
    """What one process knows about the limits of one relay."""

    def __init__(self, share: int, rest: Rest, now: Callable[[], float] = time.monotonic) -> None:
        """`share` is among how many processes a limit of the whole address is divided."""
        self._share = share
        self._rest = rest
        self._now = now
        self._limits: dict[str, _Limit] = {}
        self._histories: dict[tuple[str, str], _History] = {}
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return "; ".join(
            f"about {one.number} {what} in {one.seconds:.3g} s for each "
            f"{'address' if one.is_shared else 'key'}"
            for what, one in self._limits.items()
        )

    def await_turn(self, what: str, who: str) -> None:
        """Wait until one more request keeps to what is known."""
        while True:
            with self._lock:
                wait = self._wait(what, who)
            if wait <= 0:
                return
            self._rest(wait, f"keeping to {self}")

    def sent(self, what: str, who: str) -> None:
        """A request went out, whether or not its turn was awaited."""
        with self._lock:
            now = self._now()
            self._history(what, who).sent.append(now)
            if not self._is_shared(what):
                self._history(what, _EVERYBODY).sent.append(now)

    def admit(self, what: str, who: str) -> None:
        """Wait until one more request keeps to what is known, and count it."""
        self.await_turn(what, who)
        self.sent(what, who)

    def answered(self, what: str, who: str, taken: int, limited: int) -> None:
        """Of the last requests so many were taken, and so many met a limit."""
        with self._lock:
            limit = self._limits.get(what)
            if limit is None and not limited:
                return
            history, now = self._history(what, who), self._now()
            self._take_back(history, limited)
            if not self._is_shared(what):
                self._take_back(self._history(what, _EVERYBODY), limited)
            if limit is None:
                self._limits[what] = self._first(what, history)
            elif not limit.seconds:
                if taken and history.limited_at and history.sent:
                    limit.seconds = now - history.sent[0]
            elif limited and history.limited_at:
                self._stretch(limit)
            elif limited and not limit.is_shared:
                self._correct(what, limit, history.since(now - limit.seconds))
            if limited:
                history.limited_at = now

    def _first(self, what: str, history: _History) -> _Limit:
        """What the first limit tells: one that strikes a key at once was used up by others."""
        if len(history.sent) >= _FEW:
            return _Limit(len(history.sent))
        everybody = self._history(what, _EVERYBODY)
        return _Limit(max(1, len(everybody.sent) * self._share), is_shared=True)

    def _wait(self, what: str, who: str) -> float:
        limit, now = self._limits.get(what), self._now()
        history = self._history(what, who)
        while history.sent and history.sent[0] < now - _REMEMBERED:
            history.sent.popleft()
        if limit is None or not limit.seconds:
            return 0.0
        number = max(1, limit.number // self._share) if limit.is_shared else limit.number
        if len(history.sent) < number:
            return 0.0
        return history.sent[-number] + limit.seconds + _SLACK - now

    def _correct(self, what: str, limit: _Limit, taken: int) -> None:
        """It struck a key for the first time, after so many.

        Near the number, that is what the number is. Far below it, a few times, the limit is not
        one for each key.
        """
        if limit.number < 2 * taken + 2:
            limit.number = max(1, min(limit.number, taken))
            return
        limit.strikes += 1
        if limit.strikes < _STRIKES:
            return
        everybody = self._history(what, _EVERYBODY)
        within = everybody.since(self._now() - (limit.seconds or _REMEMBERED))
        if within >= limit.number:  # else nobody here has used it up either
            limit.is_shared, limit.number = True, max(1, within * self._share)

    def _stretch(self, limit: _Limit) -> None:
        """It was met again by who kept to it, so it is stricter than it seemed.

        A little at a time: how long somebody did nothing in between says nothing about it.
        """
        if limit.seconds:
            limit.seconds = min(limit.seconds * _STRICTER, _REMEMBERED)

    def _history(self, what: str, who: str) -> _History:
        key = (what, _EVERYBODY if self._is_shared(what) else who)
        return self._histories.setdefault(key, _History())

    def _is_shared(self, what: str) -> bool:
        return what in self._limits and self._limits[what].is_shared

    @staticmethod
    def _take_back(history: _History, refused: int) -> None:
        for _ in range(min(refused, len(history.sent))):
            history.sent.pop()
