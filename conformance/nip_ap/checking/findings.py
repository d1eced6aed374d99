"""Where a relay's answers and the model's differ, each difference under the theme of its cause.

What a relay refuses or limits is no difference. What is missing is asked for again in other ways
before it is blamed on anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from nip_ap.checking.actor import HTTP, WS, Actor
from nip_ap.checking.model_relay import (
    SHAREABLE,
    Deviation,
    Fault,
    Habits,
    ModelRelay,
    address,
)
from nip_ap.checking.paging import page_found
from nip_ap.checking.traffic import (
    COUNTS,
    HTTP_QUERY,
    STORED,
    Ask,
    Cast,
    Open,
    Reader,
    Wanted,
    shape_of,
    spoken,
)
from nip_ap.nostr import Event, Filter
from nip_ap.wire import Reading

_LOOKED_INTO = 4
"""Missing events of one batch that are asked for again: the first finding is what is reported."""


class Theme(StrEnum):
    """What a finding is about; each check judges one and leaves the rest to the others."""

    CONDITIONS = "conditions"
    LIMITS = "limits"
    ONCE = "once"
    """An event that several filters match is repeated, which AP-READ-16 judges as a SHOULD."""
    LATE = "late"
    COUNTS = "counts"
    LIVE = "live"
    GATE = "gate"
    DELETION = "deletion"
    VERSIONS = "versions"
    HEADS = "heads"


@dataclass(frozen=True)
class Finding:
    """One difference between the relay and the model."""

    theme: Theme
    fault: Fault
    surface: str
    reader: Reader
    expected: str
    seen: str
    step: int


@dataclass
class Comparison:
    """The relay under test on one side, the model on the other."""

    actors: dict[Reader, Actor]
    cast: Cast
    habits: Habits
    at_once: int = 8
    counts_alone: bool = True
    """Whether nobody else writes under the authors' keys, so that their events can be counted."""
    model: ModelRelay = field(init=False)
    findings: list[Finding] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    """What the relay said when it refused a request, and the shape of the first such request."""
    judged: int = 0
    """Answers that were compared with the model."""
    given_to_author: int = 0
    """Answers in which an author got what was withheld from a stranger who asked alike."""
    deleted_something: bool = False
    _missing: list[tuple[int, Ask | Open, Event]] = field(default_factory=list)
    _counted_at: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.model = ModelRelay(self.habits)

    def accepted(self) -> list[Event]:
        """The events that the relay said it took."""
        return [event for actor in self.actors.values() for event in actor.written]

    def key_of(self, reader: Reader) -> str | None:
        return None if reader == "anonymous" else self.cast.pubkeys[reader[:1]]

    def filters(self, wanted: Sequence[Wanted]) -> tuple[Filter, ...]:
        return tuple(map(self.cast.filter, wanted))

    # -- answers ---------------------------------------------------------------

    def unless_refused(
        self, events: Sequence[Event], refusal: str | None, wanted: Sequence[Wanted]
    ) -> Sequence[Event] | None:
        if refusal is None:
            return events
        self.refusals.setdefault(refusal, shape_of(wanted))
        return None

    def judge(
        self, number: int, ask: Ask | Open, filters: tuple[Filter, ...], answer: Sequence[Event]
    ) -> None:
        reader = self.key_of(ask.reader)
        surface = ask.surface if isinstance(ask, Ask) else STORED
        self.judged += 1
        self._see_the_control(ask.reader, answer)
        bounded = all(one.is_bounded or one.limit is None for one in ask.filters)
        bounded &= all(one.is_bounded or one.tags for one in ask.filters)
        deviations = self.model.judge(filters, reader, answer)
        is_short = bounded and any(one.fault is Fault.MISSING for one in deviations)
        if is_short and self.learns_the_page(ask.reader, filters):
            deviations = self.model.judge(filters, reader, answer)
        leaks = any(one.fault is Fault.WITHHELD for one in deviations)
        pushed_out = leaks and any(one.limit is not None for one in filters)
        stray = next((one.event for one in deviations if one.fault is Fault.MISMATCH), None)
        of_strays = Theme.CONDITIONS if stray is None else self._theme_of_stray(ask, stray)
        for deviation in deviations:
            if deviation.fault is Fault.MISSING and deviation.event is not None:
                if bounded and not pushed_out:  # what leaks may have taken its place
                    self._missing.append((number, ask, deviation.event))
            elif deviation.fault is not Fault.OVER_LIMIT or bounded:
                is_stray = deviation.fault is Fault.MISMATCH
                theme = of_strays if is_stray else _theme_of(deviation.fault)
                if theme is Theme.ONCE and len(filters) == 1:
                    theme = Theme.CONDITIONS
                self.find(theme, surface, ask, number, deviation)

    def learns_the_page(self, reader: Reader, filters: tuple[Filter, ...]) -> bool:
        """Whether answers turn out to be cut at a number that nobody announced.

        A filter that is asked alone, and again from the oldest event that came, shows it.
        """
        known = self.model.habits.most
        for one in filters:
            found = page_found(self.actors[reader].ws.query, one)
            if found and (known is None or found < known):
                self.model.habits = replace(self.model.habits, most=found)
                return True
        return False

    def _see_the_control(self, reader: Reader, answer: Sequence[Event]) -> None:
        key = self.key_of(reader)
        self.given_to_author += any(
            event.pubkey == key and self.model.is_withheld(event, None) for event in answer
        )

    def count(self, number: int, ask: Ask) -> None:
        if not all(one.is_bounded for one in ask.filters):
            return
        alone = all(one.ids is not None for one in ask.filters)
        if not self.counts_alone and not alone:
            return
        filters = self.filters(ask.filters)
        via = WS if ask.surface == COUNTS else HTTP
        self._see_a_count(via)
        counted = self.actors[ask.reader].counted(*filters, via=via)
        if counted.refusal is not None:
            self.refusals.setdefault(counted.refusal, shape_of(ask.filters))
            return
        key = self.key_of(ask.reader)
        if counted.approximate and counted.count and self.model.due(filters, key):
            return  # NIP-45 binds such a number to nothing, but where there is nothing to count
        if key is not None and counted.count:
            held = [event for event in self.model.due(filters, key) if event.pubkey == key]
            self.given_to_author += any(self.model.is_withheld(event, None) for event in held)
        self.judged += 1
        deviation = self.model.judge_count(filters, key, counted.count)
        if deviation is None or (via == HTTP and self._sums(filters, key, counted.count)):
            return
        if deviation.fault is Fault.COUNT and not self._all_stored(ask, filters):
            return
        if deviation.fault is Fault.WITHHELD and self._miscounts_for_the_author(ask, filters):
            deviation = Deviation(Fault.COUNT, None, deviation.detail)
        self.find(_theme_of(deviation.fault), ask.surface, ask, number, deviation)

    def _see_a_count(self, via: str) -> None:
        """Where ids alone are counted, what is there: else all counts of a check may be zero."""
        if self.counts_alone or via in self._counted_at:
            return
        key = self.key_of("0")
        own = [event for event in self.model.events.values() if event.pubkey == key]
        for event in own:
            wanted = Filter.of(ids=[event.id])
            if self.model.due([wanted], key):
                self._counted_at.add(via)
                self.actors["0"].counted(wanted, via=via)
                return

    def _miscounts_for_the_author(self, ask: Ask, filters: tuple[Filter, ...]) -> bool:
        """Whether the same count is wrong for one who may see more, so that the gate is not it."""
        author = self.actors["0 again"]
        counted = author.counted(*filters, via=WS if ask.surface == COUNTS else HTTP)
        found = self.model.judge_count(filters, author.pubkey, counted.count)
        return found is not None and found.fault is Fault.COUNT

    def _sums(self, filters: tuple[Filter, ...], reader: str | None, count: int) -> bool:
        """Over HTTP no text says what a count of several filters is: the real relay sums."""
        return count == sum(len(self.model.due([one], reader)) for one in filters)

    def _all_stored(self, ask: Ask, filters: tuple[Filter, ...]) -> bool:
        """Whether what should have been counted can be read: if not, others judge that."""
        key = self.key_of(ask.reader)
        due = self.model.due(filters, key)
        return all(event.id in self.visible(ask.reader, due) for event in due)

    def _theme_of_stray(self, ask: Ask | Open, event: Event) -> Theme:
        """What should not have matched: a limit let it in where the same without leaves it out."""
        if all(one.limit is None for one in ask.filters):
            return Theme.CONDITIONS
        return Theme.CONDITIONS if event in self._without_limits(ask) else Theme.LIMITS

    def _without_limits(self, ask: Ask | Open) -> Reading:
        """The answer to the same question without its limits."""
        unlimited = (one.changed(limit=None) for one in self.filters(ask.filters))
        return self.actors[ask.reader].read(*unlimited, via=_door_of(ask))

    # -- what is missing -------------------------------------------------------

    def look_into_what_is_missing(self) -> None:
        missing, self._missing = self._missing, []
        done: set[str] = set()
        for number, ask, event in missing:
            if event.id in done or len(done) >= _LOOKED_INTO:
                continue
            done.add(event.id)
            self._blame(number, ask, event)

    def _blame(self, number: int, ask: Ask | Open, event: Event) -> None:
        """Find out why an answer lacked an event, and note that under the right theme."""
        surface = ask.surface if isinstance(ask, Ask) else STORED
        deviation = Deviation(Fault.MISSING, event)
        if event.id in self.visible(ask.reader, [event]):
            self.find(self._theme_of_gap(ask, event), surface, ask, number, deviation)
            return
        self.model.excused.add((self.key_of(ask.reader), event.id))
        if event.kind not in SHAREABLE:
            return
        author = next(one for one in self.actors if self.key_of(one) == event.pubkey)
        if self.key_of(ask.reader) != event.pubkey and event.id in self.visible(author, [event]):
            self.find(Theme.GATE, surface, ask, number, deviation)
        elif self.deleted_something:
            self.find(Theme.DELETION, surface, ask, number, deviation)
        else:
            self.find(Theme.HEADS, surface, ask, number, deviation)

    def _theme_of_gap(self, ask: Ask | Open, event: Event) -> Theme:
        """Asked once more, with and without limits: late, cut off, or not found at all."""
        filters = self.filters(ask.filters)
        again = self.actors[ask.reader].read(*filters, via=_door_of(ask))
        key = self.key_of(ask.reader)
        gaps = [one.event for one in self.model.judge(filters, key, again.events)
                if one.fault is Fault.MISSING]  # fmt: skip
        if event not in gaps:
            return Theme.LATE
        if any(one.limit is not None for one in filters) and event in self._without_limits(ask):
            return Theme.LIMITS
        return Theme.CONDITIONS

    def visible(self, reader: Reader, events: Sequence[Event]) -> set[str]:
        """Which of some events a reader gets by plain filters of several sorts."""
        seen: set[str] = set()
        for event in events:
            by_author = Filter.of(kinds=[event.kind], authors=[event.pubkey])
            ways = [by_author, Filter.of(kinds=[event.kind], ids=[event.id])]
            ways += [by_author.changed(tags={"d": (event.slug,)})] if address(event) else []
            for way in ways:
                if event.id in seen:
                    break
                seen |= set(self.actors[reader].read(way).ids)
        return seen

    # -- findings --------------------------------------------------------------

    def find(
        self, theme: Theme, surface: str, ask: Ask | Open, number: int, deviation: Deviation
    ) -> None:
        event = deviation.event
        name = "" if event is None else self._name_of(event)
        detail = f" ({deviation.detail})" if deviation.detail else ""
        who, shape = spoken(ask.reader), shape_of(ask.filters)
        if deviation.fault is Fault.MISSING:
            expected, seen = f"{name} in the answer to {who}", "an answer without it"
        elif event is None:
            expected, seen = f"the right count for {who}", f"{deviation.fault}{detail}"
        else:
            expected, seen = f"no such event for {who}", f"{deviation.fault}: {name}{detail}"
        self.findings.append(
            Finding(
                theme,
                deviation.fault,
                surface,
                ask.reader,
                f"{expected}, asked by {surface} for {shape}",
                seen,
                number,
            )
        )

    def _name_of(self, event: Event) -> str:
        for name, made in self.cast.events.items():
            if made.id == event.id:
                return f"{name} ({event.short_id})"
        return f"event {event.short_id}"


def _door_of(ask: Ask | Open) -> str:
    return HTTP if isinstance(ask, Ask) and ask.surface == HTTP_QUERY else WS


def _theme_of(fault: Fault) -> Theme:
    return {
        Fault.WITHHELD: Theme.GATE,
        Fault.MISMATCH: Theme.CONDITIONS,
        Fault.DELETED: Theme.DELETION,
        Fault.SUPERSEDED: Theme.VERSIONS,
        Fault.REPEATED: Theme.ONCE,
        Fault.OVER_LIMIT: Theme.LIMITS,
        Fault.COUNT: Theme.COUNTS,
        Fault.MISSING: Theme.CONDITIONS,
    }[fault]
