"""What a relay says: one text frame as a value (NIP-01, NIP-42, NIP-45). Nothing else reads them.

Reading never fails. What is no message of a relay comes back as `UnknownMessage`, with the reason;
what is one and departs from its form (an OK with a number for its text) says so in `fault`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from nip_ap.nostr.event import Event

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class EventMessage:
    """EVENT: something is delivered. Whether it is an event is known once `event` has read it."""

    subscription: str
    value: Any

    def event(self) -> Event:
        """The event. Raises MalformedEvent."""
        return Event.from_json(self.value)

    @property
    def event_id(self) -> str:
        """The id that it bears, without a look at the rest; empty where it has none."""
        found = self.value.get("id") if isinstance(self.value, dict) else None
        return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class OkMessage:
    """OK: an EVENT or AUTH was accepted or refused."""

    event_id: str
    accepted: bool
    message: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class EoseMessage:
    """EOSE: all stored events were sent."""

    subscription: str


@dataclass(frozen=True, slots=True)
class ClosedMessage:
    """CLOSED: the relay refused or ended a subscription or a COUNT."""

    subscription: str
    reason: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class CountMessage:
    """COUNT: the answer to a COUNT."""

    subscription: str
    count: int
    approximate: bool = False
    """Whether the relay says so (NIP-45)."""


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """NOTICE: words for people."""

    text: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class AuthMessage:
    """AUTH: a challenge."""

    challenge: str


@dataclass(frozen=True, slots=True)
class UnknownMessage:
    """A frame that is none of these: no JSON, no array, an unknown verb, a part that is missing."""

    text: str
    why: str


RelayMessage = (
    EventMessage
    | OkMessage
    | EoseMessage
    | ClosedMessage
    | CountMessage
    | NoticeMessage
    | AuthMessage
    | UnknownMessage
)


def read_message(text: str | bytes) -> RelayMessage:
    """The message of a relay that a text frame holds."""
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _unknown(text, f"it is not JSON: {error}")
    if not isinstance(frame, list) or not frame or not isinstance(frame[0], str):
        return _unknown(text, "it is not a JSON array that begins with a verb")
    reader = _READERS.get(frame[0])
    if reader is None:
        return _unknown(text, f"{frame[0][:_SHOWN]!r} is not a verb of a relay")
    try:
        return reader(frame)
    except (LookupError, TypeError, ValueError) as error:
        what = "something is missing" if isinstance(error, LookupError) else str(error)
        return _unknown(text, f"{frame[0]}: {what}")


def subscription_of(message: RelayMessage) -> str | None:
    """The subscription (or COUNT) that a message is about; None where it is about none."""
    if isinstance(message, (EventMessage, EoseMessage, ClosedMessage, CountMessage)):
        return message.subscription
    return None


def _unknown(text: str | bytes, why: str) -> UnknownMessage:
    return UnknownMessage(text if isinstance(text, str) else text.decode("utf-8", "replace"), why)


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a subscription id is a string, and not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    return orjson.dumps(value).decode()[:_SHOWN]


def _words(parts: list[Any], what: str) -> tuple[str, str]:
    """The text that ends a message, and what is wrong with it."""
    if not parts:
        return "", ""
    if isinstance(parts[0], str):
        return parts[0], ""
    return _shown(parts[0]), f"the text of {what} is a string, and not {_shown(parts[0])}"


def _event(frame: list[Any]) -> EventMessage:
    return EventMessage(_name(frame[1]), frame[2])


def _ok(frame: list[Any]) -> OkMessage:
    identifier, accepted = frame[1], frame[2]
    message, fault = _words(frame[3:], "an OK")
    if type(accepted) is not bool:
        fault = f"the third part of an OK is true or false, and not {_shown(accepted)}"
    if not isinstance(identifier, str):
        fault = f"an OK names the id of an event, and not {_shown(identifier)}"
        identifier = ""
    return OkMessage(identifier, accepted is True, message, fault)


def _closed(frame: list[Any]) -> ClosedMessage:
    reason, fault = _words(frame[2:], "a CLOSED")
    return ClosedMessage(_name(frame[1]), reason, fault)


def _count(frame: list[Any]) -> CountMessage:
    count = frame[2]["count"]
    if type(count) is not int or count < 0:
        raise ValueError(f"a count is a whole number, and not {_shown(count)}")
    return CountMessage(_name(frame[1]), count, frame[2].get("approximate") is True)


def _notice(frame: list[Any]) -> NoticeMessage:
    return NoticeMessage(*_words([frame[1]], "a NOTICE"))


def _auth(frame: list[Any]) -> AuthMessage:
    if not isinstance(frame[1], str):
        raise ValueError(f"a challenge is a string, and not {_shown(frame[1])}")
    return AuthMessage(frame[1])


_READERS: dict[str, Callable[[list[Any]], RelayMessage]] = {
    "EVENT": _event,
    "OK": _ok,
    "EOSE": lambda frame: EoseMessage(_name(frame[1])),
    "CLOSED": _closed,
    "COUNT": _count,
    "NOTICE": _notice,
    "AUTH": _auth,
}
