"""How long to wait for answers: as long as the run allows, until silence is the relay's habit."""

from __future__ import annotations

import threading

_SILENCES = 3
_SHORTEST = 1.0
_LONGEST_LAG, _USUAL_LAG = 30.0, 3.0


class Patience:
    """What the doors of a process have learned about the pace of one relay.

    Each request may take the full limit. After a few that were never answered the relay is known
    to stay silent about some things, and one more silence is waited out for twice the time of the
    slowest answer so far (a second at least, never longer than the limit). A run against a relay
    that drops what it dislikes ends in minutes that way, and none of its answers is missed.
    """

    def __init__(self, limit: float) -> None:
        self.full = limit
        self.refuses_slowly = False
        """Whether a refusal was seen that delays or spoils what follows on its connection."""
        self._lost = 0
        self._slowest = 0.0
        self._silences = 0
        self._lock = threading.Lock()

    @property
    def limit(self) -> float:
        """Seconds to wait for the next answer."""
        if self._silences < _SILENCES:
            return self.full
        return min(self.full, max(_SHORTEST, 2 * self._slowest))

    @property
    def lag(self) -> float:
        """Seconds to wait for an accepted event to appear, where OK runs ahead of the store.

        A queue of writes may be long; what does not come out of it three times is lost.
        """
        return _LONGEST_LAG if self._lost < _SILENCES else _USUAL_LAG

    def lost(self) -> None:
        """An accepted event never appeared."""
        with self._lock:
            self._lost += 1

    def answered(self, seconds: float) -> None:
        """An answer came after so many seconds."""
        with self._lock:
            self._slowest = max(self._slowest, seconds)

    def gave_up(self) -> None:
        """No answer came within the limit."""
        with self._lock:
            self._silences += 1
