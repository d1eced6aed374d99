"""Direct messages as values: the commands that open, widen and hide one, and what the relay says.

The shapes are those of the real relay (docs/real-relay.md 10). A direct message is a channel for a
set of people that never changes; who is added is added to a new one.
"""

from __future__ import annotations

import json

from nip_ap.nostr.event import Draft
from nip_ap.nostr.filter import Filter

OPEN_DIRECT_MESSAGE, WIDEN_DIRECT_MESSAGE, HIDE_DIRECT_MESSAGE = 41010, 41011, 41012
MEMBER_ADDED, MEMBER_REMOVED, HIDDEN_DIRECT_MESSAGES = 44100, 44101, 30622
CHANNEL, CHANNEL_ADMINS, CHANNEL_MEMBERS, SYSTEM_MESSAGE = 39000, 39001, 39002, 40099

COMMANDS = frozenset((OPEN_DIRECT_MESSAGE, WIDEN_DIRECT_MESSAGE, HIDE_DIRECT_MESSAGE))
MOST_OTHERS = 8
"""People beside the one who opens a direct message."""

_RESPONSE = "response:"


def opening(*others: str, at: int) -> Draft:
    """Opens the direct message with these people, dated `at`; once more where it is there."""
    return Draft(OPEN_DIRECT_MESSAGE, at, tuple(("p", one) for one in others))


def widening(channel: str, *others: str, at: int) -> Draft:
    """Opens a direct message of a channel's people and these."""
    return Draft(WIDEN_DIRECT_MESSAGE, at, (("h", channel), *(("p", one) for one in others)))


def hiding(channel: str, *, at: int) -> Draft:
    """Takes a direct message out of its author's list."""
    return Draft(HIDE_DIRECT_MESSAGE, at, (("h", channel),))


def hidden_of(viewer: str) -> Filter:
    """What a viewer has hidden: one event, signed by the relay."""
    return Filter.of(kinds=[HIDDEN_DIRECT_MESSAGES], tags={"p": [viewer]})


def described(kind: int, channel: str) -> Filter:
    """What the relay says about a channel: CHANNEL, CHANNEL_ADMINS or CHANNEL_MEMBERS."""
    return Filter.of(kinds=[kind], tags={"d": [channel]})


def response_in(message: str) -> dict[str, object]:
    """The JSON object in the OK to a command; empty where there is none."""
    try:
        value = json.loads(message.removeprefix(_RESPONSE))
    except ValueError:
        return {}
    return value if isinstance(value, dict) and message.startswith(_RESPONSE) else {}


def response(value: dict[str, object]) -> str:
    """The text of the OK to a command."""
    return _RESPONSE + json.dumps(value, separators=(",", ":"))
