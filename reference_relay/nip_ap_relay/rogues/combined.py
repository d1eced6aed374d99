"""Rogues that are right as long as one condition is asked at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from fnmatch import fnmatchcase

from nip_ap.nostr import Event, Filter
from nip_ap_relay import surfaces
from nip_ap_relay.policy import NOVEMBER, Policy
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row, Store


@rogue(
    "live-first-filter-only",
    turns_red="AP-READ-10 AP-READ-19",
    because="It registers a subscription under its first filter and forgets the others.",
    remedy="Match live events against every filter of the subscription.",
)
class LiveFirstFilterOnly(Policy):
    def live_filters(self, filters: Sequence[Filter]) -> Sequence[Filter]:
        return filters[:1]


@rogue(
    "live-ignores-times",
    turns_red="AP-READ-19",
    because="It takes `since` and `until` for questions about the past.",
    remedy="Apply `since` and `until` to live events too.",
)
class LiveIgnoresTimes(Policy):
    def live_match(self, one: Filter, event: Event) -> bool:
        return super().live_match(one.changed(since=None, until=None), event)


@rogue(
    "live-twice-for-two-filters",
    turns_red="AP-READ-19",
    because="It fans out filter by filter and does not remember whom it served.",
    remedy="Deliver an event once per subscription, however many of its filters match.",
)
class LiveTwiceForTwoFilters(Policy):
    def copies_for(self, matching: int) -> int:
        return matching


@rogue(
    "one-author-used",
    turns_red="AP-READ-17",
    by_chance="AP-HTTP-06 AP-READ-18 AP-READ-21",
    because="Its index is by author, and it looks up a single one.",
    remedy="Look up each of `authors`, not only the first.",
)
class OneAuthorUsed(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(authors=one.authors[:1]) if one.authors else one


@rogue(
    "since-dropped-beside-limit",
    turns_red="AP-READ-18",
    by_chance="AP-CAT-08 AP-GATE-15 AP-HTTP-06",
    because="Its query for the newest n begins at the newest and minds no bounds.",
    remedy="Apply `since` and `until` before the limit.",
)
class SinceDroppedBesideLimit(Policy):
    def understood(self, one: Filter) -> Filter:
        return one if one.limit is None else one.changed(since=None)


@rogue(
    "first-limit-for-all",
    turns_red="AP-READ-18",
    by_chance="AP-HTTP-06",
    because="It joins the filters into one query, with the limit of the first.",
    remedy="Apply each filter's limit to that filter alone.",
)
class FirstLimitForAll(Policy):
    def request(self, filters: Sequence[Filter], surface: str) -> Sequence[Filter]:
        return [one.changed(limit=filters[0].limit) for one in filters]


@rogue(
    "shorter-value-cancelled",
    turns_red="AP-READ-17 AP-SLUG-12",
    by_chance="AP-HTTP-06 AP-READ-18 AP-READ-20 AP-READ-21",
    because="It keeps the values of a condition in a trie, where a longer one overwrites its stem.",
    remedy="Mark the end of each value in the trie, so that a stem stays a value of its own.",
)
class ShorterValueCancelled(Policy):
    def understood(self, one: Filter) -> Filter:
        tags = {
            name: tuple(v for v in values if not any(o != v and o.startswith(v) for o in values))
            for name, values in one.tags.items()
        }
        return one.changed(tags=tags)


@rogue(
    "count-sums-filters",
    turns_red="AP-READ-21",
    by_chance="AP-CAT-08 AP-GATE-15",
    because="It counts filter by filter and adds up.",
    remedy="Count each event once, however many filters match it.",
)
class CountSumsFilters(Policy):
    def total(self, numbers: Sequence[set[int]]) -> int:
        return sum(map(len, numbers))


@rogue(
    "t-and-p-not-searchable",
    turns_red="AP-DM-04 AP-INSTR-06 AP-INSTR-07 AP-INSTR-10 AP-INSTR-13 AP-INSTR-14 AP-READ-17",
    blinds="AP-DM-05 AP-DM-06 AP-ENV-10 AP-GATE-15 AP-INSTR-08",
    by_chance="AP-HTTP-06 AP-READ-20 AP-READ-21",
    because="It indexes the `d` tag alone.",
    remedy="Index the values of every single-letter tag.",
)
class TAndPNotSearchable(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(ids=()) if {"t", "p"} & set(one.tags) else one


@rogue(
    "tag-index-is-stale",
    turns_red="AP-REPL-15",
    by_chance="AP-CAT-08 AP-DEL-17 AP-GATE-15",
    because="It replaces the event and leaves the old one's entries in the index of tags.",
    remedy="Remove the tags of the old version from the index when it is replaced.",
)
class TagIndexIsStale(Policy):
    def rows_searched(self, one: Filter) -> str:
        by_tag_alone = set(one.tags) - {"d"} and one.ids is None
        return "gone != 2" if by_tag_alone else super().rows_searched(one)


@rogue(
    "underscore-is-a-wildcard",
    turns_red="AP-READ-17 AP-SCOPE-07 AP-SLUG-12 AP-TEAM-07",
    by_chance="AP-GATE-15 AP-HTTP-06 AP-READ-18 AP-READ-21",
    because="It compares tags with LIKE and does not escape the underscore.",
    remedy="Compare with = in place of LIKE, or escape `_` and `%`.",
)
class UnderscoreIsAWildcard(Policy):
    def tag_comparison(self) -> Callable[[str, str], bool]:
        return lambda value, wanted: fnmatchcase(value, wanted.replace("_", "?"))


@rogue(
    "closed-id-is-dead",
    turns_red="AP-READ-20",
    because="It marks an id as closed and never takes the mark away.",
    remedy="Forget a closed subscription, so that its id can be used again.",
)
class ClosedIdIsDead(Policy):
    def takes_up(self, identifier: str, closed: Collection[str]) -> bool:
        return identifier not in closed


@rogue(
    "registers-after-the-answer",
    turns_red="AP-CAT-09 AP-INSTR-09 AP-READ-20",
    blinds=(
        "AP-ENV-08 AP-GATE-05 AP-GATE-15 AP-GATE-33 AP-INSTR-16 AP-INT-05 AP-READ-14 "
        "AP-REPL-08 AP-SLUG-08 AP-THREAD-12 AP-WRAP-05"
    ),
    by_chance=(
        "AP-DEL-14 AP-DM-05 AP-DM-08 AP-DV-06 AP-DV-09 AP-GATE-08 AP-GATE-09 AP-GATE-32 "
        "AP-INFO-02 AP-INT-08 AP-READ-08 AP-READ-10 AP-READ-11 AP-READ-19 AP-ROB-05 "
        "AP-ROB-06 AP-SCOPE-06 AP-THREAD-11 AP-WRAP-02 AP-WRAP-09"
    ),
    because="It opens a subscription once its stored events are sent; what comes between is lost.",
    remedy="Register the subscription before the stored events are read.",
)
class RegistersAfterTheAnswer(Policy):
    def registers_after(self) -> float:
        return 0.1


@rogue(
    "tags-are-indexed-late",
    turns_red="AP-INSTR-06 AP-INSTR-07 AP-INSTR-13 AP-INSTR-14 AP-READ-12",
    blinds=(
        "AP-DM-05 AP-DM-06 AP-DM-07 AP-DM-10 AP-ENV-10 AP-GATE-15 AP-GATE-33 AP-INSTR-08 "
        "AP-SCOPE-07 AP-TEAM-07 AP-THREAD-08 AP-THREAD-12 AP-THREAD-13"
    ),
    by_chance="AP-DM-04 AP-READ-20 AP-SCOPE-07 AP-THREAD-01",
    because="It answers OK when the event is stored, and indexes its tags in the background.",
    remedy="Index the tags in the transaction that stores the event, before you send OK.",
)
class TagsAreIndexedLate(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._stored: dict[str, float] = {}

    def as_stored(self, event: Event) -> Event:
        self._stored[event.id] = time.monotonic()
        return super().as_stored(event)

    def visible_by_now(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        if not any(set(one.tags) - {"d"} for one in filters):
            return rows
        indexed = time.monotonic() - 0.05
        return [row for row in rows if self._stored.get(row.id, 0.0) < indexed]


@rogue(
    "wildcard-at-the-http-door",
    turns_red="AP-HTTP-06",
    because="Its HTTP door has a query of its own, which ignores `#t` beside other conditions.",
    remedy="Use one query for both the WebSocket and HTTP.",
)
class WildcardAtTheHttpDoor(Policy):
    def request(self, filters: Sequence[Filter], surface: str) -> Sequence[Filter]:
        if surface not in (surfaces.HTTP_QUERY, surfaces.HTTP_COUNT):
            return filters
        return [
            one.changed(tags={name: v for name, v in one.tags.items() if name != "t"})
            if len(one.tags) > 1
            else one
            for one in filters
        ]


@rogue(
    "look-alike-slugs-share-a-head",
    turns_red="AP-REPL-16 AP-SLUG-12",
    by_chance="AP-DEL-17 AP-READ-12 AP-READ-18",
    because="It makes file names of slugs, and has an underscore for whatever may not stand there.",
    remedy="Use the slug itself as the key, or an encoding that can be undone.",
)
class LookAlikeSlugsShareAHead(Policy):
    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(kind, pubkey, slug.replace("-", "_"))


@rogue(
    "deletes-by-address-or-by-id",
    turns_red="AP-DEL-09 AP-DEL-17",
    because="It looks for `e` tags only where a request has no `a` tag.",
    remedy="Carry out both the `a` and the `e` tags of a request.",
)
class DeletesByAddressOrById(Policy):
    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        return [] if request.tag_values("a") else super().deletion_by_id(request, store)


class _IndexesSomeTags(Policy):
    """A relay that finds events by some of their tags alone."""

    def indexes(self, tags: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
        """The tags that are in the index."""
        raise NotImplementedError

    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        return [row for row in rows if self._finds(row, filters)]

    def _finds(self, row: Row, filters: Sequence[Filter]) -> bool:
        event = Event.from_json(json.loads(row.raw))
        indexed = event.altered(tags=tuple(map(tuple, self.indexes(event.tags))))
        return any(one.matches(indexed) for one in filters)


@rogue(
    "tag-values-folded",
    turns_red="AP-CAT-06 AP-INSTR-06 AP-READ-03 AP-READ-17 AP-SCOPE-07 AP-TEAM-07",
    by_chance="AP-HTTP-06 AP-READ-18 AP-READ-21",
    because="It compares the values of tags without their case.",
    remedy="Compare the values of tags byte for byte.",
)
class TagValuesFolded(Policy):
    def tag_comparison(self) -> Callable[[str, str], bool]:
        return lambda value, wanted: value.lower() == wanted.lower()


@rogue(
    "tag-values-trimmed",
    turns_red="AP-READ-17 AP-SCOPE-07 AP-TEAM-07",
    by_chance="AP-HTTP-06 AP-READ-18 AP-READ-21",
    because="It strips the values of tags of blanks before it indexes them.",
    remedy="Index the values of tags as they are.",
)
class TagValuesTrimmed(Policy):
    def tag_comparison(self) -> Callable[[str, str], bool]:
        return lambda value, wanted: value.strip() == wanted.strip()


@rogue(
    "keys-indexed-to-their-last-byte",
    turns_red="AP-READ-17 AP-SCOPE-07 AP-SLUG-12 AP-TEAM-07",
    by_chance="AP-HTTP-06 AP-READ-18 AP-READ-21",
    because="Its index holds 31 bytes of an id or a key, and nothing looks at the last one.",
    remedy="Compare the whole value after the index has found candidates.",
)
class KeysIndexedToTheirLastByte(Policy):
    def tag_comparison(self) -> Callable[[str, str], bool]:
        return lambda value, wanted: _cut_key(value) == _cut_key(wanted)


def _cut_key(value: str) -> str:
    return value[:62] if len(value) == 64 else value


@rogue(
    "upper-case-tags-folded",
    turns_red="AP-READ-17",
    by_chance="AP-HTTP-06 AP-READ-18 AP-READ-21",
    because="It takes `#T` for `#t`.",
    remedy="Tell the names of tags apart by their case.",
)
class UpperCaseTagsFolded(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(tags={name.lower(): values for name, values in one.tags.items()})


@rogue(
    "tags-with-hints-unfound",
    turns_red="AP-ENV-04 AP-READ-17",
    by_chance="AP-HTTP-06 AP-READ-18 AP-READ-21",
    because="It indexes tags of two elements alone, but for references to events.",
    remedy="Index the second element of a tag, whatever follows it.",
)
class TagsWithHintsUnfound(_IndexesSomeTags):
    def indexes(self, tags: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
        return (tag for tag in tags if len(tag) == 2 or tag[0] == "e")


@rogue(
    "tags-indexed-to-the-twentieth",
    turns_red="AP-READ-17",
    by_chance="AP-HTTP-06 AP-READ-18 AP-READ-21",
    because="It indexes the first twenty tags of an event.",
    remedy="Index every tag of an event, or refuse the event.",
)
class TagsIndexedToTheTwentieth(_IndexesSomeTags):
    def indexes(self, tags: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
        return iter(tags[:20])
