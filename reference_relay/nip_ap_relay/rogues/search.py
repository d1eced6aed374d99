"""Rogues of search."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from nip_ap.nostr import Filter
from nip_ap.nostr.channel import MESSAGE
from nip_ap_relay import surfaces
from nip_ap_relay.policy import Policy
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row


@rogue(
    "search-for-whole-texts",
    turns_red="AP-SEARCH-01",
    blinds="AP-SEARCH-02 AP-SEARCH-05 AP-SEARCH-06 AP-SEARCH-07 AP-SEARCH-08",
    because="It compares a message with what is searched as a whole.",
    remedy="Find a text by each of its words.",
)
class SearchForWholeTexts(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        searched = {one.search for one in filters if one.search is not None}
        if not searched:
            return rows
        return [row for row in rows if row.kind != MESSAGE or _content(row) in searched]


def _content(row: Row) -> str:
    return str(orjson.loads(row.raw)["content"])


@rogue(
    "search-among-the-newest",
    turns_red="AP-SEARCH-02",
    by_chance="AP-SEARCH-01 AP-SEARCH-05",
    because="It searches the newest events and calls that relevance.",
    remedy="Search all that is stored.",
)
class SearchAmongTheNewest(Policy):
    def rows_searched(self, one: Filter) -> str:
        newest = "number > (SELECT max(number) FROM events) - 6"
        return super().rows_searched(one) + (f" AND {newest}" if one.search else "")


@rogue(
    "search-without-eose",
    turns_red="AP-SEARCH-03 AP-SEARCH-04",
    blinds="AP-GATE-31",
    because="It answers a search of a channel by its hits, and where there are none, not at all.",
    remedy="End every answer with EOSE, an empty one too.",
)
class SearchWithoutEose(Policy):
    def ends_stored_events(self, rows: list[Row], filters: Sequence[Filter]) -> bool:
        in_a_channel = [one for one in filters if one.search is not None and "h" in one.tags]
        return bool(rows) or not in_a_channel or len(filters) > 1 or not filters[0].kinds


@rogue(
    "search-for-nothing-finds-all",
    turns_red="AP-SEARCH-04",
    because="It takes an empty search for a filter without one.",
    remedy="Answer an empty search with EOSE alone.",
)
class SearchForNothingFindsAll(Policy):
    def finds_without_words(self) -> bool:
        return True


@rogue(
    "search-forgets-authors",
    turns_red="AP-SEARCH-05",
    because="Its index knows words and kinds, and the other conditions are lost on the way there.",
    remedy="Apply every condition of the filter to the results of a search.",
)
class SearchForgetsAuthors(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(authors=None) if one.search is not None else one


@rogue(
    "search-not-over-http",
    turns_red="AP-SEARCH-06",
    blinds="AP-GATE-13 AP-INSTR-12",
    because="The bridge drops the search and answers with nothing.",
    remedy="Search over HTTP as over the WebSocket.",
)
class SearchNotOverHttp(Policy):
    def request(self, filters: Sequence[Filter], surface: str) -> Sequence[Filter]:
        over_http = surface == surfaces.HTTP_QUERY
        return [one for one in filters if one.search is None or not over_http]


@rogue(
    "search-of-the-first-filter",
    turns_red="AP-SEARCH-07",
    because="It passes the first filter on to its index.",
    remedy="Search for every filter of a question, and give each match once.",
)
class SearchOfTheFirstFilter(Policy):
    def request(self, filters: Sequence[Filter], surface: str) -> Sequence[Filter]:
        return filters[:1] if any(one.search is not None for one in filters) else filters


@rogue(
    "search-among-all-kinds",
    turns_red="AP-SEARCH-09",
    because="It takes an empty list of kinds for no condition.",
    remedy="Answer a search whose list of kinds is empty with EOSE alone.",
)
class SearchAmongAllKinds(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(kinds=None) if one.search and one.kinds == () else one
