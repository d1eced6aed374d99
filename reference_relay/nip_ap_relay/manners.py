"""Correct and unusual: when the relay challenges, how small it is, how often it says "later".

None of this is a deviation. A relay with any of these manners keeps every rule of policy.py, so a
run on it has to end as one on the plain relay does. Adding one is an entry in MANNERS.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

CONNECT, READ, WRITE, LATE, AGAIN = "connect", "read", "write", "late", "again"

CHALLENGES: Mapping[str, str] = MappingProxyType(
    {
        CONNECT: "at connect",
        READ: "right before the CLOSED of a read that needs it, and never unasked",
        WRITE: "right after the OK false of a write that needs it, and never unasked",
        LATE: "300 ms after connect",
        AGAIN: "at connect, and another one 300 ms later that replaces the first",
    }
)
"""When a relay sends a NIP-42 challenge; all of it is legal."""

READS, WRITES, BOTH = "reads", "writes", "both"
AUTHENTICATED = (READS, WRITES, BOTH)
"""What takes NIP-42 authentication first."""

USUAL_NEED: Mapping[str, str] = MappingProxyType({READ: READS, WRITE: WRITES})
"""What takes authentication where nothing is said: both, but with a challenge on demand."""

LATER = 0.3
"""Seconds after which a late challenge comes."""

CONNECTION, ADDRESS, KEY = "connection", "address", "key"
ANSWER, NOTICE = "answer", "notice"
LIMITED = "rate-limited:"


@dataclass(frozen=True)
class Quota:
    """So many requests of these verbs in so many seconds, for each connection, address or key."""

    verbs: frozenset[str]
    number: int
    seconds: float
    each: str = CONNECTION


class Limited(Protocol):
    """What manners change: the limits of a policy, by name, and what is said of them."""

    manners: Manners
    announced_limits: Mapping[str, int]


@dataclass(frozen=True)
class Manners:
    """How one relay behaves where the NIPs leave it free. `limits` replace those of limits.py."""

    because: str
    limits: Mapping[str, int] = field(default_factory=dict)
    announced: bool = True
    """Whether NIP-11 says what `limits` are, or the usual ones."""
    quotas: tuple[Quota, ...] = ()
    told_by: str = ANSWER
    """A limit is told by OK and CLOSED, or by a NOTICE that names no event."""
    tells_when: bool = False
    """Whether it says in how many seconds to come back."""
    http_status: int = 429
    connections: int = 0
    """How many connections an address may hold; 0 is any number."""
    idle_seconds: float = 0.0
    """After how much silence a connection is closed; 0 is never."""

    def words(self, wait: float) -> str:
        """What it says where a request comes so many seconds too soon."""
        when = f"; retry in {math.ceil(wait)}s" if self.tells_when else ""
        return f"{LIMITED} slow down{when}"

    def instruct(self, policy: Limited) -> None:
        """Make a policy behave like this."""
        usual = {name: getattr(policy, name) for name in self.limits}
        policy.manners = self
        policy.announced_limits = dict(self.limits) if self.announced else usual
        for name, value in self.limits.items():
            setattr(policy, name, value)


_EVENTS = frozenset({"EVENT"})
_READS = frozenset({"REQ", "COUNT"})
_FRAMES = frozenset({"EVENT", "REQ", "COUNT"})


def _paced(each: str) -> tuple[Quota, ...]:
    return (Quota(_EVENTS, 10, 1.0, each), Quota(_READS, 20, 1.0, each))


PLAIN = Manners("No limit but those of limits.py.")

MANNERS: Mapping[str, Manners] = MappingProxyType(
    {
        "plain": PLAIN,
        "paced": Manners(
            "10 events and 20 reads a second for each connection, told by OK and CLOSED, HTTP 429.",
            quotas=_paced(CONNECTION),
        ),
        "paced-by-address": Manners(
            "10 events and 20 reads a second for each address; it says when to come back; "
            "HTTP 400.",
            quotas=_paced(ADDRESS),
            tells_when=True,
            http_status=400,
        ),
        "paced-by-notice": Manners(
            "10 events and 20 reads a second for each connection, told by a NOTICE that names "
            "neither event nor subscription; HTTP 403.",
            quotas=_paced(CONNECTION),
            told_by=NOTICE,
            http_status=403,
        ),
        "quota-by-key": Manners(
            "60 events a minute and 50 frames in 5 seconds for each key, told by a NOTICE that "
            "names no event and says when to come back; HTTP 429.",
            quotas=(Quota(_EVENTS, 60, 60.0, KEY), Quota(_FRAMES, 50, 5.0, KEY)),
            told_by=NOTICE,
            tells_when=True,
        ),
        "few-subscriptions": Manners(
            "5 subscriptions at once.", limits={"subscriptions_at_once": 5}
        ),
        "one-filter": Manners("1 filter in a request.", limits={"filters_at_once": 1}),
        "few-connections": Manners("3 connections from one address.", connections=3),
        "short-pages": Manners("20 stored events in one answer.", limits={"largest_limit": 20}),
        "short-pages-unannounced": Manners(
            "20 stored events in one answer, where NIP-11 says 5000.",
            limits={"largest_limit": 20},
            announced=False,
        ),
        "small-frames": Manners("Frames of 16 KiB.", limits={"frame_limit": 16 * 1024}),
        "idle": Manners("It closes a connection that was silent for 1 s.", idle_seconds=1.0),
    }
)
"""Each by its name: `nip-ap relay --manner NAME`."""


@dataclass
class Turnstile:
    """Counts requests against the quotas of one relay."""

    quotas: tuple[Quota, ...]
    _passed: dict[tuple[Quota, object], deque[float]] = field(default_factory=dict)

    def wait(self, verb: str, who: Mapping[str, object], now: float) -> float:
        """0 where one more request may pass, which counts it; else the seconds until one may.

        `who` says which connection, address and key the request comes from.
        """
        concerned = [
            (one, self._within(one, who[one.each], now)) for one in self.quotas if verb in one.verbs
        ]
        waits = [
            passed[0] + quota.seconds - now
            for quota, passed in concerned
            if len(passed) >= quota.number
        ]
        if waits:
            return max(waits)
        for _, passed in concerned:
            passed.append(now)
        return 0.0

    def _within(self, quota: Quota, who: object, now: float) -> deque[float]:
        passed = self._passed.setdefault((quota, who), deque())
        while passed and passed[0] <= now - quota.seconds:
            passed.popleft()
        return passed
