"""The WebSocket door: requests out, answers matched by id and subscription, in any order.

What comes is taken in at once, so no answer is lost behind another, and no relay is held up by a
check that looks elsewhere. NIP-42 is answered when the relay asks.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from nip_ap.nostr import (
    PERSONA,
    Event,
    Filter,
    MalformedEvent,
    SecretKey,
    relay_auth_event,
)
from nip_ap.wire.answers import (
    ANSWER_LIMIT,
    Answer,
    ConnectionLost,
    Counted,
    NoAnswer,
    Reading,
    Unreachable,
    WireError,
)
from nip_ap.wire.backoff import Backoff
from nip_ap.wire.network import Line, LiveNetwork, Network
from nip_ap.wire.pace import Patience
from nip_ap.wire.transcript import (
    CONNECTED,
    CUT_OFF,
    GAVE_UP,
    LEFT,
    LOST,
    NOT_CONNECTED,
    NOT_SENT,
    NOTE,
    RECEIVED,
    SENT,
    WITHIN,
    Transcript,
)

DOOR = "ws"
_AUTH_REQUIRED = "auth-required:"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1
_WORN = 4_000
"""Frames sent after which an idle connection is left for a new one: relays cap them a minute."""


@dataclass
class Subscription:
    """What one subscription has received. Stored events end at EOSE; later ones came live."""

    door: WebSocketDoor
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

    def wait_for(self, event: Event) -> None:
        """Wait until an event was delivered live. Raises NoAnswer."""
        self.door.wait(
            lambda: any(one.id == event.id for one in self.live),
            f"live delivery of event {event.id[:8]} on subscription {self.id}",
        )

    def close(self) -> None:
        """Send CLOSE. Whether the relay obeys is for a check to see."""
        self.left = True
        self.door.send(["CLOSE", self.id])


class WebSocketDoor:
    """One connection of one actor."""

    name = DOOR

    def __init__(
        self,
        url: str,
        *,
        who: str,
        key: SecretKey | None,
        transcript: Transcript,
        now: Callable[[], int],
        answer_limit: float = ANSWER_LIMIT,
        expects_challenge: bool = False,
        deaf: bool = False,
        patience: Patience | None = None,
        network: Network | None = None,
    ) -> None:
        """Connect, and authenticate at once where the relay is known to ask for it.

        A deaf door has next to no buffers, so that `stop_reading` is felt by the relay.
        Raises Unreachable. `key` None makes an anonymous connection, which never authenticates.
        `patience` is what is known about the relay's pace; doors to one relay share it.
        """
        self.url = url
        self.who = who
        self.key = key
        self.answer_limit = answer_limit
        self.patience = patience or Patience(answer_limit)
        self.lag = 0.0
        """Seconds by which OKs run ahead of what the relay serves, as probed; 0 where not."""
        self.challenge: str | None = None
        self.received: list[str] = []
        self.notices: list[str] = []
        self.strays: list[list[Any]] = []
        self.malformed: list[Any] = []
        """What the relay served as an event and is none."""
        self.misnamed: deque[Answer] = deque()
        """OKs that name no event which this connection sent, not yet taken for an answer."""
        self.authenticated = False
        self._now = now
        self._transcript = transcript
        self._oks: defaultdict[str, deque[tuple[bool, str]]] = defaultdict(deque)
        self._counts: dict[str, Counted] = {}
        self._sent_ids: set[object] = set()
        self._sent = 0
        self._subscriptions: dict[str, Subscription] = {}
        self._numbers = iter(range(1, 1_000_000))
        self._lost: str | None = None
        self._left = False
        self._connection = transcript.connection(who, DOOR)
        self._line = self._dialled(network or LiveNetwork(), deaf)
        self._changed = self._line.changed
        self._line.listen(self._take, self._lose)
        if expects_challenge and key is not None:
            self.wait(lambda: self.challenge is not None, "a NIP-42 challenge")
            self.authenticate()

    def _dialled(self, network: Network, deaf: bool) -> Line:
        try:
            line = network.dial(
                self.url, self.who, self._connection, deaf=deaf, limit=self.answer_limit
            )
        except Unreachable as error:
            self._note(f"{NOT_CONNECTED}{error}")
            raise
        self._note(CONNECTED)
        return line

    def _note(self, text: str) -> None:
        """Something that befell the connection itself, for the transcript."""
        self._transcript.record(self.who, DOOR, NOTE, text, self._connection)

    # -- what comes ------------------------------------------------------------

    def _lose(self, reason: str) -> None:
        self._lost = reason
        if not self._left:
            self._note(f"{LOST}{reason}")

    def _take(self, text: str) -> None:
        self._transcript.record(self.who, DOOR, RECEIVED, text, self._connection)
        self.received.append(text)
        try:
            self._route(orjson.loads(text))
        except (orjson.JSONDecodeError, MalformedEvent, LookupError, TypeError, ValueError):
            self.strays.append([text])

    def _route(self, frame: list[Any]) -> None:
        verb = frame[0]
        if verb == "EVENT":
            self._take_event(frame[1], frame[2])
        elif verb == "OK":
            self._take_ok(frame[1], frame[2] is True, str(frame[3]) if frame[3:] else "")
        elif verb == "EOSE":
            self._subscriptions[frame[1]].ended = True
        elif verb == "CLOSED":
            self._close_subscription(frame[1], str(frame[2]) if frame[2:] else "")
        elif verb == "COUNT":
            count = frame[2]["count"]
            self._counts[frame[1]] = Counted(self.who, DOOR, (), int(count))
        elif verb == "NOTICE":
            self.notices.append(str(frame[1]))
        elif verb == "AUTH":
            self.challenge = str(frame[1])
        else:
            self.strays.append(frame)

    def _take_event(self, identifier: str, value: Any) -> None:
        try:
            event = Event.from_json(value)
        except MalformedEvent:
            self.malformed.append(value)
            raise
        self._subscriptions[identifier].take(event)

    def _take_ok(self, event_id: str, accepted: bool, message: str) -> None:
        if event_id in self._sent_ids:
            self._oks[event_id].append((accepted, message))
        else:
            self.misnamed.append(Answer(event_id, accepted, message, DOOR))

    def _close_subscription(self, identifier: str, reason: str) -> None:
        if identifier in self._subscriptions:
            self._subscriptions[identifier].closed = reason
        else:
            self._counts[identifier] = Counted(self.who, DOOR, (), 0, refusal=reason)

    # -- sending and waiting ---------------------------------------------------

    def send(self, frame: Any) -> None:
        """Send a frame as JSON. Raises ConnectionLost."""
        if isinstance(frame, list) and frame[1:] and isinstance(frame[1], dict):
            self._sent_ids.add(frame[1].get("id") if isinstance(frame[1].get("id"), str) else None)
        self.send_text(orjson.dumps(frame).decode())

    def send_text(self, text: str | bytes, *, as_text: bool | None = None) -> None:
        """Send a text frame as it is, or bytes as a binary frame. Raises ConnectionLost.

        With as_text=True bytes go into a text frame, be they UTF-8 or not.
        """
        shown = text if isinstance(text, str) else f"(bytes: {text.hex()})"
        self._transcript.record(self.who, DOOR, SENT, shown, self._connection)
        self._sent += 1
        try:
            self._line.send(text, as_text)
        except ConnectionLost as error:
            self._note(f"{NOT_SENT}{error}")
            raise

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something came. Raises NoAnswer or ConnectionLost, naming what was awaited."""
        limit, began = self.patience.limit, time.monotonic()
        with self._changed:
            came = self._line.wait(lambda: condition() or self._lost is not None, limit)
            if came and condition():
                self.patience.answered(time.monotonic() - began)
                return
            if self._lost is not None:
                raise ConnectionLost(f"{self._lost}; {what} was awaited")
            self._note(f"{GAVE_UP}{what}{WITHIN}{limit:g} s")
        self.patience.gave_up()
        notices = f"; last notice: {self.notices[-1]!r}" if self.notices else ""
        raise NoAnswer(f"{what}{WITHIN}{limit:g} s{notices}")

    def has_ok(self, event: Event) -> bool:
        """Whether an unread OK that names the event's id is there."""
        return bool(self._oks.get(event.id))

    def oks_of(self, event: Event) -> int:
        """How many unread OKs name the event's id."""
        return len(self._oks.get(event.id, ()))

    def accepted_so_far(self) -> list[str]:
        """The ids that got OK true, of the events whose answers nobody has taken yet."""
        with self._changed:
            return [one for one, oks in self._oks.items() if any(ok for ok, _ in oks)]

    @property
    def is_open(self) -> bool:
        """Whether the relay still holds the connection."""
        return self._lost is None

    @property
    def is_idle(self) -> bool:
        """Whether no subscription is open here."""
        return all(one.left or one.closed is not None for one in self._subscriptions.values())

    @property
    def is_worn(self) -> bool:
        """Whether so much went through an idle connection that a new one is better."""
        return self._sent >= _WORN and self.is_idle

    # -- requests --------------------------------------------------------------

    def authenticate(self) -> Answer:
        """Answer the challenge that came (NIP-42) with the actor's key. Raises NoAnswer."""
        if self.key is None or self.challenge is None:
            raise NoAnswer("the relay sent no NIP-42 challenge")
        event = relay_auth_event(self.key, challenge=self.challenge, relay=self.url, at=self._now())
        answer = self.authenticate_with(event)
        self.authenticated = answer.accepted
        return answer

    def authenticate_with(self, event: Event) -> Answer:
        """Send any AUTH event, good or broken, and wait for its OK."""
        self.send(["AUTH", event.to_json()])
        return self.answer_to(event, alone=True)

    def publish(self, event: Event) -> Answer:
        """Send one EVENT and wait for its OK; authenticates and backs off where told to."""
        return self.publish_all([event])[0]

    def publish_all(self, events: Sequence[Event]) -> list[Answer]:
        """Send many EVENTs at once and wait for the OK of each, in whatever order they come."""
        answers, failure = self.publish_some(events)
        found = [one for one in answers if one is not None]
        if failure is not None:
            raise failure
        return found

    def publish_some(self, events: Sequence[Event]) -> tuple[list[Answer | None], WireError | None]:
        """As `publish_all`, but an answer that does not come leaves a gap, with its reason."""
        backoff = Backoff(self.answer_limit, waits=not self._transcript.is_played)
        answers: list[Answer | None] = [None] * len(events)
        left = list(range(len(events)))
        while left:
            try:
                for number in left:
                    self.post(events[number])
                for number in left:
                    answers[number] = self.answer_to(events[number], alone=len(left) == 1)
            except (NoAnswer, ConnectionLost) as failure:
                self._collect(events, answers)
                return answers, failure
            left = [number for number in left if self._is_worth_another_try(answers[number])]
            limited = [answer.message for number in left if (answer := answers[number])]
            if limited and limited[0].startswith("rate-limited:"):
                backoff.pause(limited[0])
        return answers, None

    def cut_off_in_the_middle_of(self, events: Sequence[Event], *, after: int) -> list[str]:
        """Send EVENTs and cut the connection while answers are under way; ids that got OK true.

        The cut comes when `after` answers are there and all the rest is sent. Raises NoAnswer.
        """
        for event in events[:after]:
            self.send(["EVENT", event.to_json()])
        for event in events[:after]:
            self.wait(lambda one=event: self.has_ok(one), f"OK for event {event.id[:8]}")  # type: ignore[misc]
        for event in events[after:]:
            self.send(["EVENT", event.to_json()])
        self.wait(lambda: self.has_ok(events[after]), "OK for one event more")
        with self._changed:
            self.abort()
            return [one.id for one in events if any(ok for ok, _ in self._oks.get(one.id, ()))]

    def _collect(self, events: Sequence[Event], answers: list[Answer | None]) -> None:
        """Fill gaps with the answers that are there already."""
        for number, event in enumerate(events):
            if answers[number] is None and self.has_ok(event):
                answers[number] = self.answer_to(event)

    def post(self, event: Event) -> None:
        """Send one EVENT; `answer_to` waits for its OK."""
        self.send(["EVENT", event.to_json()])

    @staticmethod
    def frame_of(event: Event) -> bytes:
        """The bytes that `post` sends."""
        return orjson.dumps(["EVENT", event.to_json()])

    def _is_worth_another_try(self, answer: Answer | None) -> bool:
        if answer is None or answer.accepted:
            return False
        if answer.prefix == "rate-limited:":
            return True
        return answer.prefix == _AUTH_REQUIRED and self._can_authenticate()

    def _can_authenticate(self) -> bool:
        """Authenticate if that is possible and was not done; True where it succeeded now."""
        if self.key is None or self.authenticated or self.challenge is None:
            return False
        return self.authenticate().accepted

    def answer_to(self, event: Event, *, alone: bool = False) -> Answer:
        """Wait for the OK of an event. Raises NoAnswer.

        An OK that names no event sent here (nostr-relay refuses with an empty id) answers the only
        event that waits, if `alone` says so; among several it answers none that could be told.
        """
        self.wait(
            lambda: (
                self.has_ok(event) or self._notice_of_limit() is not None or bool(self.misnamed)
            ),
            f"OK for event {event.id[:8]}",
        )
        with self._changed:
            if self._oks.get(event.id):
                accepted, message = self._oks[event.id].popleft()
                return Answer(event.id, accepted, message, DOOR)
            if not self.misnamed:
                return Answer(event.id, False, self.notices.pop(), DOOR)
            other = self.misnamed.popleft()
        if not alone:
            raise NoAnswer(f"an OK came for {other.event_id!r}, which is none of the events sent")
        self._transcript.note(f"the OK that names {other.event_id!r} is taken for {event.id[:8]}")
        return Answer(event.id, other.accepted, other.message, DOOR)

    def _notice_of_limit(self) -> str | None:
        """A rate limit that came as a NOTICE and names no event (facts/relay-behaviour.md 7)."""
        last = self.notices[-1] if self.notices else ""
        return last if last.startswith("rate-limited:") else None

    def catch_up(self, events: Sequence[Event], longest: float | None = None) -> None:
        """Where this relay's OK runs ahead of its store, wait until accepted events can be read.

        A relay like that breaks AP-READ-12, and only that: other checks ask what it serves in the
        end. `longest` is for events that may never appear, having lost against others.
        """
        if not self.lag:
            return
        deadline = time.monotonic() + (self.patience.lag if longest is None else longest)
        for event in events:
            if not self._appears(event, deadline) and longest is None:
                self.patience.lost()
                return

    def _appears(self, event: Event, deadline: float) -> bool:
        wanted = Filter.of(kinds=[event.kind], authors=[event.pubkey], ids=[event.id])
        pause = _FIRST_PAUSE
        while event not in self.query([wanted]):
            if self._transcript.reading(
                "time is up", lambda: time.monotonic() > deadline, self.who
            ):
                return False
            if not self._transcript.is_played:
                threading.Event().wait(pause)  # asking without a breath keeps it from writing
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True

    def subscribe(self, filters: Iterable[Filter], identifier: str = "") -> Subscription:
        """Send a REQ; what comes gathers in the subscription."""
        subscription = Subscription(
            self,
            identifier or f"{self.who.replace(' ', '-')}-{next(self._numbers)}",
            tuple(filters),
        )
        with self._changed:
            self._subscriptions[subscription.id] = subscription
        self.send(["REQ", subscription.id, *(one.to_json() for one in subscription.filters)])
        return subscription

    def open(self, filters: Iterable[Filter], identifier: str = "") -> Subscription:
        """Subscribe and wait for EOSE or CLOSED; authenticates and backs off where told to."""
        wanted = tuple(filters)
        backoff = Backoff(self.answer_limit, waits=not self._transcript.is_played)
        while True:
            subscription = self.subscribe(wanted, identifier)
            self.wait(
                lambda made=subscription: made.ended or made.closed is not None,  # type: ignore[misc]
                f"EOSE for subscription {subscription.id}",
            )
            refusal = subscription.closed or ""
            if refusal.startswith("rate-limited:"):
                backoff.pause(refusal)
            elif not (refusal.startswith(_AUTH_REQUIRED) and self._can_authenticate()):
                return subscription

    def query(self, filters: Iterable[Filter]) -> Reading:
        """The stored events that match, as one reading; the subscription is closed again."""
        return self._read_from(self.open(filters))

    def query_each(self, questions: Sequence[Filter]) -> list[Reading]:
        """As `query` for each of several filters, all asked at once; the answers in their order.

        What is refused is asked again alone, which authenticates and backs off where told to.
        """
        asked = [self.subscribe([one]) for one in questions]
        for one in asked:
            self.wait(
                lambda made=one: made.ended or made.closed is not None,  # type: ignore[misc]
                f"EOSE for subscription {one.id}",
            )
        return [
            self._read_from(one) if one.closed is None else self.query(one.filters) for one in asked
        ]

    def _read_from(self, subscription: Subscription) -> Reading:
        if subscription.closed is None:
            subscription.close()
        return Reading(
            reader=self.who,
            door=DOOR,
            filters=subscription.filters,
            events=tuple(subscription.stored),
            refusal=subscription.closed if not subscription.ended else None,
        )

    def exchange(self, verb: str, filters: Sequence[Filter]) -> list[tuple[str, ...]]:
        """Every text that each of several REQs or COUNTs brings, one filter a request.

        What belongs to a request and comes late is seen too: a last request is the fence.
        """
        # A request before all others, so that a greeting which comes late is not taken for answer.
        self._fence("fence-0")
        came: list[tuple[str, ...]] = []
        names = [f"look-{number}" for number in range(len(filters))]
        for name, wanted in zip(names, filters, strict=True):
            began = len(self.received)
            if verb == "REQ":
                one = self.subscribe([wanted], name)
                self.wait(lambda one=one: one.ended or one.closed is not None, f"EOSE for {name}")  # type: ignore[misc]
            else:
                self.send([verb, name, wanted.to_json()])
                self.wait(lambda name=name: name in self._counts, f"the answer to {verb}")  # type: ignore[misc]
            came.append(tuple(self.received[began:]))
        ended = len(self.received)
        self._fence("fence-1")
        for text in self.received[ended:]:
            for number, name in enumerate(names):
                if f'"{name}"' in text:
                    came[number] += (text,)
        return [tuple(text for text in one if not text.startswith('["AUTH"')) for one in came]

    def _fence(self, name: str) -> None:
        """A request for nothing, answered; its subscription stays open, so no CLOSED follows."""
        fence = self.subscribe([Filter.of(kinds=[PERSONA], ids=["0" * 64])], name)
        self.wait(lambda: fence.ended or fence.closed is not None, f"EOSE for {name}")

    def count(self, filters: Iterable[Filter]) -> Counted:
        """COUNT (NIP-45). Raises NoAnswer where the relay is silent about it."""
        wanted = tuple(filters)
        while True:
            identifier = f"count-{next(self._numbers)}"
            self.send(["COUNT", identifier, *(one.to_json() for one in wanted)])
            self.wait(lambda name=identifier: name in self._counts, f"COUNT {identifier}")  # type: ignore[misc]
            found = self._counts[identifier]
            refusal = found.refusal or ""
            if not (refusal.startswith(_AUTH_REQUIRED) and self._can_authenticate()):
                return Counted(self.who, DOOR, wanted, found.count, found.refusal)

    def stop_reading(self) -> None:
        """Leave everything that the relay sends from now on where it is."""
        self._line.stop_reading()

    def close(self) -> None:
        """End the connection; never raises."""
        with self._changed:
            if self._lost is None and not self._left:
                self._left = True
                self._note(LEFT)
        self._line.close()

    def abort(self) -> None:
        """Cut the TCP connection without a closing handshake."""
        self._note(CUT_OFF)
        self._line.abort()
