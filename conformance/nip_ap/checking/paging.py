"""Lists in pages: where a relay announces a short `max_limit`, a list is asked for in parts.

NIP-11 lets a relay cut every answer at a number that it announces; clients go on from the oldest
event that they got. Where a list names its addresses or ids, it is asked for by these instead:
`until` cannot split one second.
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
    page, limit = parts.page, filters[0].limit
    if not page or (limit is not None and limit <= page):
        return query(filters)
    first = query(filters)
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


def _named(one: Filter, most: int) -> list[Filter]:
    """The filter by so many of its ids or slugs at a time; itself where it has fewer."""
    if not most or (one.limit is not None and one.limit < most):
        return [one]
    if one.ids is not None and len(one.ids) > most:
        return [one.changed(ids=some) for some in _chunks(one.ids, most)]
    slugs = one.tags.get("d", ())
    is_of_addresses = len(one.authors or ()) == 1 and len(one.kinds or ()) == 1
    if is_of_addresses and len(slugs) > most:
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
