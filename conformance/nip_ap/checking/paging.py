"""Lists in pages: where a relay cuts its answers at a number, a list is asked for in parts.

NIP-11 lets a relay cut every answer at a number, and clients go on from the oldest event that they
got. Where a list names its addresses or ids, it is asked for by these instead: `until` cannot split
one second. A number that is not announced shows when an answer that may be full is asked on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from nip_ap.nostr import Event, Filter
from nip_ap.wire import Reading

Query = Callable[[Sequence[Filter]], Reading]

_A_VALUE = 70
"""Bytes that an id or a slug takes in a filter, quotes and comma included, with some to spare."""

_LONGEST_PAGE = 1000
"""A relay that announces more is asked for everything at once: no list of the suite is longer."""


SHORTEST_PAGE = 10
"""Events in an answer from which on it may have been cut at a number that nobody announced."""


@dataclass(frozen=True)
class Parts:
    """Events in an answer and bytes in a frame at most; 0 where there is no such limit."""

    page: int = 0
    frame: int = 0

    @property
    def values(self) -> int:
        """How many ids or slugs one filter may name, so that its frame and its answer fit."""
        by_frame = max(1, self.frame // _A_VALUE) if self.frame else 0
        return min((number for number in (self.page, by_frame) if number), default=0)


def page_size(announced: int | None) -> int:
    """The length of a page, 0 where lists come whole."""
    return announced if announced is not None and 0 < announced < _LONGEST_PAGE else 0


def read_in_pages(query: Query, filters: Sequence[Filter], parts: Parts) -> Reading:
    """One reading of all that matches, asked for in as many parts as it takes."""
    if len(filters) != 1:
        return query(filters)
    named = _named(filters[0], parts.values)
    if len(named) > 1:
        return _joined([query([one]) for one in named], filters)
    first = query(filters)
    if (left := _left_of(filters[0], first)) is not None:
        rest = [query([one]) for one in _named(left, len(first))]
        return _joined([first, *rest], filters)
    limit = filters[0].limit
    if not _may_go_on(first, limit, parts.page):
        return first
    page = len(first)
    readings = [first]
    seen = {event.id for event in first.events}
    while readings[-1].refusal is None and len(readings[-1]) >= page and len(seen) != limit:
        oldest = min(event.created_at for event in readings[-1].events)
        following = query([filters[0].changed(until=oldest)])
        fresh = [event for event in following.events if event.id not in seen]
        if not fresh:
            break
        seen |= {event.id for event in fresh}
        readings.append(following)
    return _joined(readings, filters)


def _may_go_on(first: Reading, limit: int | None, announced: int) -> bool:
    """Whether an answer is as long as an announced page, or long enough for another one."""
    number = len(first)
    if number == 0 or (limit is not None and number >= limit):
        return False
    return number >= SHORTEST_PAGE or 0 < announced <= number


def page_found(query: Query, one: Filter) -> int:
    """The number at which a filter's answer is cut, seen by asking on; 0 where it seems whole."""
    first = query([one])
    if len(first) < SHORTEST_PAGE or (one.limit is not None and len(first) >= one.limit):
        return 0
    following = query([one.changed(until=min(event.created_at for event in first.events))])
    return len(first) if any(event not in first for event in following.events) else 0


def _left_of(one: Filter, reading: Reading) -> Filter | None:
    """What a filter of ids or addresses named and a full answer lacks; None where it names none.

    Also where the answer is too short to have been cut, or as long as its limit.
    """
    if len(reading) < SHORTEST_PAGE or (one.limit is not None and len(reading) >= one.limit):
        return None
    if one.ids is not None:
        left = tuple(name for name in one.ids if name not in reading.ids)
        return one.changed(ids=left) if left else None
    slugs = one.tags.get("d", ())
    if not _is_of_addresses(one):
        return None
    there = {event.slug for event in reading.events}
    left = tuple(slug for slug in slugs if slug not in there)
    return one.changed(tags={**one.tags, "d": left}) if left else None


def _is_of_addresses(one: Filter) -> bool:
    return len(one.authors or ()) == 1 and len(one.kinds or ()) == 1 and bool(one.tags.get("d"))


def _named(one: Filter, most: int) -> list[Filter]:
    """The filter by so many of its ids or slugs at a time; itself where it has fewer."""
    if not most or (one.limit is not None and one.limit < most):
        return [one]
    if one.ids is not None and len(one.ids) > most:
        return [one.changed(ids=some) for some in _chunks(one.ids, most)]
    slugs = one.tags.get("d", ())
    if _is_of_addresses(one) and len(slugs) > most:
        return [one.changed(tags={**one.tags, "d": some}) for some in _chunks(slugs, most)]
    return [one]


def _chunks(values: tuple[str, ...], size: int) -> list[tuple[str, ...]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


def _joined(readings: Sequence[Reading], filters: Sequence[Filter]) -> Reading:
    """Readings as one; an event that two pages share, because they share a second, counts once."""
    if len(readings) == 1:
        return readings[0]
    refused = next((one for one in readings if one.refusal is not None), None)
    if refused is not None:
        return refused
    events: dict[str, Event] = {}
    repeated: list[Event] = []
    for number, reading in enumerate(readings):
        before = set(events)
        for event in reading.events:
            if event.id not in events:
                events[event.id] = event
            elif number == 0 or event.id not in before:
                repeated.append(event)
    malformed = tuple(one for reading in readings for one in reading.malformed)
    return replace(
        readings[0],
        filters=tuple(filters),
        events=(*events.values(), *repeated),
        malformed=malformed,
    )
