"""One conversation with a relay, without I/O: text in, state and messages out.

Who owns a socket hands each text frame that comes to `receive` and notes what it sends with
`note_sent`; what was asked, answered and delivered stands here then. The relay's words themselves
are read in one place, nostr/message.py.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nip_ap.nostr import Event, Filter, MalformedEvent
from nip_ap.nostr.message import (
    AuthMessage,
    ClosedMessage,
    CountMessage,
    EoseMessage,
    EventMessage,
    NoticeMessage,
    OkMessage,
    RelayMessage,
    UnknownMessage,
    read_message,
)
from nip_ap.wire.backoff import LIMITED

_MOST_KEPT = 100
"""Malformed events that are kept: the hundredth is as telling as the first."""


@dataclass(frozen=True)
class Malformed:
    """Something that the relay served as an event and that is none, and why it is none."""

    subscription: str
    value: Any
    why: str

    def __str__(self) -> str:
        return f"{str(self.value)[:200]}, which is not an event: {self.why}"


@dataclass
class Requested:
    """What one subscription has received. Stored events end at EOSE; later ones came live."""

    id: str
    filters: tuple[Filter, ...]
    stored: list[Event] = field(default_factory=list)
    live: list[Event] = field(default_factory=list)
    ended: bool = False
    closed: str | None = None
    left: bool = False

    def take(self, event: Event) -> None:
        """Note one EVENT."""
        (self.live if self.ended else self.stored).append(event)

    @property
    def is_answered(self) -> bool:
        """Whether the relay said EOSE or CLOSED."""
        return self.ended or self.closed is not None


class Conversation:
    """What was said on one connection, as far as it matters for what is said next."""

    def __init__(self) -> None:
        self.challenge: str | None = None
        """The last challenge that came (NIP-42)."""
        self.received: list[str] = []
        """Every text that came, in order."""
        self.notices: list[str] = []
        self.limits: deque[str] = deque()
        """Rate limits that came as a NOTICE and name nothing, not yet taken for an answer."""
        self.strays: list[str] = []
        """Texts that are no message of a relay, or answer nothing that was asked here."""
        self.faults: list[str] = []
        """What is wrong with messages that could be read all the same."""
        self.malformed: list[Malformed] = []
        self.misnamed: deque[OkMessage] = deque()
        """OKs that name no event which was sent here, not yet taken for an answer."""
        self.counts: dict[str, CountMessage | ClosedMessage] = {}
        """The answers to COUNT by its name."""
        self._oks: defaultdict[str, deque[OkMessage]] = defaultdict(deque)
        self._sent_ids: set[str] = set()
        self._requests: dict[str, Requested] = {}

    # -- what goes out ---------------------------------------------------------

    def note_sent(self, frame: Any) -> None:
        """Note a frame that goes out: an OK that names its event will be an answer."""
        if isinstance(frame, list) and frame[1:] and isinstance(frame[1], dict):
            identifier = frame[1].get("id")
            if isinstance(identifier, str):
                self._sent_ids.add(identifier)

    def note_request(self, request: Requested) -> None:
        """Note a REQ that goes out. It takes the place of one with its name (NIP-01)."""
        self._requests[request.id] = request

    # -- what comes in ---------------------------------------------------------

    def receive(self, text: str) -> RelayMessage:
        """Take in what came."""
        message = read_message(text)
        self.received.append(text)
        if not self._takes(message):
            self.strays.append(text)
        return message

    def _takes(self, message: RelayMessage) -> bool:
        """Whether a message is one of a relay and belongs to something that was asked."""
        match message:
            case EventMessage():
                return self._take_event(message)
            case OkMessage():
                self._take_ok(message)
            case EoseMessage(subscription):
                if subscription not in self._requests:
                    return False
                self._requests[subscription].ended = True
            case ClosedMessage(subscription, reason, fault):
                self._note_fault(fault)
                if subscription in self._requests:
                    self._requests[subscription].closed = reason
                else:
                    self.counts[subscription] = message
            case CountMessage(subscription):
                self.counts[subscription] = message
            case NoticeMessage(text, fault):
                self._note_fault(fault)
                self.notices.append(text)
                if text.startswith(LIMITED):
                    self.limits.append(text)
            case AuthMessage(challenge):
                self.challenge = challenge
            case UnknownMessage():
                return False
        return True

    def _take_event(self, message: EventMessage) -> bool:
        try:
            event = message.event()
        except MalformedEvent as error:
            if len(self.malformed) < _MOST_KEPT:
                malformed = Malformed(message.subscription, message.value, str(error))
                self.malformed.append(malformed)
            return False
        if message.subscription not in self._requests:
            return False
        self._requests[message.subscription].take(event)
        return True

    def _take_ok(self, message: OkMessage) -> None:
        self._note_fault(message.fault)
        if message.event_id in self._sent_ids:
            self._oks[message.event_id].append(message)
        else:
            self.misnamed.append(message)

    def _note_fault(self, fault: str) -> None:
        if fault:
            self.faults.append(fault)

    # -- what stands -----------------------------------------------------------

    def has_ok(self, event: Event) -> bool:
        """Whether an unread OK that names the event's id is there."""
        return bool(self._oks.get(event.id))

    def oks_of(self, event: Event) -> int:
        """How many unread OKs name the event's id."""
        return len(self._oks.get(event.id, ()))

    def take_ok(self, event: Event) -> OkMessage | None:
        """The first unread OK that names the event's id, which is read now."""
        waiting = self._oks.get(event.id)
        return waiting.popleft() if waiting else None

    def accepted_among(self, events: Sequence[Event]) -> list[str]:
        """The ids of those events that an unread OK accepts."""
        return [one.id for one in events if any(ok.accepted for ok in self._oks.get(one.id, ()))]

    def accepted_ids(self) -> list[str]:
        """The ids that an unread OK accepts."""
        return [one for one, oks in self._oks.items() if any(ok.accepted for ok in oks)]

    @property
    def is_idle(self) -> bool:
        """Whether no subscription is open."""
        return all(one.left or one.closed is not None for one in self._requests.values())
