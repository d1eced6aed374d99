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
from nip_ap.wire.line import LiveLine
from nip_ap.wire.network import Line, LiveNetwork

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
        self.farewells = Farewells()
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
                    self.farewells.say(one.line)
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
            self.farewells.say(line)
        self.farewells.wait()


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


class FarNetwork(LiveNetwork):
    """The network of this machine; where `is_far` is set, it dials ahead and leaves behind."""

    is_far = False
    _stock: Stock[LiveLine] | None = None

    def dial(self, url: str, who: str, connection: int, *, can_pause: bool, limit: float) -> Line:
        """See Network. One that stands ready is as good as a new one."""
        if not self.is_far:
            return super().dial(url, who, connection, can_pause=can_pause, limit=limit)
        if self._stock is None:
            self._stock = Stock(
                lambda url: self.dialled(url, "ready", can_pause=False, limit=limit)
            )
        ready = None if can_pause else self._stock.take(url)
        line = ready or self.dialled(url, who, can_pause=can_pause, limit=limit)
        return _Leaving(line, self._stock.farewells)

    def leave(self) -> None:
        """Close what stands ready, and wait until everything is closed."""
        if self._stock is not None:
            self._stock.close()


class _Leaving:
    """A connection whose end nobody waits for."""

    def __init__(self, line: LiveLine, farewells: Farewells) -> None:
        self.changed = line.changed
        self.listen = line.listen
        self.send = line.send
        self.wait = line.wait
        self.stop_reading = line.stop_reading
        self.abort = line.abort
        self._line = line
        self._farewells = farewells

    def close(self) -> None:
        """See Line."""
        self._farewells.say(self._line)
