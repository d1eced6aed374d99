"""A recorded conversation with the relay, and what can be read off it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from nip_ap_relay.limits import Limits
from nip_ap_relay.protocol import Complaint, Request, parse_frame
from nip_ap_relay.revisions import REVISIONS

Where = Callable[["Recording"], bool]
"""Whether a recorded conversation reached some place of the relay."""

OWN_RELAY_STARTS = "start of the own relay"
"""How the note of such a start begins."""

_AUTHENTICATION = re.compile(r'\["AUTH",\{[^}]*"id":"([0-9a-f]{64})"')


@dataclass(frozen=True)
class Line:
    """One line of a transcript: a frame that an actor sent, or one that it received."""

    at: float
    who: str
    door: str
    sent: bool
    text: str


@dataclass(frozen=True)
class Recording:
    """What one check sent to the reference relay at `url`; `keys` are public keys by actor."""

    check: str
    url: str
    clock: int
    keys: Mapping[str, str]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    """What the check also read: the clock, and how a relay of its own started and ended."""


def anywhere(recording: Recording) -> bool:
    """In every conversation."""
    return True


def used_http(recording: Recording) -> bool:
    """Where something went through the HTTP door."""
    return any(line.door == "http" for line in recording.lines)


def received(*beginnings: str) -> Where:
    """Where the relay sent a line that begins with one of these."""
    return lambda recording: _holds(recording, beginnings, is_sent=False)


def sent(*beginnings: str) -> Where:
    """Where the relay was sent a line that begins with one of these."""
    return lambda recording: _holds(recording, beginnings, is_sent=True)


def had_an_authentication_refused(recording: Recording) -> bool:
    """Where an answer to a challenge was refused."""
    found = (_AUTHENTICATION.match(line.text) for line in recording.lines if line.sent)
    return received(*(f'["OK","{one.group(1)}",false' for one in found if one))(recording)


def started_its_own_relay(recording: Recording) -> bool:
    """Where a relay was started for one check, to be stopped or killed by it."""
    return any(note.startswith(OWN_RELAY_STARTS) for note in recording.notes)


def sent_what_cannot_be_read(recording: Recording) -> bool:
    """Where a frame was too large, or was none of the protocol."""
    limits = Limits()
    largest = max(one.frame_limit for one in REVISIONS.values())
    return any(
        len(line.text) > largest
        or readable(line.text, limits.filters_at_once, limits.longest_subscription_id) is None
        for line in recording.lines
        if line.sent and line.door == "ws"
    )


@cache
def readable(text: str, most_filters: int, longest_id: int) -> Request | None:
    """A frame that can be read, once for all rogues; None where it has to be complained about."""
    try:
        return parse_frame(text, most_filters=most_filters, longest_id=longest_id)
    except Complaint:
        return None


def _holds(recording: Recording, beginnings: tuple[str, ...], *, is_sent: bool) -> bool:
    return any(
        line.sent is is_sent and line.text.startswith(beginnings) for line in recording.lines
    )
