"""What comes back through a door, the same for both, and what can go wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from nip_ap.model.faults import UnreachableFault
from nip_ap.model.judgement import Ending
from nip_ap.model.verdict import Verdict
from nip_ap.nostr import Event, Filter

ANSWER_LIMIT = 8.0
"""Seconds within which a relay has to answer one request, unless the run says otherwise."""


class WireError(Ending, UnreachableFault):
    """The conversation broke down; a check that meets this is inconclusive unless it expects it."""

    verdict = Verdict.INCONCLUSIVE


class Unreachable(WireError):
    """No connection could be made."""


class StaleConnection(Unreachable):
    """A connection that was kept open ended before a byte of an answer: nothing was said."""


class Flooded(WireError):
    """The relay sent more than anything that was asked for can need."""


class ConnectionLost(WireError):
    """The relay ended the connection."""


class NoAnswer(WireError):
    """The relay did not answer in time."""


class RateLimited(WireError):
    """A rate limit did not lift in time."""


@dataclass(frozen=True)
class HttpResponse:
    """What came back to one HTTP request. `content` is what it says after decompression."""

    status_code: int
    content: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 200 to 299."""
        return 200 <= self.status_code < 300

    @property
    def text(self) -> str:
        """The content as UTF-8, whatever its charset is said to be: JSON has no other."""
        return self.content.decode("utf-8", "replace")

    def header(self, name: str) -> str:
        """The value of a header; empty where there is none."""
        return next((value for one, value in self.headers if one.lower() == name.lower()), "")

    def json(self) -> Any:
        """The content as a JSON value; None where it is not JSON."""
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            return None


@dataclass(frozen=True)
class Answer:
    """What the relay said to one EVENT. `status` is the HTTP status, 0 on WebSocket."""

    event_id: str
    accepted: bool
    message: str
    door: str
    status: int = 0

    @property
    def prefix(self) -> str:
        """The machine-readable prefix of NIP-01, with its colon; empty where there is none."""
        word, colon, _ = self.message.partition(":")
        return f"{word}:" if colon and word.isascii() and " " not in word else ""

    def __str__(self) -> str:
        verb = "accepted" if self.accepted else "refused"
        status = f" (HTTP {self.status})" if self.status else ""
        return f"{verb} {self.message!r}{status}"


@dataclass(frozen=True)
class Reading:
    """The stored events that answered one read, in the order in which they came.

    `refusal` is the text of a CLOSED or of an HTTP error in place of an answer; None otherwise.
    """

    reader: str
    door: str
    filters: tuple[Filter, ...]
    events: tuple[Event, ...]
    refusal: str | None = None
    status: int = 0
    malformed: tuple[str, ...] = ()
    """What came as an event and is none, each in a sentence."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, in the order in which they came."""
        return tuple(event.id for event in self.events)

    def __contains__(self, event: object) -> bool:
        return isinstance(event, Event) and event.id in self.ids

    def __len__(self) -> int:
        return len(self.events)

    def __str__(self) -> str:
        if self.refusal is not None:
            return f"refused {self.refusal!r}"
        ids = ", ".join(one[:8] for one in self.ids) or "none"
        others = f"; and no event: {self.malformed[0]}" if self.malformed else ""
        return f"{len(self.events)} event{'s' * (len(self.events) != 1)}: {ids}{others}"


@dataclass(frozen=True)
class Counted:
    """The answer to one COUNT; `refusal` as in Reading."""

    reader: str
    door: str
    filters: tuple[Filter, ...]
    count: int
    refusal: str | None = None
    status: int = 0
    approximate: bool = False
    """Whether the relay says that it is no exact number (NIP-45)."""
