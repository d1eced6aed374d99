"""Connections dialled before they are needed and closed after they are: for relays far away.

Opening and closing a connection take round trips in which a check can do nothing. A few that stand
ready, and a farewell that nobody waits for, spare a run on a distant relay half of its time.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from nip_ap.wire.answers import Unreachable

FAR = 0.02
"""Seconds of round trip from which on a relay is far away."""
_STOCK = 3
_FRESH = 2.5
"""Seconds for which an unused connection is kept: some relays close one that stays silent."""
_FAREWELL = 3.0


class Dialled(Protocol):
    """A connection as it was dialled."""

    @property
    def is_open(self) -> bool:
        """Whether the other end still holds it."""

    def close(self) -> None:
        """End it; never raises."""


Made = TypeVar("Made", bound=Dialled)


@dataclass(frozen=True)
class _Ready(Generic[Made]):
    line: Made
    at: float


class Stock(Generic[Made]):
    """A few open connections to each relay, none of them old."""

    def __init__(self, dial: Callable[[str], Made], size: int = _STOCK) -> None:
        """`dial` opens one to a URL; what it raises is left to whoever needs a connection."""
        self._dial = dial
        self._size = size
        self._ready: dict[str, deque[_Ready[Made]]] = {}
        self._under_way: dict[str, int] = {}
        self._lock = threading.Lock()
        self._farewells = Farewells()
        self._is_over = False

    def take(self, url: str) -> Made | None:
        """One that is open and fresh, if there is one; others are dialled in its place."""
        found = None
        with self._lock:
            ready = self._ready.setdefault(url, deque())
            while ready and found is None:
                one = ready.popleft()
                is_fresh = time.monotonic() - one.at < _FRESH
                if is_fresh and one.line.is_open:
                    found = one.line
                else:
                    self._farewells.say(one.line)
            missing = self._size - len(ready) - self._under_way.get(url, 0)
            if not self._is_over and missing > 0:
                self._under_way[url] = self._under_way.get(url, 0) + missing
                for _ in range(missing):
                    threading.Thread(target=self._add, args=(url,), daemon=True).start()
        return found

    def _add(self, url: str) -> None:
        line = None
        with contextlib.suppress(Unreachable):
            line = self._dial(url)
        with self._lock:
            self._under_way[url] -= 1
            if line is not None and not self._is_over:
                self._ready.setdefault(url, deque()).append(_Ready(line, time.monotonic()))
                return
        if line is not None:
            line.close()

    def close(self) -> None:
        """Close what nobody took."""
        with self._lock:
            self._is_over = True
            left = [one.line for ready in self._ready.values() for one in ready]
            self._ready.clear()
        for line in left:
            self._farewells.say(line)
        self._farewells.wait()


class Farewells:
    """Closes connections beside what goes on."""

    def __init__(self) -> None:
        self._under_way: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def say(self, line: Dialled) -> None:
        """Close a connection in a thread of its own."""
        thread = threading.Thread(target=self._close, args=(line,), daemon=True)
        with self._lock:
            self._under_way.add(thread)
        thread.start()

    def _close(self, line: Dialled) -> None:
        line.close()
        with self._lock:
            self._under_way.discard(threading.current_thread())

    def wait(self) -> None:
        """Wait until all of them are closed, for some seconds at most."""
        deadline = time.monotonic() + _FAREWELL
        with self._lock:
            threads = list(self._under_way)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
