"""An actor: a key with connections. What scenarios talk to; it reads like the protocol.

Two kinds of verbs. What sets a scene (`publish`, `head`, `read`) is inconclusive where the relay
does not cooperate; what judges lives in scenario.py and breaks the clause. Longer than most modules
because it is one vocabulary: every verb that a scenario may say of a key is a short method here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from nip_ap.checking.evidence import (
    ACCEPTED,
    COUNTED,
    DELIVERED,
    EMPTY,
    REFUSED,
    RETURNED,
    SILENT,
    ZERO,
    Ledger,
)
from nip_ap.checking.paging import Parts, read_in_pages
from nip_ap.model.judgement import Broken, Inconclusive, NotApplicable
from nip_ap.nostr import (
    DELETION,
    INSTRUCTIONS,
    PERSONA,
    Draft,
    Event,
    Filter,
    SecretKey,
    address_of,
    is_addressable,
)
from nip_ap.nostr.channel import CREATE_CHANNEL, Channel
from nip_ap.wire import (
    LIMITED,
    Answer,
    Counted,
    HttpDoor,
    NoAnswer,
    Patience,
    Reading,
    Subscription,
    Transcript,
    WebSocketDoor,
    WireError,
    exchange,
)

WS, HTTP = "ws", "http"

ANY = "any"
"""For `publish(..., expect=ANY)`: whatever the relay answers is fine, as long as it answers."""

AT_ONCE = "at once"

Door = WebSocketDoor | HttpDoor

_LAGS, _SHORT = 10, 2.0
_INDEXED, _FIRST_PAUSE, _LONGEST_PAUSE = 3.0, 0.005, 0.2
"""Seconds that an index may run behind, and between two looks at it."""
_OF_THE_MOMENT = (LIMITED, "auth-required:")
_STATUSES_OF_THE_MOMENT = (401, 429, 503)
"""What refusals begin with, and HTTP statuses, that say nothing of what was asked."""
_NAMED_AT_ONCE = 50
"""Events that one deletion request names."""
_APART = 8
"""Connections that one actor opens at once for events that go on one each; questions asked so."""


@dataclass(frozen=True)
class Clock:
    """One reading of the clock for a whole check, so that a check's bytes depend on it alone."""

    reading: int

    def now(self) -> int:
        """Unix seconds at the start of the check."""
        return self.reading


@dataclass
class Surroundings:
    """What an actor needs of its check: how doors are opened, where observations go."""

    ledger: Ledger
    clock: Clock
    open_ws: Callable[[str, SecretKey | None, bool], WebSocketDoor]
    open_http: Callable[[str, SecretKey | None], HttpDoor]
    patience: Patience
    lag: float = 0.0
    """Seconds by which the relay's answers run ahead of what it serves; 0 where they do not."""
    transcript: Transcript = field(default_factory=Transcript)
    """Where to note down what is read off a clock."""
    page: int = 0
    """How many events an answer has at most, where that is few; 0 where lists come whole."""
    largest_frame: int = 0
    """Bytes that the relay announces for a frame; 0 where it announces none."""

    @property
    def limits_of_a_read(self) -> Parts:
        """Into what parts a list has to be asked for."""
        return Parts(self.page, self.largest_frame)


class Watch:
    """A live subscription after its EOSE."""

    def __init__(self, subscription: Subscription, ledger: Ledger) -> None:
        self.subscription = subscription
        self.ledger = ledger
        self._is_relied_on = False

    def _rely(self) -> None:
        """From now on the check rests on what came here, so that silence needs its control."""
        if not self._is_relied_on:
            self._is_relied_on = True
            self.ledger.observe_later(self._observation)

    def _observation(self) -> tuple[str, str]:
        return (DELIVERED if self.subscription.live else SILENT), self.subscription.door.name

    @property
    def live(self) -> tuple[Event, ...]:
        """What was delivered live so far, in order."""
        self._rely()
        return tuple(self.subscription.live)

    @property
    def stored(self) -> tuple[Event, ...]:
        """What was stored already when the subscription opened."""
        return tuple(self.subscription.stored)

    def copies_of(self, event: Event) -> int:
        """How often an event was delivered live so far."""
        self._rely()
        return sum(one.id == event.id for one in self.subscription.live)

    def wait_for(self, event: Event) -> None:
        """Wait for a live delivery. Raises NoAnswer.

        Inconclusive where no event came instead, or the relay closed the subscription, as it may.
        """
        try:
            self.subscription.wait_for(event)
        except NoAnswer as error:
            malformed = self.subscription.malformed
            if malformed:
                raise Inconclusive(f"the relay delivers a non-event: {malformed[0]}") from error
            closed = self.subscription.closed
            if closed is not None:
                raise Inconclusive(f"the relay closed a subscription: {closed!r}") from error
            raise
        self.ledger.observe(DELIVERED, self.subscription.door.name)

    def close(self) -> None:
        """Send CLOSE."""
        self.subscription.close()


class Heads(dict[str, Event]):
    """Heads by slug. Who takes one that is not there claims that it is: Broken says which."""

    def __missing__(self, slug: str) -> Event:
        raise Broken(f"a head at the slug {slug!r}", "none")

    def taken(self, slug: str) -> Event:
        """The head at a slug, which leaves the others here."""
        event = self[slug]
        del self[slug]
        return event


class Actor:
    """One identity at the relay under test."""

    def __init__(self, name: str, key: SecretKey | None, surroundings: Surroundings) -> None:
        self.name = name
        self._key = key
        self._surroundings = surroundings
        self._doors: dict[str, Door] = {}
        self._others: list[Actor] = []
        self.written: list[Event] = []

        self._authenticates = True
        self._can_pause = False

    # -- identity --------------------------------------------------------------

    @property
    def key(self) -> SecretKey:
        """The actor's key. An anonymous actor has none, and asking for it is a mistake."""
        if self._key is None:
            raise TypeError(f"{self.name} is anonymous and has no key")
        return self._key

    @property
    def _own_key(self) -> SecretKey | None:
        """What the doors get to authenticate with."""
        return self._key if self._authenticates else None

    @property
    def ledger(self) -> Ledger:
        """The ledger of the check."""
        return self._surroundings.ledger

    @property
    def pubkey(self) -> str:
        """The actor's public key, 64 hex digits."""
        return self.key.pubkey

    def now(self) -> int:
        """Unix seconds at the start of the check."""
        return self._surroundings.clock.now()

    def time(self) -> int:
        """Unix seconds by the wall clock, as it goes on; the transcript notes each reading."""
        return self._surroundings.transcript.reading("time", lambda: int(time.time()), self.name)

    def signs(self, draft: Draft) -> Event:
        """A draft as this actor's event."""
        return draft.signed_by(self.key)

    def another_connection(self, *, can_pause: bool = False) -> Actor:
        """The same key on a connection of its own; one that `can_pause` can stop reading."""
        other = Actor(f"{self.name} {len(self._others) + 2}", self._key, self._surroundings)
        other._authenticates, other._can_pause = self._authenticates, can_pause
        other.written = self.written
        self._others.append(other)
        return other

    def unauthenticated(self) -> Actor:
        """The same key on connections that have not authenticated, until `authenticate`."""
        name = f"{self.name} {len(self._others) + 2}, not authenticated"
        other = Actor(name, self._key, self._surroundings)
        other.written = self.written
        other._authenticates = False
        self._others.append(other)
        return other

    def authenticate(self) -> None:
        """Answer the challenge of the present connection (NIP-42). Raises Inconclusive."""
        refusal = self.ws.authenticate_as(self.key)
        if refusal:
            raise Inconclusive(f"a right answer to the challenge was refused: {refusal!r}")

    # -- doors -----------------------------------------------------------------

    @property
    def ws(self) -> WebSocketDoor:
        """The actor's connection, opened when first used, and anew when it is used up.

        So it is when the relay ended it for its silence, as some relays do.
        """
        door = self._doors.get(WS)
        if isinstance(door, WebSocketDoor) and (door.is_used_up or door.was_left_idle):
            self.reconnect()
            door = None
        if not isinstance(door, WebSocketDoor):
            opened = self._surroundings.open_ws(self.name, self._own_key, self._can_pause)
            door = self._doors[WS] = opened
        return door

    @property
    def http(self) -> HttpDoor:
        """The actor's HTTP side."""
        door = self._doors.get(HTTP)
        if not isinstance(door, HttpDoor):
            door = self._doors[HTTP] = self._surroundings.open_http(self.name, self._own_key)
        return door

    @property
    def family(self) -> list[Actor]:
        """The actor and its further connections."""
        return [self, *(one for other in self._others for one in other.family)]

    @property
    def holds_a_connection(self) -> bool:
        """Whether its connection is open."""
        door = self._doors.get(WS)
        return isinstance(door, WebSocketDoor) and door.is_open

    @property
    def can_leave_for_now(self) -> bool:
        """Whether its connection is open and could as well be another one.

        Not so where something is under way, or where it matters who it is not.
        """
        door = self._doors.get(WS)
        if not (isinstance(door, WebSocketDoor) and door.is_open):
            return False
        is_like_new = self._authenticates or not door.authenticated
        return is_like_new and not self._can_pause and door.has_nothing_under_way

    def door(self, via: str) -> Door:
        """The door of that name, `ws` or `http`."""
        return self.ws if via == WS else self.http

    def reconnect(self) -> None:
        """Leave the present connection and take a new one at next use."""
        door = self._doors.pop(WS, None)
        if door is not None:
            door.close()

    # -- writing ---------------------------------------------------------------

    def send(self, event: Event, *, via: str = WS, settle: str = ACCEPTED) -> Answer:
        """Submit an event and give the relay's answer, whatever it is.

        `settle` says for how long to wait where this relay's OK runs ahead of its store: until an
        accepted event can be read, a few times the usual lag (ANY: it may never be), or not at all
        (AT_ONCE: the relay is taken at its word).
        """
        answer = self.door(via).publish(event)
        self._note(event, answer)
        if answer.accepted:
            self._settle([event], via, settle)
        return answer

    def _settle(self, events: Sequence[Event], via: str, settle: str) -> None:
        lag = self._surroundings.lag
        if not lag or settle == AT_ONCE or via != WS:
            return
        self.ws.catch_up(events, None if settle == ACCEPTED else min(_LAGS * lag, _SHORT))

    def catch_up(self, events: Sequence[Event]) -> None:
        """Wait until accepted events can be read, where this relay's OK runs ahead of its store."""
        self._settle(events, WS, ACCEPTED)

    def send_all(
        self, events: Sequence[Event], *, via: str = WS, settle: str = ANY
    ) -> list[Answer]:
        """Submit many events, all at once over WebSocket, and give the answers in their order."""
        if via == WS:
            found = self.submit(events, settle=settle)
            missing = found.count(None)
            if missing:
                raise NoAnswer(f"{missing} of {len(events)} events got no OK that names them")
            return [answer for answer in found if answer is not None]
        answers = self.http.publish_all(events)
        for event, answer in zip(events, answers, strict=True):
            self._note(event, answer)
        self._settle_accepted(events, answers, via, settle)
        return answers

    def submit(self, events: Sequence[Event], *, settle: str = ANY) -> list[Answer | None]:
        """Submit many events over WebSocket; None for each that the relay never answers.

        All at once on one connection where that works. Some relays hold up or drop a connection
        once they refused something on it, or answer without saying what: to these each event goes
        on a connection of its own.
        """
        answers = self._submitted(events)
        self._settle_accepted(events, answers, WS, settle)
        return answers

    def _settle_accepted(
        self, events: Sequence[Event], answers: Sequence[Answer | None], via: str, settle: str
    ) -> None:
        pairs = zip(events, answers, strict=True)
        self._settle([event for event, answer in pairs if answer and answer.accepted], via, settle)

    def _submitted(self, events: Sequence[Event]) -> list[Answer | None]:
        patience = self._surroundings.patience
        answers: list[Answer | None] = [None] * len(events)
        if not (len(events) > 1 and self._refuses_slowly()):
            answers, failure = self.ws.publish_some(events)
            for event, answer in zip(events, answers, strict=True):
                if answer is not None:
                    self._note(event, answer)
            if failure is None or len(events) == 1:
                return answers
            patience.refuses_slowly = True
            if self.ws.is_idle:
                self.reconnect()
        gaps = [number for number, answer in enumerate(answers) if answer is None]
        apart = self.submit_apart([events[number] for number in gaps])
        for number, answer in zip(gaps, apart, strict=True):
            answers[number] = answer
        return answers

    def _refuses_slowly(self) -> bool:
        patience = self._surroundings.patience
        return self.sees("refusals are slow", lambda: patience.refuses_slowly)

    def sees(self, what: str, condition: Callable[[], bool]) -> bool:
        """Whether something holds just now; the transcript has it, as it depends on the moment.

        `what` is written in lower-case letters and spaces.
        """
        return self._surroundings.transcript.reading(what, condition, self.name)

    def submit_apart(self, events: Sequence[Event]) -> list[Answer | None]:
        """Submit many events, each on a new connection of its own, a few at a time."""
        answers: list[Answer | None] = []
        for start in range(0, len(events), _APART):
            answers += self._submit_batch(events[start : start + _APART])
        return answers

    def _submit_batch(self, events: Sequence[Event]) -> list[Answer | None]:
        doors: list[WebSocketDoor] = []
        answers: list[Answer | None] = []
        try:
            for event in events:
                doors.append(self._surroundings.open_ws(f"{self.name} apart", self._own_key, False))
                doors[-1].post(event)
            for door, event in zip(doors, events, strict=True):
                answers.append(self._answer_at(door, event))
        finally:
            for door in doors:
                door.close()
        return answers

    def _answer_at(self, door: WebSocketDoor, event: Event) -> Answer | None:
        try:
            answer = door.answer_to(event, alone=True)
            if answer.prefix in _OF_THE_MOMENT:
                answer = door.publish(event)
        except WireError:
            return None
        self._note(event, answer)
        return answer

    def publish(self, draft: Draft | Event, *, expect: str = ACCEPTED, via: str = WS) -> Event:
        """Sign and submit. Raises Inconclusive where the relay does not accept it.

        With expect=ANY the answer does not matter.
        """
        event = draft if isinstance(draft, Event) else self.signs(draft)
        self.keeps_to_frames([event], via)
        answer = self.send(event, via=via, settle=expect)
        if expect == ACCEPTED and not answer.accepted:
            raise Inconclusive(
                f"the relay did not accept an event that the check builds on: {answer.message!r}"
            )
        return event

    def publish_all(
        self, drafts: Iterable[Draft | Event], *, expect: str = ACCEPTED, via: str = WS
    ) -> list[Event]:
        """Sign and submit many, all at once over WebSocket."""
        events = [one if isinstance(one, Event) else self.signs(one) for one in drafts]
        self.keeps_to_frames(events, via)
        answers = self.send_all(events, via=via, settle=expect)
        refused = [answer for answer in answers if not answer.accepted]
        if expect == ACCEPTED and refused:
            raise Inconclusive(
                f"{len(refused)} of {len(events)} events that the check builds on were not "
                f"accepted, the first with {refused[0].message!r}"
            )
        return events

    def keeps_to_frames(self, events: Sequence[Event], via: str) -> None:
        """Raise NotApplicable where an event does not fit into a frame that the relay announces."""
        largest = self._surroundings.largest_frame
        if not largest or via != WS:
            return
        size = max(len(WebSocketDoor.frame_of(event)) for event in events) if events else 0
        if size > largest:
            raise NotApplicable(
                f"NIP-11 announces max_message_length {largest}, and a frame of this check has "
                f"{size} bytes"
            )

    def delete(self, *addresses: str, at: int | None = None, k: bool = True) -> Event:
        """Publish a kind 5 for addresses (NIP-09)."""
        tags = [("a", address) for address in addresses] + ([("k", str(PERSONA))] if k else [])
        when = self._surroundings.clock.now() if at is None else at
        return self.publish(Draft(DELETION, when, tuple(tags)))

    def _note(self, event: Event, answer: Answer) -> None:
        self.ledger.observe(ACCEPTED if answer.accepted else REFUSED, answer.door)
        if answer.accepted:
            self.written.append(event)
        else:
            self.ledger.refusals.append(answer.message)

    # -- reading ---------------------------------------------------------------

    def read(self, *filters: Filter, via: str = WS) -> Reading:
        """The stored events that match, in order of arrival.

        Raises Inconclusive where the relay refuses to answer, or answers with what is no event:
        neither is an empty answer.
        """
        return self._answered(self.try_to_read(*filters, via=via))

    def must_read(self, *filters: Filter, via: str = WS) -> Reading:
        """As `read`, for questions that a relay owes an answer to by the clause at hand.

        Raises Broken where the relay refuses this question, each time that it is asked, and answers
        another of the same actor between: it is the question then that it does not take. What it
        refuses for want of time or of a proof of who asks is no such thing.
        """
        first = self.try_to_read(*filters, via=via)
        if first.refusal is None or _is_of_the_moment(first):
            return self._answered(first)
        between = self.try_to_read(self._another_question(filters), via=via)
        again = self.try_to_read(*filters, via=via)
        if again.refusal is None or between.refusal is not None or _is_of_the_moment(again):
            return self._answered(again)
        raise Broken(
            f"an answer to {self.name}, as to {_asked(between)}",
            f"refused twice: {_in_full(again)}",
        )

    def _another_question(self, filters: Sequence[Filter]) -> Filter:
        """What shows that the relay answers this actor: by author, or by id where that is asked."""
        plain = all_of(self)
        if plain not in filters:
            return plain
        return Filter.of(kinds=[PERSONA], ids=[one.id for one in self.written[-1:]])

    def read_one_answer(self, *filters: Filter, via: str = WS) -> Reading:
        """As `read`, one request and no more, be its answer cut or not."""
        reading = self.door(via).query(filters)
        self._note_reading(reading)
        return self._answered(reading)

    def try_to_read(self, *filters: Filter, via: str = WS) -> Reading:
        """As `read`, for checks to which a refusal is an answer."""
        reading = read_in_pages(self.door(via).query, filters, self._surroundings.limits_of_a_read)
        self._note_reading(reading)
        return reading

    def _answered(self, reading: Reading) -> Reading:
        if reading.refusal is not None:
            raise Inconclusive(f"a read by {self.name} was refused: {_in_full(reading)}")
        if reading.malformed:
            raise Inconclusive(f"the relay serves a non-event: {reading.malformed[0]}")
        return reading

    def read_until(self, event: Event, *filters: Filter, via: str = WS) -> Reading:
        """As `try_to_read`, asked again until an event is there or a few seconds have passed.

        For answers that come from an index which a relay brings up to date after its OK.
        """
        transcript = self._surroundings.transcript
        deadline, pause = time.monotonic() + _INDEXED, _FIRST_PAUSE
        while True:
            reading = self.try_to_read(*filters, via=via)
            if event in reading or reading.refusal is not None:
                return reading
            if transcript.reading("time is up", lambda: time.monotonic() > deadline, self.name):
                return reading
            if not transcript.is_played:
                threading.Event().wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _note_reading(self, reading: Reading) -> None:
        self.ledger.observe(RETURNED if reading.events else EMPTY, reading.door)
        if reading.refusal is not None:
            self.ledger.refusals.append(reading.refusal)

    def head(self, slug: str, *, of: Actor | None = None, via: str = WS) -> Event | None:
        """The head at an address; where the relay returns several events, the right one of them.

        Clients have to choose the head themselves (NIP-AP, "Replacement semantics"), hence the
        choice here: a relay that returns too much breaks the clause about that, and no other.
        """
        return self.heads(slug, of=of, via=via).get(slug)

    def heads(self, *slugs: str, of: Actor | None = None, via: str = WS) -> Heads:
        """The heads at several addresses of one author by slug, each chosen as `head` does."""
        author = of or self
        found = Heads()
        readings = self.read_each([address(author, slug) for slug in slugs], via=via)
        for slug, reading in zip(slugs, readings, strict=True):
            events = reading.events
            own = [one for one in events if (one.slug, one.pubkey) == (slug, author.pubkey)]
            if own:
                found[slug] = min(own, key=lambda event: event.order)
        return found

    def read_each(self, questions: Sequence[Filter], *, via: str = WS) -> list[Reading]:
        """The answers to several filters, over WebSocket asked a few at once."""
        if via != WS or len(questions) == 1:
            return [self.read(one, via=via) for one in questions]
        readings: list[Reading] = []
        for start in range(0, len(questions), _APART):
            readings += self.ws.query_each(questions[start : start + _APART])
        for reading in readings:
            self._note_reading(reading)
        return [self._answered(reading) for reading in readings]

    def personas(self, *, of: Actor | None = None, via: str = WS) -> Reading:
        """All personas of an author, as a reading."""
        return self.read(all_of(of or self), via=via)

    def counted(self, *filters: Filter, via: str = WS) -> Counted:
        """The answer to a COUNT, refusals included."""
        counted = self.door(via).count(filters)
        self.ledger.observe(COUNTED if counted.count else ZERO, counted.door)
        return counted

    def count(self, *filters: Filter, via: str = WS) -> int:
        """How many events match. Raises Inconclusive where the relay refuses to count them."""
        counted = self.counted(*filters, via=via)
        if counted.refusal is not None:
            raise Inconclusive(f"a count for {self.name} was refused: {_in_full(counted)}")
        return counted.count

    def sight(
        self, questions: Sequence[Filter], *, verb: str = "REQ", via: str = WS
    ) -> list[tuple[str, ...]]:
        """All that REQs or COUNTs, one filter each, show to this actor, word for word.

        On a fresh connection; over HTTP it is status and body. What a question itself names (ids,
        authors, slugs) is masked, so that sights of different things can be compared.
        """
        if via == HTTP:
            path = "/query" if verb == "REQ" else "/count"
            responses = [self.http.post(path, orjson.dumps([one.to_json()])) for one in questions]
            shown: list[tuple[str, ...]] = [
                (f"HTTP {one.status_code}", one.text) for one in responses
            ]
        else:
            shown = exchange(self.another_connection().ws, verb, questions)
        return [
            tuple(_masked(text, question) for text in texts)
            for question, texts in zip(questions, shown, strict=True)
        ]

    def watch(self, *filters: Filter) -> Watch:
        """A live subscription, past its EOSE. Raises Inconclusive where the relay closes it.

        So it does where what is stored comes as something else than events.
        """
        subscription = self.ws.open(filters)
        if subscription.closed is not None:
            raise Inconclusive(f"the relay closed a subscription: {subscription.closed!r}")
        if subscription.malformed:
            raise Inconclusive(f"the relay serves a non-event: {subscription.malformed[0]}")
        return Watch(subscription, self.ledger)

    def try_to_watch(self, *filters: Filter) -> Watch | None:
        """A live subscription, or None where the relay closes it at once."""
        subscription = self.ws.open(filters)
        return Watch(subscription, self.ledger) if subscription.closed is None else None

    def watch_as(self, identifier: str, *filters: Filter) -> Watch:
        """A live subscription under an id that is in use already, which it replaces (NIP-01)."""
        return Watch(self.ws.open(filters, identifier), self.ledger)

    # -- leaving ---------------------------------------------------------------

    def clean_up(self, *, awaited: bool = False) -> None:
        """Ask the relay to delete what has an address, and the channels made.

        Answers are awaited where another check is to have the key next.
        """
        addresses = {address_of(event) for event in self.written if is_addressable(event.kind)}
        newest = max((event.created_at for event in self.written), default=0)
        when = max(newest, self._surroundings.clock.now())
        for place in sorted(addresses):
            tags = (("a", place), ("k", place.partition(":")[0]))
            self.ws.send(["EVENT", self.signs(Draft(DELETION, when, tags)).to_json()])
        for made in (event for event in self.written if event.kind == CREATE_CHANNEL):
            removal = Channel(made.tag_values("h")[0], self._surroundings.clock.now()).removal()
            self.ws.send(["EVENT", self.signs(removal).to_json()])
        if awaited:
            self._delete_all(when)

    def _delete_all(self, when: int) -> None:
        """Delete everything else that was written by its id, and wait until that went through."""
        others = [
            one for one in self.written if not (is_addressable(one.kind) or one.kind == DELETION)
        ]
        instructions = [one for one in others if one.kind == INSTRUCTIONS]
        others = [one for one in others if one.kind != INSTRUCTIONS]
        requests = [
            tuple(("e", one.id) for one in others[start : start + _NAMED_AT_ONCE])
            for start in range(0, len(others), _NAMED_AT_ONCE)
        ]
        requests += [(("e", one.id), ("k", str(INSTRUCTIONS))) for one in instructions]
        for tags in requests:
            self.ws.send(["EVENT", self.signs(Draft(DELETION, when, tags)).to_json()])
        self.ws.query([all_of(self)])

    def leave(self) -> None:
        """Close every connection."""
        for other in self._others:
            other.leave()
        for door in self._doors.values():
            door.close()
        self._doors.clear()


def _in_full(refused: Reading | Counted) -> str:
    """A refusal as the relay gave it, and what it was asked."""
    frame = f"HTTP {refused.status}" if refused.status else "CLOSED"
    return f"{frame} {refused.refusal!r}, asked for {_asked(refused)}"


def _asked(answer: Reading | Counted) -> str:
    return ", ".join(str(one.to_json()) for one in answer.filters)[:300]


def _is_of_the_moment(refused: Reading) -> bool:
    """Whether a refusal says nothing of the question: ask later, or say first who you are."""
    text = refused.refusal or ""
    return text.startswith(_OF_THE_MOMENT) or refused.status in _STATUSES_OF_THE_MOMENT


def _masked(text: str, question: Filter) -> str:
    asked = [*(question.ids or ()), *(question.authors or ())]
    asked += [value for values in question.tags.values() for value in values]
    for value in sorted(asked, key=len, reverse=True):
        text = text.replace(value, "(what was asked for)")
    return text


def address(author: Actor, *slugs: str, kind: int = PERSONA) -> Filter:
    """The filter for one address, or for several slugs of one author."""
    return Filter.of(kinds=[kind], authors=[author.pubkey], d=slugs)


def all_of(*authors: Actor, kinds: Sequence[int] = (PERSONA,)) -> Filter:
    """The filter for everything of these kinds by these authors."""
    return Filter.of(kinds=kinds, authors=[author.pubkey for author in authors])
