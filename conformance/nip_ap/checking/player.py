"""Plays traffic against a relay and the model side by side.

Writes that do not compete are sent at once, questions a few at a time. Longer than most modules:
each kind of step is played in one method, and all of them share what was sent and is open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from nip_ap.checking.actor import ANY, HTTP, WS, Actor
from nip_ap.checking.evidence import DELIVERED, EMPTY, RETURNED, SILENT
from nip_ap.checking.findings import Comparison, Theme
from nip_ap.checking.model_relay import Deviation, Fault
from nip_ap.checking.paging import SHORTEST_PAGE
from nip_ap.checking.traffic import (
    COUNTS,
    HTTP_COUNT,
    HTTP_QUERY,
    LIVE,
    Ask,
    Close,
    Delete,
    Look,
    Open,
    Race,
    Reader,
    Resend,
    Step,
    Wanted,
    Write,
    shape_of,
)
from nip_ap.model.judgement import Inconclusive
from nip_ap.nostr import DELETION, PERSONA, Event, Filter
from nip_ap.wire import NoAnswer, Subscription, WebSocketDoor

_FENCE = "fence"
_WAITS = 3


@dataclass
class _Listening:
    """A subscription that is open, or was."""

    reader: Reader
    subscription: Subscription
    wanted: tuple[Wanted, ...]
    filters: tuple[Filter, ...]
    since: int
    """How many events were sent before it opened."""
    seen: int = 0
    """How many live deliveries were judged."""
    closed: bool = False


@dataclass
class Player(Comparison):
    """One playing of a sequence."""

    stopped: bool = False
    """Whether its time was up before its end."""
    settle: str = ANY
    """For how long to wait after an accepted write, where OK runs ahead of the store."""
    _log: list[Event] = field(default_factory=list)
    _listening: dict[tuple[Reader, str], _Listening] = field(default_factory=dict)
    _fences: dict[Reader, Subscription] = field(default_factory=dict)
    _fenced: int = 0
    _waits: int = _WAITS
    """How many more deliveries that do not come are waited for."""

    # -- the steps -------------------------------------------------------------

    def play(
        self,
        steps: Sequence[Step],
        stop_at_first: Iterable[Theme] = (),
        goes_on: Callable[[], bool] = lambda: True,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Play all steps; with themes, no further than the first finding of one of them.

        Raises what a broken conversation raises. `tell` gets each step before it is played.
        """
        themes = frozenset(stop_at_first)
        for step in steps:  # so that filters can name the ids of what is written later
            if isinstance(step, Write):
                self.cast.event(step)
        for batch in _batches(steps):
            if not goes_on():
                self.stopped = True
                return
            for _, step in batch:
                tell(str(step))
            self._play(batch)
            if any(one.theme in themes for one in self.findings):
                return

    def _play(self, batch: Sequence[tuple[int, Step]]) -> None:
        first = batch[0][1]
        if isinstance(first, (Write, Resend, Delete)):
            self._write(batch)
        elif isinstance(first, Ask):
            self._ask([(number, one) for number, one in batch if isinstance(one, Ask)])
        elif isinstance(first, Open):
            self._open([(number, one) for number, one in batch if isinstance(one, Open)])
        elif isinstance(first, Close):
            self._close(first)
        elif isinstance(first, Race):
            self._race([(number, one) for number, one in batch if isinstance(one, Race)])
        else:
            self._look(batch[0][0])
        self.look_into_what_is_missing()

    # -- writing ---------------------------------------------------------------

    def _write(self, batch: Sequence[tuple[int, Step]]) -> None:
        """Each author sends theirs at once; the model learns of them in the order of the steps."""
        events = [(number, event) for number, one in batch if (event := self._event_of(one))]
        answers: dict[str, bool | None] = {}
        for author in dict.fromkeys(event.pubkey for _, event in events):
            own = [event for _, event in events if event.pubkey == author]
            for event, answer in zip(
                own, self._writer(author).submit(own, settle=self.settle), strict=True
            ):
                answers[event.id] = None if answer is None else answer.accepted
        for _, event in events:
            self._note_write(event, answers[event.id])

    def _event_of(self, step: Step) -> Event | None:
        if isinstance(step, Resend):
            return self.cast.events.get(step.name)
        if isinstance(step, Delete) and not any(n in self.cast.events for _, n in step.targets):
            return None
        return self.cast.event(step) if isinstance(step, (Write, Delete)) else None

    def _note_write(self, event: Event, accepted: bool | None) -> None:
        self.model.write(event, accepted)
        self._log.append(event)
        self.deleted_something |= event.kind == DELETION

    def _writer(self, pubkey: str) -> Actor:
        return next(actor for name, actor in self.actors.items() if self.key_of(name) == pubkey)

    # -- asking ----------------------------------------------------------------

    def _ask(self, asks: Sequence[tuple[int, Ask]]) -> None:
        surface = asks[0][1].surface
        if surface in (COUNTS, HTTP_COUNT):
            for number, ask in asks:
                self.count(number, ask)
            return
        for number, ask, filters, answer in self._answers(asks):
            if answer is not None:
                self.judge(number, ask, filters, answer)

    def _answers(
        self, asks: Sequence[tuple[int, Ask]]
    ) -> Iterator[tuple[int, Ask, tuple[Filter, ...], Sequence[Event] | None]]:
        """The answers, those over WebSocket asked a few at once on each connection."""
        for reader, group in groupby(asks, key=lambda one: one[1].reader):
            listed = [(number, ask, self.filters(ask.filters)) for number, ask in group]
            if listed[0][1].surface == HTTP_QUERY:
                for number, ask, filters in listed:
                    yield number, ask, filters, self._over_http(reader, ask, filters)
                continue
            for start in range(0, len(listed), self.at_once):
                part = listed[start : start + self.at_once]
                readings = self._read([filters for *_, filters in part], reader, part[0][1])
                for (number, ask, filters), events in zip(part, readings, strict=True):
                    yield number, ask, filters, events

    def _over_http(
        self, reader: Reader, ask: Ask, filters: tuple[Filter, ...]
    ) -> Sequence[Event] | None:
        """A refusal is no difference: this door may want credentials where the other does not."""
        reading = self.actors[reader].try_to_read(*filters, via=HTTP)
        return self.unless_refused(reading.events, reading.refusal, ask.filters)

    def _read(
        self, questions: Sequence[tuple[Filter, ...]], reader: Reader, ask: Ask | Open
    ) -> list[Sequence[Event] | None]:
        """Stored answers to several requests, all asked before the first is waited for."""
        door = self.actors[reader].ws
        made = [door.subscribe(filters) for filters in questions]
        found: list[Sequence[Event] | None] = []
        for one, filters in zip(made, questions, strict=True):
            _await_the_end(door, one)
            if one.closed is None:
                one.close()
            elif not one.ended:
                reading = door.query(filters)  # it authenticates and backs off where told to
                found.append(self.unless_refused(reading.events, reading.refusal, ask.filters))
                continue
            self.actors[reader].ledger.observe(RETURNED if one.stored else EMPTY, WS)
            found.append(tuple(one.stored))
        return found

    # -- subscriptions ---------------------------------------------------------

    def _open(self, opens: Sequence[tuple[int, Open]]) -> None:
        """Open subscriptions, a few at a time; what they give at once is judged as an answer."""
        for start in range(0, len(opens), self.at_once):
            made = []
            for number, step in opens[start : start + self.at_once]:
                door = self.actors[step.reader].ws
                self._open_fence(step.reader, door)
                filters = self.filters(step.filters)
                subscription = door.subscribe(filters, f"s{step.subscription}")
                made.append((number, step, filters, door, subscription))
            for number, step, filters, door, subscription in made:
                _await_the_end(door, subscription)
                if subscription.closed is not None and not subscription.ended:
                    subscription = door.open(filters, f"s{step.subscription}")
                if subscription.closed is not None:
                    self.refusals.setdefault(subscription.closed, shape_of(step.filters))
                    self._listening.pop((step.reader, step.subscription), None)
                    continue
                self._listening[step.reader, step.subscription] = _Listening(
                    step.reader, subscription, step.filters, filters, len(self._log)
                )
                self.judge(number, step, filters, tuple(subscription.stored))

    def _open_fence(self, reader: Reader, door: WebSocketDoor) -> None:
        """A subscription of its own tells when everything that was written before has come."""
        if reader in self._fences:
            return
        wanted = Filter.of(
            kinds=[PERSONA],
            authors=[self.cast.pubkeys["0"]],
            d=[self.cast.slug(f"{_FENCE}-{number}") for number in range(1, 9)],
        )
        self._fences[reader] = door.open([wanted], _FENCE)

    def _close(self, step: Close) -> None:
        listening = self._listening.get((step.reader, step.subscription))
        if listening is None or listening.closed:
            return
        listening.subscription.close()
        self._pass_by(step.reader)
        listening.closed = True
        listening.seen = len(listening.subscription.live)

    def _pass_by(self, reader: Reader) -> None:
        """A request that is answered after all that was sent before on this connection."""
        self.actors[reader].ws.query([Filter.of(kinds=[PERSONA], ids=["0" * 64])])

    def _look(self, number: int) -> None:
        """First what has to come, each waited for; then a fence, and what should not have come."""
        complete = not [one for one in self._listening.values() if not self._all_came(number, one)]
        self._fenced += 1
        fence = Write(f"{_FENCE}-{self._fenced}", "0", slug=f"{_FENCE}-{self._fenced}", shared=True)
        self._write([(number, fence)])
        event = self.cast.events[fence.name]
        for reader, subscription in self._fences.items():
            try:
                subscription.wait_for(event)
            except NoAnswer as error:
                if complete:
                    raise Inconclusive(f"the fence did not arrive: {error}") from error
                return
            self._pass_by(reader)
        for listening in self._listening.values():
            self._judge_live(number, listening)

    def _all_came(self, number: int, one: _Listening) -> bool:
        if one.closed or one.subscription.closed is not None:
            return True
        key = self.key_of(one.reader)
        for event in self._log[one.since :]:
            if any(came.id == event.id for came in one.subscription.live):
                continue
            deviation = self.model.judge_live(event, one.filters, key, 0)
            if self._is_echo(one.reader, event):
                deviation = None
            if deviation is not None and not self._comes_late(one, event):
                if event.id in self.visible(one.reader, [event]):
                    self.find(Theme.LIVE, LIVE, _as_ask(one), number, deviation)
                    return False
                self.model.excused.add((key, event.id))
        return True

    def _is_echo(self, reader: Reader, event: Event) -> bool:
        """Whether it was written on this very connection: a relay may spare a client its own."""
        own = reader in self.cast.pubkeys and self.cast.pubkeys[reader] == event.pubkey
        return own and not self.habits.echoes

    def _comes_late(self, one: _Listening, event: Event) -> bool:
        if not self._waits:
            return any(came.id == event.id for came in one.subscription.live)
        try:
            one.subscription.wait_for(event)
        except NoAnswer:
            self._waits -= 1
            return False
        return True

    def _judge_live(self, number: int, one: _Listening) -> None:
        self.judged += 1
        live = tuple(one.subscription.live)
        new, one.seen = live[one.seen :], len(live)
        self.actors[one.reader].ledger.observe(DELIVERED if live or new else SILENT, WS)
        key = self.key_of(one.reader)
        for event in dict.fromkeys(new):
            if one.closed:
                deviation: Deviation | None = Deviation(
                    Fault.MISMATCH, event, "the subscription was closed"
                )
            else:
                deviation = self.model.judge_live(event, one.filters, key, live.count(event))
            if deviation is not None:
                theme = Theme.GATE if deviation.fault is Fault.WITHHELD else Theme.LIVE
                self.find(theme, LIVE, _as_ask(one), number, deviation)
            elif event.pubkey == key and self.model.is_withheld(event, None):
                self.given_to_author += 1
        one.since = len(self._log)

    def _race(self, races: Sequence[tuple[int, Race]]) -> None:
        """REQ and EVENT go out one right after the other; the event comes stored or live."""
        running = []
        for number, race in races:
            event = self.cast.event(race.write)
            door, writer = self.actors[race.reader].ws, self.actors[race.write.author].ws
            subscription = door.subscribe(self.filters(race.filters), f"r{race.write.name}")
            writer.post(event)
            running.append((number, race, event, door, subscription))
        for _, race, event, *_ in running:
            answer = self.actors[race.write.author].ws.answer_to(event)
            self._note_write(event, answer.accepted)
            if answer.accepted:
                self.actors[race.write.author].written.append(event)
        for number, race, event, door, subscription in running:
            _await_the_end(door, subscription)
            self._judge_race(number, race, event, door, subscription)

    def _judge_race(
        self,
        number: int,
        race: Race,
        event: Event,
        door: WebSocketDoor,
        subscription: Subscription,
    ) -> None:
        if subscription.closed is not None:
            self.refusals.setdefault(subscription.closed, shape_of(race.filters))
            return
        key = self.key_of(race.reader)
        if self._is_echo(race.reader, event):
            subscription.close()
            return
        if self.model.judge_live(event, subscription.filters, key, 0) is not None:
            if self._is_beyond_the_page(race.reader, event, subscription):
                subscription.close()
                return
            try:
                door.wait(
                    lambda: event in subscription.stored or event in subscription.live,
                    f"event {event.short_id}, stored or live",
                )
            except NoAnswer:
                if event.id in self.visible(race.reader, [event]):
                    asked = Ask(race.reader, LIVE, race.filters)
                    missing = Deviation(Fault.MISSING, event, "neither stored nor live")
                    self.find(Theme.LIVE, LIVE, asked, number, missing)
        subscription.close()

    def _is_beyond_the_page(self, reader: Reader, event: Event, subscription: Subscription) -> bool:
        """Whether it was stored before the REQ, and a full answer left no room for it."""
        filters, key = subscription.filters, self.key_of(reader)
        if event in subscription.stored:
            return False
        if self.actors[reader].sees("the event came", lambda: event in subscription.live):
            return False
        if self.model.is_crowded_out(event, filters, key, subscription.stored):
            return True
        if len(subscription.stored) < SHORTEST_PAGE or not self.learns_the_page(reader, filters):
            return False
        return self.model.is_crowded_out(event, filters, key, subscription.stored)


def _as_ask(one: _Listening) -> Ask:
    return Ask(one.reader, LIVE, one.wanted)


def _await_the_end(door: WebSocketDoor, subscription: Subscription) -> None:
    door.wait(
        lambda: subscription.ended or subscription.closed is not None,
        f"EOSE for subscription {subscription.id}",
    )


def _batches(steps: Sequence[Step]) -> Iterator[list[tuple[int, Step]]]:
    """Steps that can be sent at once: of one sort, and no two writes to one address."""
    batch: list[tuple[int, Step]] = []
    places: set[object] = set()
    for number, step in enumerate(steps, 1):
        place = (step.author, step.kind, step.slug) if isinstance(step, Write) else None
        if batch and (not _go_together(batch[-1][1], step) or place in places):
            yield batch
            batch, places = [], set()
        batch.append((number, step))
        if place is not None:
            places.add(place)
    if batch:
        yield batch


def _go_together(one: Step, other: Step) -> bool:
    if isinstance(one, (Close, Look, Delete, Resend)) or type(one) is not type(other):
        return False
    return not isinstance(one, Ask) or not isinstance(other, Ask) or one.surface == other.surface
