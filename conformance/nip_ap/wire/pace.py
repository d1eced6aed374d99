"""How long to wait for answers: as long as the run allows, until silence is the relay's habit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nip_ap.model.deadline import NEVER, Deadline
from nip_ap.wire.allowance import Allowance

_SILENCES = 3
_SHORTEST = 1.0
_LONGEST_LAG, _USUAL_LAG = 30.0, 3.0
_LIMITED_FOR, _LIMITED_BRIEFLY = 190.0, 15.0
_STUCK = 2
_TELL_EVERY = 5.0
_CHALLENGE, _HARDLY = 3.0, 0.5

OnRest = Callable[[str, float], None]
"""Told the relay's words and the seconds that are still to wait, again and again meanwhile."""


class Patience:
    """What the doors of a process have learned about the pace of one relay.

    Each request may take the full limit. After a few that were never answered the relay is known
    to stay silent about some things, and one more silence is waited out for twice the time of the
    slowest answer so far (a second at least, never longer than the limit). A run against a relay
    that drops what it dislikes ends in minutes that way, and none of its answers is missed.
    """

    def __init__(
        self,
        limit: float,
        *,
        on_rest: OnRest | None = None,
        share: int = 1,
        deadline: Deadline = NEVER,
    ) -> None:
        """`share` is among how many processes a limit of the whole address is divided.

        Nothing is waited for beyond the deadline.
        """
        self.full = limit
        self._deadline = deadline
        self.allowance = Allowance(share, self.rest)
        """How often the relay lets itself be asked, where it has a limit."""
        self._on_rest = on_rest
        self._unchallenged = 0
        self._stuck = 0
        self.refuses_slowly = False
        """Whether a refusal was seen that delays or spoils what follows on its connection."""
        self._lost = 0
        self._slowest = 0.0
        self._silences = 0
        self._lock = threading.Lock()

    @property
    def limit(self) -> float:
        """Seconds to wait for the next answer."""
        longest = max(self._deadline.left, _SHORTEST)
        if self._silences >= _SILENCES:
            longest = min(longest, max(_SHORTEST, 2 * self._slowest))
        return min(self.full, longest)

    def keep_to_the_deadline(self) -> None:
        """Raise OutOfTime where the run has to be over."""
        self._deadline.hold()

    @contextmanager
    def beyond_the_deadline(self) -> Iterator[None]:
        """For what has to be done all the same: a check takes away what it wrote."""
        deadline, self._deadline = self._deadline, NEVER
        try:
            yield
        finally:
            self._deadline = deadline

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

    @property
    def challenge_limit(self) -> float:
        """Seconds to wait for a challenge after a refusal; hardly any where none ever came."""
        longest = _CHALLENGE if self._unchallenged < _SILENCES else _HARDLY
        return min(self.full, longest)

    def without_challenge(self) -> None:
        """A refusal asked for authentication, and no challenge came."""
        with self._lock:
            self._unchallenged += 1

    # -- rate limits -------------------------------------------------------------

    @property
    def limited_for(self) -> float:
        """Seconds for which a limit may let nothing through; short once some never lifted."""
        return _LIMITED_FOR if self._stuck < _STUCK else _LIMITED_BRIEFLY

    def stayed_limited(self) -> None:
        """A limit let nothing through for all that time."""
        with self._lock:
            self._stuck += 1

    def rest(self, seconds: float, why: str) -> None:
        """Wait for so long, because of a limit; who listens is told every few seconds.

        Raises OutOfTime where the run has to be over before that.
        """
        left = seconds
        while left > 0:
            self.keep_to_the_deadline()
            if self._on_rest is not None and seconds >= 1:
                self._on_rest(why, left)
            part = min(left, _TELL_EVERY, max(self._deadline.left, 0.0))
            threading.Event().wait(part)
            left -= part
