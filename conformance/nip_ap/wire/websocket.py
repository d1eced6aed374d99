"""The WebSocket door: EVENT, REQ, COUNT and AUTH of one actor, each waited for until its answer.

Answers are matched by id and subscription, in any order; NIP-42 is answered when the relay asks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from nip_ap.model.greeting import SILENT, Greeting
from nip_ap.model.judgement import NotApplicable
from nip_ap.nostr import Event, Filter, SecretKey
from nip_ap.nostr.message import CountMessage
from nip_ap.wire.allowance import EVENTS, READS
from nip_ap.wire.answers import (
    ANSWER_LIMIT,
    Answer,
    ConnectionLost,
    Counted,
    NoAnswer,
    Reading,
    WireError,
)
from nip_ap.wire.authentication import AUTH_REQUIRED, AuthenticatingConnection
from nip_ap.wire.backoff import Backoff, is_limit
from nip_ap.wire.connection import DOOR
from nip_ap.wire.conversation import Requested
from nip_ap.wire.network import LiveNetwork, Network
from nip_ap.wire.pace import Patience
from nip_ap.wire.transcript import Transcript

_COUNTED: Mapping[str, str] = {"EVENT": EVENTS, "REQ": READS, "COUNT": READS}
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
            f"live delivery of event {event.short_id} on subscription {self.id}",
        )

    def wait_for_answer(self) -> None:
        """Wait until the relay said EOSE or CLOSED. Raises NoAnswer.

        A limit or a want of authentication that comes as a NOTICE counts as CLOSED.
        """
        door = self.door
        door.wait(
            lambda: self.is_answered or door.put_off() is not None,
            f"EOSE for subscription {self.id}",
        )
        if not self.is_answered:
            self.closed = door.take_put_off()

    def close(self) -> None:
        """Send CLOSE. Whether the relay obeys is for a check to see."""
        self.left = True
        self.door.send(["CLOSE", self.id])


class WebSocketDoor(AuthenticatingConnection):
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
        greeting: Greeting = SILENT,
        can_pause: bool = False,
        patience: Patience | None = None,
        network: Network | None = None,
    ) -> None:
        """Connect, and authenticate at once where the relay is known to ask for it.

        One that can pause has hardly any buffers: the relay feels it when it stops reading.
        Raises Unreachable. `key` None makes an anonymous connection, which never authenticates.
        `patience` is what is known about the relay's pace; doors to one relay share it.
        """
        self.lag = 0.0
        """Seconds by which OKs run ahead of what the relay serves, as probed; 0 where not."""
        self.most_filters = 0
        """How many filters the relay announces for one request; 0 where it announces none."""
        self._numbers = iter(range(1, 1_000_000))
        super().__init__(
            url,
            who=who,
            key=key,
            now=now,
            greeting=greeting,
            transcript=transcript,
            network=network or LiveNetwork(),
            patience=patience or Patience(answer_limit),
            answer_limit=answer_limit,
            can_pause=can_pause,
        )

    # -- requests --------------------------------------------------------------

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
        """As `publish_all`, but an answer that does not come leaves a gap, with its reason.

        What the relay put off, and only that, is sent again.
        """
        backoff = self._backoff()
        answers: list[Answer | None] = [None] * len(events)
        left = list(range(len(events)))
        while left:
            try:
                for number in left:
                    self.post(events[number])
                for number in left:
                    later = [events[other] for other in left if other >= number]
                    answers[number] = self._answer_among(events[number], later, len(left) == 1)
            except (NoAnswer, ConnectionLost) as failure:
                self._collect(events, answers)
                return answers, failure
            limited = [number for number in left if _is_limited(answers[number])]
            self._note_limit(EVENTS, len(limited), len(left))
            if limited:
                backoff.pause(_message(answers[limited[0]]), progressed=len(limited) < len(left))
            left = sorted(limited + self._worth_another_try(left, answers))
        return answers, None

    def _backoff(self) -> Backoff:
        return Backoff(self.patience, waits=not self._transcript.is_played)

    def _note_limit(self, what: str, limited: int, sent: int) -> None:
        """Let the relay's pace be learned."""
        if not self._transcript.is_played:
            self.patience.allowance.answered(what, self._account, sent - limited, limited)

    def send(self, frame: Any) -> None:
        """See Connection; what a relay may count against a limit is counted here too."""
        verb = frame[0] if isinstance(frame, list) and frame else None
        what = _COUNTED.get(verb) if isinstance(verb, str) else None
        if what is not None and not self._transcript.is_played:
            self.patience.allowance.sent(what, self._account)
        super().send(frame)

    def _await_turn(self, what: str) -> None:
        """Keep to the pace that is known."""
        if not self._transcript.is_played:
            self.patience.allowance.await_turn(what, self._account)

    @property
    def _account(self) -> str:
        """On whose account a relay counts requests: the key's, or the connection's."""
        return self.key.pubkey if self.key is not None else f"{self.who} {id(self)}"

    def _worth_another_try(
        self, sent: Sequence[int], answers: Sequence[Answer | None]
    ) -> list[int]:
        """What was refused and may be taken now, because the connection has authenticated."""
        refused = [number for number in sent if _is_refused(answers[number])]
        asked = [one for one in refused if _message(answers[one]).startswith(AUTH_REQUIRED)]
        first = (asked or refused)[:1]
        if not first or not self.may_try_again(_message(answers[first[0]])):
            return []
        return refused

    def _answer_among(self, event: Event, pending: Sequence[Event], is_alone: bool) -> Answer:
        """The OK of one of several events under way. Raises NoAnswer.

        Limits that come as a NOTICE name no event. As many of them as there are events without an
        OK say that these were not taken; so does one of them where nothing else comes.
        """
        try:
            self.wait(
                lambda: self.has_ok(event) or self._are_limited(pending) or bool(self.misnamed),
                f"OK for event {event.short_id}",
            )
        except NoAnswer:
            if not self.limits:
                raise
        if self.has_ok(event) or self.misnamed:
            return self.answer_to(event, alone=is_alone)
        with self._changed:
            return Answer(event.id, False, self.limits.popleft(), DOOR)

    def _are_limited(self, pending: Sequence[Event]) -> bool:
        if not self.limits:
            return False
        return len(self.limits) >= sum(not self.has_ok(event) for event in pending)

    def cut_off_in_the_middle_of(self, events: Sequence[Event], *, after: int) -> list[str]:
        """Send EVENTs and cut the connection while answers are under way; ids that got OK true.

        The cut comes when `after` answers are there and all the rest is sent. Raises NoAnswer.
        """
        for event in events[:after]:
            self.send(["EVENT", event.to_json()])
        for event in events[:after]:
            self.wait(lambda one=event: self.has_ok(one), f"OK for event {event.short_id}")  # type: ignore[misc]
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
        self._await_turn(EVENTS)
        self.send(["EVENT", event.to_json()])

    @staticmethod
    def frame_of(event: Event) -> bytes:
        """The bytes that `post` sends."""
        return orjson.dumps(["EVENT", event.to_json()])

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
        self._await_turn(READS)
        with self._changed:
            self.note_request(subscription)
        self.send(["REQ", subscription.id, *(one.to_json() for one in subscription.filters)])
        return subscription

    def open(self, filters: Iterable[Filter], identifier: str = "") -> Subscription:
        """Subscribe and wait for EOSE or CLOSED; authenticates and backs off where told to."""
        wanted = tuple(filters)
        self._keep_to_filters(wanted)
        backoff = self._backoff()
        while True:
            subscription = self.subscribe(wanted, identifier)
            subscription.wait_for_answer()
            refusal = subscription.closed
            self._note_limit(READS, int(refusal is not None and is_limit(refusal)), 1)
            if refusal is not None and is_limit(refusal):
                backoff.pause(refusal)
            elif subscription.ended or refusal is None or not self.may_try_again(refusal):
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
        self._keep_to_filters(wanted)
        backoff = self._backoff()
        while True:
            found = self._counted(wanted)
            if isinstance(found, CountMessage):
                self._note_limit(READS, 0, 1)
                about = found.approximate
                return Counted(self.who, DOOR, wanted, found.count, approximate=about)
            if is_limit(found):
                self._note_limit(READS, 1, 1)
                backoff.pause(found)
            elif not self.may_try_again(found):
                return Counted(self.who, DOOR, wanted, 0, found)

    def _keep_to_filters(self, filters: Sequence[Filter]) -> None:
        """Raise NotApplicable where the relay announces that it takes fewer at once."""
        if 0 < self.most_filters < len(filters):
            raise NotApplicable(
                f"NIP-11 announces max_filters {self.most_filters}, and a request of this check "
                f"has {len(filters)} filters"
            )

    def _counted(self, wanted: Sequence[Filter]) -> CountMessage | str:
        """The count, or the words of a refusal."""
        self._await_turn(READS)
        identifier = f"count-{next(self._numbers)}"
        self.send(["COUNT", identifier, *(one.to_json() for one in wanted)])
        self.wait(lambda: identifier in self.counts or bool(self.limits), f"COUNT {identifier}")
        with self._changed:
            if identifier not in self.counts:
                return self.limits.popleft()
        found = self.counts[identifier]
        return found if isinstance(found, CountMessage) else found.reason


def _is_limited(answer: Answer | None) -> bool:
    return _is_refused(answer) and is_limit(_message(answer))


def _is_refused(answer: Answer | None) -> bool:
    return answer is not None and not answer.accepted


def _message(answer: Answer | None) -> str:
    return "" if answer is None else answer.message
