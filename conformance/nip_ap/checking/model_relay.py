"""A model of a relay, small enough to be believed: what generated traffic is compared with.

It knows which events must come in answer to filters, which may and which must not (NIP-01, NIP-09,
NIP-AP), and no network. What the texts leave open it leaves open; `Habits` says what is known of a
relay where they give it a choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from nip_ap.nostr import (
    DELETION,
    PERSONA,
    TEAM_CATALOG,
    Event,
    Filter,
    address_of,
    is_addressable,
    is_replaceable,
)

SHAREABLE = frozenset((PERSONA, TEAM_CATALOG))
"""Kinds that are for their author alone unless they are shared; their one version is sure."""


class Standing(StrEnum):
    """Where an event stands in the relay's store. Open: the texts do not say whether it is kept."""

    DUE = "due"
    OPEN = "open"
    SUPERSEDED = "superseded"
    DELETED = "deleted"


class Fault(StrEnum):
    """What an answer can have wrong with one event."""

    WITHHELD = "an event that is withheld from this reader"
    MISMATCH = "an event that matches none of the filters"
    DELETED = "a deleted event"
    SUPERSEDED = "a superseded version"
    REPEATED = "an event more than once"
    OVER_LIMIT = "an event beyond the limit"
    MISSING = "an event is missing"
    COUNT = "a wrong count"


@dataclass(frozen=True)
class Deviation:
    """One thing that is wrong with an answer; `event` is None where it is about a number."""

    fault: Fault
    event: Event | None
    detail: str = ""


@dataclass(frozen=True)
class Habits:
    """What is known of a relay where the texts leave it a choice."""

    gated: bool = True
    """What can be shared is for its author alone unless it is (from 2026-07)."""
    keeps_versions: bool = False
    """It serves superseded versions to plain filters too (AP-REPL-07 judges that)."""
    deletes_by_address: bool = True
    deletes_by_id: bool = True
    dates_bind: bool = True
    """A deletion by address spares versions that are dated later (AP-DEL-05 judges that)."""
    echoes: bool = False
    """A connection gets its own events live."""
    most: int | None = None
    """Events in one answer at most, where the relay announces that or was found to cut there."""


def address(event: Event) -> str | None:
    """The coordinate at which one event lives; None for a regular event."""
    if is_addressable(event.kind):
        return address_of(event)
    return f"{event.kind}:{event.pubkey}:" if is_replaceable(event.kind) else None


def is_shared(event: Event) -> bool:
    """Whether strangers may read a persona."""
    return ("shared", "true") in event.tags


@dataclass
class ModelRelay:
    """What was written, with its outcome where that is known."""

    habits: Habits = field(default_factory=Habits)
    events: dict[str, Event] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    when_written: dict[str, Standing] = field(default_factory=dict)
    """The standing of each event at the moment of its write: what live delivery goes by."""
    sent: dict[str, int] = field(default_factory=dict)
    """How often each event was sent."""
    excused: set[tuple[str | None, str]] = field(default_factory=set)
    """(reader, event id): what a reader does not get for a reason that is judged elsewhere."""
    _deletions: list[Event] = field(default_factory=list)
    _bars: dict[str, int] = field(default_factory=dict)
    """By address: up to which date it is open whether a write gets in, a head having gone by id."""

    # -- writes ----------------------------------------------------------------

    def write(self, event: Event, accepted: bool | None) -> None:
        """An event was sent, and this is the answer; None where none came."""
        self.sent[event.id] = self.sent.get(event.id, 0) + 1
        known = self.standings.get(event.id)
        if known in (Standing.DUE, Standing.SUPERSEDED):
            return
        self.events[event.id] = event
        if known is Standing.DELETED:
            self.standings[event.id] = Standing.DELETED if accepted is False else Standing.OPEN
            self._leave_open_what_loses_to(event)
            return
        self.standings[event.id] = Standing.OPEN
        if event.kind == DELETION:
            self._delete(event, accepted)
        elif accepted is True:
            self._store(event)
        elif accepted is None:
            self._leave_open_what_loses_to(event)
        self.when_written.setdefault(event.id, self.standings[event.id])

    def _store(self, event: Event) -> None:
        if self._is_unsettled(event):
            self._leave_open_what_loses_to(event)
            return
        rivals = self._rivals(event)
        better = {self.standings[one.id] for one in rivals if one.order < event.order}
        if Standing.DUE in better:
            self.standings[event.id] = Standing.SUPERSEDED
        elif Standing.OPEN in better:
            self._leave_open_what_loses_to(event)
        else:
            self.standings[event.id] = Standing.DUE
            for one in rivals:
                self.standings[one.id] = Standing.SUPERSEDED

    def _rivals(self, event: Event) -> list[Event]:
        """What may be at the address of an event besides it."""
        place = address(event)
        return [
            one
            for one in self.events.values()
            if place is not None
            and one.id != event.id
            and address(one) == place
            and self.standings[one.id] in (Standing.DUE, Standing.OPEN)
        ]

    def _leave_open_what_loses_to(self, event: Event) -> None:
        for one in self._rivals(event):
            if event.order < one.order:
                self.standings[one.id] = Standing.OPEN

    def _is_unsettled(self, event: Event) -> bool:
        """Whether it was deleted, or its date was, before it came."""
        place = address(event)
        if place is not None and event.created_at <= self._bars.get(place, -1):
            return True
        return any(
            event.id in one.tag_values("e")
            or (place in one.tag_values("a") and event.created_at <= one.created_at)
            for one in self._deletions
            if one.pubkey == event.pubkey
        )

    def _delete(self, request: Event, accepted: bool | None) -> None:
        """A refused request does nothing; one that was not answered leaves everything open."""
        if accepted is False:
            return
        self._deletions.append(request)
        for event in [one for one in self.events.values() if one.pubkey == request.pubkey]:
            place = address(event)
            if place is not None and place in request.tag_values("a"):
                self._reach_by_address(event, request, accepted)
            if event.id in request.tag_values("e"):
                self._reach_by_id(event, accepted)

    def _reach_by_address(self, event: Event, request: Event, accepted: bool | None) -> None:
        if event.created_at > request.created_at:
            if not self.habits.dates_bind:
                self._open(event)
            return
        sure = accepted is True and self.habits.deletes_by_address and event.kind in SHAREABLE
        self.standings[event.id] = Standing.DELETED if sure else Standing.OPEN

    def _reach_by_id(self, event: Event, accepted: bool | None) -> None:
        """A head that goes by its id may leave the place to an older version, or to nobody."""
        was = self.standings[event.id]
        sure = accepted is True and self.habits.deletes_by_id and event.kind in SHAREABLE
        self.standings[event.id] = Standing.DELETED if sure else Standing.OPEN
        place = address(event)
        if place is None or was is Standing.SUPERSEDED:
            return
        self._bars[place] = max(event.created_at, self._bars.get(place, -1))
        for one in self.events.values():
            if address(one) == place and self.standings[one.id] is Standing.SUPERSEDED:
                self.standings[one.id] = Standing.OPEN

    def _open(self, event: Event) -> None:
        if self.standings[event.id] is Standing.DUE:
            self.standings[event.id] = Standing.OPEN

    # -- reads -----------------------------------------------------------------

    def is_withheld(self, event: Event, reader: str | None) -> bool:
        """Whether a reader must not see an event: un-sharing takes the earlier versions along."""
        if not self.habits.gated or event.kind not in SHAREABLE or event.pubkey == reader:
            return False
        if not is_shared(event):
            return True
        if self.standings.get(event.id) is not Standing.SUPERSEDED:
            return False
        return any(
            self.standings[one.id] is Standing.DUE and not is_shared(one)
            for one in self._rivals(event)
        )

    def objection(
        self, event: Event, filters: Iterable[Filter], reader: str | None
    ) -> Fault | None:
        """Why an event must not be in an answer; None where it must or may be."""
        if event.id in self.events and self.is_withheld(event, reader):
            return Fault.WITHHELD
        matching = [one for one in filters if one.matches(event)]
        if not matching:
            return Fault.MISMATCH
        standing = self.standings.get(event.id)
        if standing is Standing.DELETED:
            return Fault.DELETED
        if standing is Standing.SUPERSEDED and event.kind in SHAREABLE:
            named = any(event.id in (one.ids or ()) for one in matching)
            return None if named or self.habits.keeps_versions else Fault.SUPERSEDED
        return None

    def is_due(self, event: Event, one: Filter, reader: str | None) -> bool:
        """Whether an answer to a filter has to hold an event, its limit aside."""
        return (
            self.standings[event.id] is Standing.DUE
            and one.search is None
            and one.matches(event)
            and (reader, event.id) not in self.excused
            and not self.is_withheld(event, reader)
        )

    def due(self, filters: Sequence[Filter], reader: str | None) -> list[Event]:
        """The events that an answer has to hold, limits aside."""
        return [
            event
            for event in self.events.values()
            if any(self.is_due(event, one, reader) for one in filters)
        ]

    def judge(
        self, filters: Sequence[Filter], reader: str | None, answer: Sequence[Event]
    ) -> list[Deviation]:
        """Everything that is wrong with a stored answer. Events of other people are let pass."""
        found = []
        good: list[Event] = []
        for event in answer:
            fault = self.objection(event, filters, reader)
            if fault is None and event in good:
                fault = Fault.REPEATED
            if fault is None:
                good.append(event)
            else:
                found.append(Deviation(fault, event))
        found += [
            Deviation(Fault.OVER_LIMIT, event)
            for event in good
            if event.id in self.events and not self._has_room(event, filters, reader, good)
        ]
        found += [
            Deviation(Fault.MISSING, event)
            for event in self.due(filters, reader)
            if event not in answer and not self.is_crowded_out(event, filters, reader, good)
        ]
        return found

    def _has_room(
        self, event: Event, filters: Sequence[Filter], reader: str | None, good: Sequence[Event]
    ) -> bool:
        """Whether some filter's limit lets an event in: too few newer ones are due before it."""
        for one in filters:
            if not one.matches(event):
                continue
            newer = [
                other
                for other in self.events.values()
                if other.created_at > event.created_at and self.is_due(other, one, reader)
            ]
            if one.limit is None:
                return True
            place = sorted(good, key=lambda other: other.order).index(event)
            if len(newer) < one.limit and (len(filters) > 1 or place < one.limit):
                return True
        return False

    def is_crowded_out(
        self, event: Event, filters: Sequence[Filter], reader: str | None, good: Sequence[Event]
    ) -> bool:
        """Whether every filter that it is due for was filled by events that are as new."""
        for one in filters:
            if not self.is_due(event, one, reader):
                continue
            limits = [most for most in (one.limit, self.habits.most) if most is not None]
            as_new = sum(
                one.matches(other) and other.created_at >= event.created_at for other in good
            )
            if not limits or as_new < min(limits):
                return False
        return True

    def judge_count(
        self, filters: Sequence[Filter], reader: str | None, count: int
    ) -> Deviation | None:
        """Whether a COUNT is right; with a limit it may count what the limit cuts, or not.

        NIP-45 leaves open too whether a relay counts further than it answers a REQ.
        """
        due = len(self.due(filters, reader))
        limited = any(one.limit is not None for one in filters)
        least = 0 if limited else min(due, self.habits.most or due)
        may_be = [
            event
            for event in self.events.values()
            if any(one.matches(event) for one in filters)
            and self.objection(event, filters, reader) is None
        ]
        if least <= count <= len(may_be):
            return None
        wanted = str(due) if due == len(may_be) else f"{least} to {len(may_be)}"
        detail = f"{wanted} expected, {count} counted"
        if count < least:
            return Deviation(Fault.COUNT, None, detail)
        return Deviation(self._reason_of_excess(filters, reader), None, detail)

    def _reason_of_excess(self, filters: Sequence[Filter], reader: str | None) -> Fault:
        """What a count that is too high may have counted: the gravest first."""
        matching = [
            event for event in self.events.values() if any(one.matches(event) for one in filters)
        ]
        faults = {self.objection(event, filters, reader) for event in matching}
        for fault in (Fault.WITHHELD, Fault.DELETED, Fault.SUPERSEDED):
            if fault in faults:
                return fault
        return Fault.COUNT

    def judge_live(
        self, event: Event, filters: Sequence[Filter], reader: str | None, copies: int
    ) -> Deviation | None:
        """Whether a subscription that was open when an event was written got it as it should."""
        matches = any(one.matches(event) for one in filters)
        if copies == 0:
            due = (
                matches
                and self.when_written.get(event.id) is Standing.DUE
                and not self._is_private(event, reader)
                and (reader, event.id) not in self.excused
                and self.sent[event.id] == 1
            )
            return Deviation(Fault.MISSING, event) if due else None
        if self._is_private(event, reader):
            return Deviation(Fault.WITHHELD, event)
        if not matches:
            return Deviation(Fault.MISMATCH, event)
        if copies > self.sent.get(event.id, 1):
            return Deviation(Fault.REPEATED, event, f"{copies} times")
        return None

    def _is_private(self, event: Event, reader: str | None) -> bool:
        gated = self.habits.gated and event.kind in SHAREABLE
        return gated and event.pubkey != reader and not is_shared(event)
