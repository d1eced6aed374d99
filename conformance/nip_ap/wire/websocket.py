"""The WebSocket door: EVENT, REQ, COUNT and AUTH of one actor, each waited for until its answer.

Answers are matched by id and subscription, in any order; NIP-42 is answered when the relay asks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence

import orjson

from nip_ap.nostr import Event, Filter, SecretKey, relay_auth_event
from nip_ap.nostr.message import CountMessage
from nip_ap.wire.answers import (
    ANSWER_LIMIT,
    Answer,
    ConnectionLost,
    Counted,
    NoAnswer,
    Reading,
    WireError,
)
from nip_ap.wire.backoff import Backoff
from nip_ap.wire.connection import DOOR, Connection
from nip_ap.wire.conversation import Requested
from nip_ap.wire.network import LiveNetwork, Network
from nip_ap.wire.pace import Patience
from nip_ap.wire.transcript import Transcript

_AUTH_REQUIRED = "auth-required:"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1


class Subscription(Requested):
    """A subscription at a door."""

    def __init__(self, door: WebSocketDoor, identifier: str, filters: tuple[Filter, ...]) -> None:
        super().__init__(identifier, filters)
        self.door = door

    @property
    def malformed(self) -> tuple[str, ...]:
        """What came here as an event and is none, each in a sentence."""
        return tuple(str(one) for one in self.door.malformed if one.subscription == self.id)

    def wait_for(self, event: Event) -> None:
        """Wait until an event was delivered live. Raises NoAnswer."""
        self.door.wait(
            lambda: any(one.id == event.id for one in self.live),
            f"live delivery of event {event.id[:8]} on subscription {self.id}",
        )

    def wait_for_answer(self) -> None:
        """Wait until the relay said EOSE or CLOSED. Raises NoAnswer."""
        self.door.wait(lambda: self.is_answered, f"EOSE for subscription {self.id}")

    def close(self) -> None:
        """Send CLOSE. Whether the relay obeys is for a check to see."""
        self.left = True
        self.door.send(["CLOSE", self.id])


class WebSocketDoor(Connection):
    """One connection of one actor."""

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
        super().__init__(
            url,
            who=who,
            transcript=transcript,
            network=network or LiveNetwork(),
            patience=patience or Patience(answer_limit),
            answer_limit=answer_limit,
            deaf=deaf,
        )
        self.key = key
        self.lag = 0.0
        """Seconds by which OKs run ahead of what the relay serves, as probed; 0 where not."""
        self.authenticated = False
        self._now = now
        self._numbers = iter(range(1, 1_000_000))
        if expects_challenge and key is not None:
            self.wait(lambda: self.challenge is not None, "a NIP-42 challenge")
            self.authenticate()

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
            return self.accepted_among(events)

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
            lambda: self.has_ok(event) or self.limit_notice() is not None or bool(self.misnamed),
            f"OK for event {event.id[:8]}",
        )
        with self._changed:
            named = self.take_ok(event)
            if named is not None:
                return Answer(event.id, named.accepted, named.message, DOOR)
            if not self.misnamed:
                return Answer(event.id, False, self.notices.pop(), DOOR)
            other = self.misnamed.popleft()
        if not alone:
            raise NoAnswer(f"an OK came for {other.event_id!r}, which is none of the events sent")
        self._transcript.note(f"the OK that names {other.event_id!r} is taken for {event.id[:8]}")
        return Answer(event.id, other.accepted, other.message, DOOR)

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
            self.note_request(subscription)
        self.send(["REQ", subscription.id, *(one.to_json() for one in subscription.filters)])
        return subscription

    def open(self, filters: Iterable[Filter], identifier: str = "") -> Subscription:
        """Subscribe and wait for EOSE or CLOSED; authenticates and backs off where told to."""
        wanted = tuple(filters)
        backoff = Backoff(self.answer_limit, waits=not self._transcript.is_played)
        while True:
            subscription = self.subscribe(wanted, identifier)
            subscription.wait_for_answer()
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
            one.wait_for_answer()
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
            malformed=subscription.malformed,
        )

    def count(self, filters: Iterable[Filter]) -> Counted:
        """COUNT (NIP-45). Raises NoAnswer where the relay is silent about it."""
        wanted = tuple(filters)
        while True:
            identifier = f"count-{next(self._numbers)}"
            self.send(["COUNT", identifier, *(one.to_json() for one in wanted)])
            self.wait(lambda name=identifier: name in self.counts, f"COUNT {identifier}")  # type: ignore[misc]
            found = self.counts[identifier]
            if isinstance(found, CountMessage):
                return Counted(self.who, DOOR, wanted, found.count)
            if not (found.reason.startswith(_AUTH_REQUIRED) and self._can_authenticate()):
                return Counted(self.who, DOOR, wanted, 0, found.reason)
