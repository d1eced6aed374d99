"""Stored reads: filters become SQL, rows pass the policy, limits are applied last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from nip_ap.nostr import DELETION, Event, Filter, is_addressable
from nip_ap.nostr.channel import is_channel_id
from nip_ap_relay import surfaces
from nip_ap_relay.counting import can_count_in_sql, counted
from nip_ap_relay.policy import Policy
from nip_ap_relay.searching import words_of
from nip_ap_relay.store import Condition, Row, Store

_ORDERS = {True: "ORDER BY created_at DESC, id ASC", False: "ORDER BY created_at ASC, id DESC"}
_LARGEST_INTEGER = 2**63 - 1
_LONGEST_LIST = 400
_LIVE = "gone = 0"


@dataclass(frozen=True)
class Query:
    """Reads of one relay's store for one reader."""

    policy: Policy
    store: Store
    reader: str | None

    def rows(self, filters: Sequence[Filter], surface: str) -> list[Row]:
        """The stored events that the filters give this reader, newest first, each once."""
        filters = self.policy.request(filters, surface)
        answers = [list(self._answer(one, n, surface)) for n, one in enumerate(filters)]
        if not answers:
            return []
        found = {row.number: row for answer in answers for row in answer}
        if not self.policy.combines_filters_by_or():
            shared = set.intersection(*({row.number for row in answer} for answer in answers))
            found = {number: row for number, row in found.items() if number in shared}
        rows = list(found.values())
        if len(answers) > 1 and self.policy.newest_first():
            rows.sort(key=lambda row: row.order)
        return self.policy.visible_by_now(self.policy.served(rows, filters), filters)

    def count(self, filters: Sequence[Filter], surface: str) -> int:
        """How many distinct events the filters give this reader; limits do not count (NIP-45)."""
        filters = self.policy.request(filters, surface)
        if can_count_in_sql(self.policy):
            return self._counted_in_sql(filters, surface)
        numbers: list[set[int]] = []
        versions: set[int] = set()
        for place, one in enumerate(filters):
            understood = self.policy.understood(one)
            visible = self._visible(understood, place, surface)
            numbers.append({row.number for row in visible})
            versions |= self._versions(understood)
        return self.policy.count(self.policy.total(numbers), len(versions))

    def _counted_in_sql(self, filters: Sequence[Filter], surface: str) -> int:
        understood = map(self.policy.understood, filters)
        conditions = (self._condition(one, self.policy.rows_searched(one)) for one in understood)
        return counted(
            self.store,
            [one for one in conditions if one is not None],
            self.reader,
            lambda channel: self.policy.may_find_in_channel(
                channel, self.reader, surface, self.store
            ),
        )

    def _answer(self, one: Filter, place: int, surface: str) -> Iterator[Row]:
        understood = self.policy.understood(one)
        most = self.policy.row_limit(understood)
        surface = _narrowed(understood, surface)
        taken = 0
        rows = self._matching(understood)
        for row in rows:
            if taken >= most:
                return
            visible = self._may_read(row, understood, place, surface)
            if visible or not self.policy.gate_before_limit():
                taken += 1
            if visible:
                yield row

    def _visible(self, understood: Filter, place: int, surface: str) -> Iterator[Row]:
        rows = self._matching(understood)
        return (row for row in rows if self._may_read(row, understood, place, surface))

    def _may_read(self, row: Row, one: Filter, place: int, surface: str) -> bool:
        if row.channel is not None and not self.policy.may_find_in_channel(
            row.channel, self.reader, surface, self.store
        ):
            return False
        return self.policy.may_read(row, self.reader, surface) or self.policy.lets_in(
            row, one, place, self.reader, surface, self.store
        )

    def _matching(self, understood: Filter) -> Iterator[Row]:
        condition = self._condition(understood, self.policy.rows_searched(understood))
        if condition is None:
            return iter(())
        rows = self.store.select(
            condition.sql, condition.values, _ORDERS[self.policy.newest_first()]
        )
        comparison = self.policy.tag_comparison()
        if comparison is None:
            return rows
        return (row for row in rows if _tags_match(understood, row, comparison))

    def _versions(self, understood: Filter) -> set[int]:
        condition = self._condition(understood, among="gone != 2")
        if condition is None:
            return set()
        return {row.number for row in self.store.select(condition.sql, condition.values)}

    def _condition(self, one: Filter, among: str = _LIVE) -> Condition | None:
        """The filter as SQL; None where nothing can match (an empty list of values)."""
        parts: list[str] = [among]
        values: list[Any] = []
        numbers = None if one.ids is None else self.store.numbers_of(one.ids)
        for column, wanted in (("number", numbers), ("pubkey", one.authors), ("kind", one.kinds)):
            if wanted is None:
                continue
            if not wanted:
                return None
            among_wanted = _one_of(column, wanted)
            parts.append(among_wanted.sql)
            values += among_wanted.values
        for comparison, bound in ((">=", one.since), ("<=", one.until)):
            if bound is not None:
                parts.append(f"created_at {comparison} ?")
                values.append(min(bound, _LARGEST_INTEGER))
        if (page := self.policy.page(one)) is not None:
            parts.append(page.sql)
            values += page.values
        if one.search is not None:
            words = words_of(one.search)
            if not words and not self.policy.finds_without_words():
                return None
            if words:
                self.store.index_words()
                parts.append("number IN (SELECT rowid FROM words WHERE words MATCH ?)")
                values.append(" ".join(f'"{word}"' for word in words))
            left_out = _one_of("kind", tuple(sorted(self.policy.never_searched())))
            parts.append(f"NOT {left_out.sql}")
            values += left_out.values
            if not self.policy.searches_private_deletions():
                parts.append(f"NOT (kind = {DELETION} AND readers IS NOT NULL)")
        if self.policy.tag_comparison() is None:
            for name, wanted_values in one.tags.items():
                if not wanted_values:
                    return None
                part = self._tag_condition(name, wanted_values, one, among)
                parts.append(part.sql)
                values += part.values
        return Condition(" AND ".join(parts), tuple(values))

    def _tag_condition(
        self, name: str, wanted: tuple[str, ...], one: Filter, among: str
    ) -> Condition:
        if name == "h" and len(wanted) == 1 and is_channel_id(wanted[0]):
            return self.policy.channel_condition(wanted[0])
        by_value = _one_of("value", wanted)
        tagged = f"number IN (SELECT event FROM tags WHERE name = ? AND {by_value.sql})"
        if name != "d":
            return Condition(tagged, (name, *by_value.values))
        by_slug = _one_of("slug", wanted)
        if one.kinds is not None and all(is_addressable(kind) for kind in one.kinds):
            return by_slug if among != _LIVE else self._slug_condition(wanted, one, by_slug)
        return Condition(f"({by_slug.sql} OR {tagged})", (*by_slug.values, name, *by_value.values))

    def _slug_condition(
        self, wanted: tuple[str, ...], one: Filter, by_slug: Condition
    ) -> Condition:
        """Where kind and author are named too, the index of live addresses answers."""
        size = len(one.kinds or ()) * len(one.authors or ()) * len(wanted)
        if not 0 < size <= _LONGEST_LIST:
            return by_slug
        addresses = {
            self.policy.address_for(kind, author, slug)
            for kind in one.kinds or ()
            for author in one.authors or ()
            for slug in wanted
        }
        by_address = _one_of("number", self.store.numbers_at(addresses))
        return Condition(
            f"{by_address.sql} AND {by_slug.sql}", (*by_address.values, *by_slug.values)
        )


def _narrowed(one: Filter, surface: str) -> str:
    """The WebSocket surface by the sort of filter: by ids, of mixed kinds, a search, or plain."""
    if surface != surfaces.REQ:
        return surface
    if one.search is not None:
        return surfaces.SEARCH
    if one.ids is not None:
        return surfaces.IDS
    if one.kinds is None or len(one.kinds) > 1:
        return surfaces.MIXED
    return surfaces.REQ


def _tags_match(one: Filter, row: Row, matches: Callable[[str, str], bool]) -> bool:
    event = Event.from_json(orjson.loads(row.raw))
    return all(
        any(matches(value, wanted) for value in event.tag_values(name) for wanted in wanted_values)
        for name, wanted_values in one.tags.items()
    )


def _one_of(column: str, wanted: tuple[Any, ...]) -> Condition:
    """A column among values. A long list goes as one JSON value: SQLite limits its variables."""
    if len(wanted) > _LONGEST_LIST:
        listed = orjson.dumps(wanted).decode()
        return Condition(f"{column} IN (SELECT value FROM json_each(?))", (listed,))
    return Condition(f"{column} IN ({','.join('?' for _ in wanted)})", wanted)
