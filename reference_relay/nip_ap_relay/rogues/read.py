"""Rogues of filters and subscriptions.

Longer than most modules: a list of small deviations, each a class that nothing else needs.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import orjson

from nip_ap.nostr import PERSONA, Event, Filter
from nip_ap_relay.policy import NOVEMBER, Caller, Policy
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row, Store


@rogue(
    "eose-missing",
    turns_red="AP-READ-01",
    blinds=(
        "AP-CAT-08 AP-GATE-15 AP-INSTR-07 AP-READ-18 AP-READ-19 AP-REPL-02 AP-REPL-03 "
        "AP-REPL-10 AP-REPL-14 AP-SEARCH-05 AP-SLUG-13"
    ),
    because="It ends its loop at the limit and skips the line after the loop.",
    remedy="Send EOSE after the stored events in every case, the limit included.",
)
class EoseMissing(Policy):
    def ends_stored_events(self, rows: list[Row], filters: Sequence[Filter]) -> bool:
        return not (len(rows) == 1 and any(one.limit == 1 for one in filters))


@rogue(
    "list-capped-at-100",
    turns_red="AP-READ-02",
    because="It applies a default page size where the filter has no limit.",
    remedy="Return up to `max_limit` events where the filter has no limit, and announce it.",
)
class ListCappedAt100(Policy):
    def row_limit(self, one: Filter) -> int:
        return 100 if one.limit is None else super().row_limit(one)


def _without_tag(one: Filter, name: str) -> Filter:
    return one.changed(tags={key: value for key, value in one.tags.items() if key != name})


@rogue(
    "d-filter-ignored",
    turns_red=(
        "AP-CAT-06 AP-CAT-11 AP-DM-10 AP-ENV-08 AP-READ-03 AP-READ-09 AP-REPL-10 "
        "AP-SLUG-11 AP-SLUG-12 AP-SLUG-13 AP-TEAM-04"
    ),
    blinds="AP-CAT-05",
    by_chance="AP-CAT-08 AP-GATE-15 AP-HTTP-06 AP-READ-17 AP-READ-18 AP-READ-21",
    because="It indexes only `e` and `p` tags and ignores other conditions.",
    remedy="Index the values of every single-letter tag, or check them after the index.",
)
class DFilterIgnored(Policy):
    def understood(self, one: Filter) -> Filter:
        return _without_tag(one, "d")


@rogue(
    "d-filter-prefix",
    turns_red="AP-READ-03 AP-SCOPE-07 AP-SLUG-11 AP-SLUG-12 AP-TEAM-07",
    by_chance="AP-HTTP-06 AP-READ-17 AP-READ-18 AP-READ-21",
    because="It answers tag filters by a prefix scan.",
    remedy="Compare tag values for equality.",
)
class DFilterPrefix(Policy):
    def tag_comparison(self) -> Callable[[str, str], bool]:
        return str.startswith


@rogue(
    "d-filter-first-value-only",
    turns_red="AP-ENV-06 AP-READ-03 AP-SLUG-12",
    by_chance="AP-HTTP-06 AP-READ-17 AP-READ-18 AP-READ-20 AP-READ-21",
    because="Its fast path for one author and one kind looks up a single value.",
    remedy="Look up each value of `#d`, not only the first.",
)
class DFilterFirstValueOnly(Policy):
    def understood(self, one: Filter) -> Filter:
        tags = {name: tuple(sorted(values))[:1] for name, values in one.tags.items()}
        return one.changed(tags=tags)


@rogue(
    "authors-filter-ignored",
    turns_red="AP-READ-04 AP-SLUG-11 AP-SLUG-12 AP-TEAM-02",
    by_chance="AP-GATE-15 AP-HTTP-06 AP-READ-17 AP-READ-18 AP-READ-21",
    because="Where a filter names `d` it takes the tag index and checks nothing else.",
    remedy="Check every condition of the filter after the index has found candidates.",
)
class AuthorsFilterIgnored(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(authors=None) if "d" in one.tags else one


@rogue(
    "ids-filter-ignored",
    turns_red=(
        "AP-DEL-13 AP-DV-07 AP-INSTR-16 AP-READ-05 AP-READ-09 AP-ROB-04 AP-SLUG-13 AP-WRAP-04"
    ),
    by_chance="AP-CAT-08 AP-GATE-15 AP-HTTP-06 AP-READ-17 AP-READ-18 AP-READ-21",
    blinds="AP-CAT-12 AP-GATE-11 AP-INSTR-01 AP-INSTR-11",
    because="It prefers the author index and drops the condition on ids.",
    remedy="Check `ids` together with all other conditions of the filter.",
)
class IdsFilterIgnored(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(ids=None)


@rogue(
    "since-exclusive",
    turns_red="AP-READ-06 AP-SEARCH-05",
    blinds="AP-GATE-15",
    by_chance="AP-HTTP-06 AP-READ-17 AP-READ-18 AP-READ-21",
    because="It writes > for >=.",
    remedy="Compare `created_at >= since`.",
)
class SinceExclusive(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(since=None if one.since is None else one.since + 1)


@rogue(
    "until-exclusive",
    turns_red="AP-INSTR-13 AP-INSTR-14 AP-READ-06 AP-SEARCH-05",
    by_chance="AP-HTTP-06 AP-READ-17 AP-READ-18 AP-READ-21",
    because="It writes < for <=.",
    remedy="Compare `created_at <= until`.",
)
class UntilExclusive(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(until=None if one.until is None else one.until - 1)


@rogue(
    "since-ignored",
    turns_red="AP-READ-06 AP-SEARCH-05",
    by_chance="AP-CAT-08 AP-GATE-15 AP-HTTP-06 AP-READ-17 AP-READ-18 AP-READ-21",
    because="It reads `until` and forgets `since`.",
    remedy="Apply `since` as well as `until`.",
)
class SinceIgnored(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(since=None)


@rogue(
    "limit-gives-oldest",
    turns_red="AP-INSTR-07 AP-INSTR-13 AP-READ-07 AP-READ-15",
    by_chance="AP-HTTP-06 AP-READ-18",
    because="It cuts before it sorts.",
    remedy="Sort newest first, and apply the limit after that.",
)
class LimitGivesOldest(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        return sorted(rows, key=lambda row: row.order)

    def newest_first(self) -> bool:
        return False


@rogue(
    "order-oldest-first",
    turns_red="AP-INSTR-13 AP-READ-15",
    because="It returns events in the order in which it stored them.",
    remedy="Sort by `created_at`, newest first.",
)
class OrderOldestFirst(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        return rows[::-1]


@rogue(
    "tie-order-arbitrary",
    turns_red="AP-INSTR-13 AP-READ-15",
    because="It sorts by created_at alone.",
    remedy="Sort events of the same second by id, the lowest first.",
)
class TieOrderArbitrary(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        return sorted(rows, key=lambda row: (-row.created_at, row.id[::-1]))


@rogue(
    "limit-zero-is-unlimited",
    turns_red="AP-READ-08",
    by_chance="AP-HTTP-06 AP-READ-18",
    because="It takes 0 for the absence of a limit.",
    remedy="Return no stored event for `limit: 0`.",
)
class LimitZeroIsUnlimited(Policy):
    def row_limit(self, one: Filter) -> int:
        return super().row_limit(one) or self.largest_limit


@rogue(
    "filters-anded",
    turns_red="AP-INFO-03 AP-READ-09 AP-SEARCH-07",
    by_chance="AP-HTTP-06 AP-READ-17",
    blinds="AP-HTTP-02",
    because="It joins the filters of a REQ with AND.",
    remedy="Return what matches any of the filters.",
)
class FiltersAnded(Policy):
    def combines_filters_by_or(self) -> bool:
        return False


@rogue(
    "filters-repeat-events",
    turns_red="AP-READ-16 AP-SEARCH-07",
    because="It runs one query a filter and sends what each finds.",
    remedy="Return each event once per REQ, however many filters match it.",
)
class FiltersRepeatEvents(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        def hits(row: Row) -> Iterable[Row]:
            event = Event.from_json(orjson.loads(row.raw))
            return itertools.repeat(row, sum(one.matches(event) for one in filters))

        return [one for row in rows for one in hits(row)] if len(filters) > 1 else rows


@rogue(
    "no-live-delivery",
    turns_red=(
        "AP-CAT-09 AP-DEL-14 AP-GATE-08 AP-GATE-09 AP-GATE-32 AP-INFO-02 AP-INSTR-09 "
        "AP-INT-08 AP-READ-08 AP-READ-10 AP-READ-11 AP-ROB-05 AP-ROB-06 AP-SCOPE-06 "
        "AP-THREAD-11"
    ),
    by_chance=("AP-DM-05 AP-DM-08 AP-DV-06 AP-DV-09 AP-READ-19 AP-READ-20 AP-WRAP-02 AP-WRAP-09"),
    blinds=(
        "AP-CAT-08 AP-ENV-08 AP-GATE-05 AP-GATE-15 AP-GATE-33 AP-INSTR-16 AP-INT-05 "
        "AP-READ-14 AP-REPL-08 AP-SLUG-08 AP-THREAD-12 AP-WRAP-05"
    ),
    because="It answers queries and never looks at open subscriptions again.",
    remedy="Match each accepted event against the open subscriptions.",
)
class NoLiveDelivery(Policy):
    def delivers_live(self, event: Event) -> bool:
        return False


@rogue(
    "live-ignores-filter",
    turns_red="AP-READ-10",
    by_chance="AP-READ-19",
    because="It matches live events by kind and author and ignores tags.",
    remedy="Use the same filter matching for live events as for stored ones.",
)
class LiveIgnoresFilter(Policy):
    def live_match(self, one: Filter, event: Event) -> bool:
        return super().live_match(_without_tag(one, "d"), event)


@rogue(
    "duplicates-deliveries",
    turns_red="AP-INT-05 AP-READ-10 AP-ROB-06 AP-WRAP-02",
    blinds="AP-CAT-08 AP-GATE-15",
    by_chance="AP-READ-19 AP-READ-20",
    because="It delivers from its own queue and again from its database's notification.",
    remedy="Deliver each event to a subscription once, from one source.",
)
class DuplicatesDeliveries(Policy):
    def live_copies(self, event: Event) -> int:
        return 2


@rogue(
    "close-ignored",
    turns_red="AP-READ-11",
    # REPL-09 where its sequences take more subscriptions than there may be.
    by_chance="AP-READ-20 AP-REPL-09",
    because="It answers CLOSE and keeps the subscription.",
    remedy="Remove the subscription on CLOSE.",
)
class CloseIgnored(Policy):
    def close_ends(self) -> bool:
        return False


@rogue(
    "ok-before-store",
    turns_red="AP-ENV-06 AP-READ-02 AP-READ-12 AP-REPL-09 AP-ROB-04 AP-ROB-06",
    by_chance=(
        "AP-DEL-17 AP-HTTP-06 AP-INFO-01 AP-READ-21 AP-REPL-16 AP-ROB-05 AP-SLUG-11 AP-SLUG-12"
    ),
    because="It answers from memory and writes behind, a moment later, when a buffer is full.",
    remedy="Send OK after the event can be read.",
)
class OkBeforeStore(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._writes: Counter[str] = Counter()

    def stores_before_answering(self, event: Event) -> bool:
        self._writes[event.pubkey] += 1
        return self._writes[event.pubkey] % 29 != 0


@rogue(
    "count-counts-versions",
    turns_red=(
        "AP-CAT-12 AP-DM-07 AP-GATE-06 AP-GATE-07 AP-GATE-11 AP-GATE-30 AP-INSTR-10 "
        "AP-INSTR-11 AP-INSTR-16 AP-READ-13 AP-REPL-01 AP-WRAP-04"
    ),
    by_chance="AP-CAT-08 AP-DEL-17 AP-GATE-15",
    because="Its COUNT runs over the history table.",
    remedy="Count heads only.",
)
class CountCountsVersions(Policy):
    def count(self, rows: int, versions: int) -> int:
        return versions


@rogue(
    "search-mixes",
    turns_red="AP-READ-14",
    because="It ignores `search` where another filter of the REQ has none.",
    remedy="Apply `search` to its own filter, whatever the other filters of the REQ are.",
)
class SearchMixes(Policy):
    def mixes_search(self, filters: Iterable[Filter]) -> bool:
        return False


@rogue(
    "search-stays-live",
    turns_red="AP-READ-14",
    because="It registers every REQ for live delivery, searches too.",
    remedy="Do not register a REQ with `search` for live delivery.",
)
class SearchStaysLive(Policy):
    def keeps_search_open(self) -> bool:
        return True


@rogue(
    "live-on-one-subscription",
    turns_red="AP-INFO-02 AP-READ-10",
    by_chance="AP-READ-19 AP-READ-20",
    blinds="AP-GATE-05 AP-INSTR-09 AP-WRAP-05 AP-WRAP-09",
    because="It sends an event to each connection once, and thinks of one subscription there.",
    remedy="Deliver an event to every subscription that it matches, also on one connection.",
)
class LiveOnOneSubscription(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._sent: set[tuple[int, str]] = set()

    def gets_live(self, subscriber: object, event: Event) -> bool:
        sent = (id(subscriber), event.id)
        first = sent not in self._sent
        self._sent.add(sent)
        return first


@rogue(
    "nothing-live-with-since",
    turns_red="AP-READ-10 AP-ROB-06",
    by_chance="AP-READ-19",
    blinds="AP-GATE-05 AP-INSTR-09",
    because="It takes a filter with `since` for a question about the past.",
    remedy="Keep a subscription with `since` open for live events.",
)
class NothingLiveWithSince(Policy):
    def live_match(self, one: Filter, event: Event) -> bool:
        return one.since is None and super().live_match(one, event)


@rogue(
    "nothing-live-with-limit",
    turns_red="AP-READ-10",
    by_chance="AP-READ-19",
    blinds="AP-GATE-05 AP-INSTR-09",
    because="It takes a filter with a `limit` for a question that is answered once.",
    remedy="Keep a subscription with a `limit` open for live events.",
)
class NothingLiveWithLimit(Policy):
    def live_match(self, one: Filter, event: Event) -> bool:
        return not one.limit and super().live_match(one, event)


@rogue(
    "nothing-live-with-several-kinds",
    turns_red="AP-DEL-14 AP-READ-10",
    by_chance="AP-READ-19 AP-READ-20",
    blinds="AP-GATE-05 AP-INSTR-09 AP-INSTR-16 AP-SCOPE-06",
    because="It files subscriptions by their first kind.",
    remedy="Match live events against each kind of the filter.",
)
class NothingLiveWithSeveralKinds(Policy):
    def live_match(self, one: Filter, event: Event) -> bool:
        return event.kind in (one.kinds or (event.kind,))[:1] and super().live_match(one, event)


@rogue(
    "live-ends-at-the-limit",
    turns_red="AP-READ-10",
    by_chance="AP-READ-19",
    because="It counts what it delivers live against the `limit` of the filter.",
    remedy="Apply `limit` to stored events only.",
)
class LiveEndsAtTheLimit(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._delivered: Counter[int] = Counter()

    def live_match(self, one: Filter, event: Event) -> bool:
        matches = super().live_match(one, event)
        if not (matches and one.limit):
            return matches
        self._delivered[id(one)] += 1
        return self._delivered[id(one)] <= one.limit


class _RefusesAQuestion(Policy):
    """Closes what asks for personas in a way that it has no index for."""

    def has_no_index_for(self, one: Filter) -> bool:
        raise NotImplementedError

    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        asked = tuple(filters)
        if any(PERSONA in (one.kinds or ()) and self.has_no_index_for(one) for one in asked):
            return "unsupported: there is no index for this filter"
        return super().read_refusal(asked, caller, store)


@rogue(
    "bounds-refused",
    turns_red="AP-READ-06",
    blinds=(
        "AP-ENV-08 AP-GATE-03 AP-GATE-05 AP-GATE-07 AP-GATE-08 AP-GATE-15 AP-HTTP-02 "
        "AP-INSTR-09 AP-READ-10 AP-ROB-06"
    ),
    by_chance="AP-GATE-15",
    because="It closes what has a since or an until: its store is not sorted by time.",
    remedy="Answer filters with `since` and `until`, by a scan where there is no index.",
)
class BoundsRefused(_RefusesAQuestion):
    def has_no_index_for(self, one: Filter) -> bool:
        return (one.since, one.until) != (None, None)


@rogue(
    "d-filter-refused",
    turns_red="AP-READ-01 AP-READ-03",
    blinds=(
        "AP-AUTH-02 AP-AUTH-03 AP-CAT-08 AP-DEL-01 AP-DEL-02 AP-DEL-03 AP-DEL-04 AP-DEL-05 "
        "AP-DEL-06 AP-DEL-07 AP-DEL-10 AP-DEL-11 AP-DEL-12 AP-DEL-13 AP-DEL-15 AP-DEL-16 "
        "AP-ENV-04 AP-ENV-05 AP-ENV-06 AP-ENV-07 AP-ENV-08 AP-GATE-01 AP-GATE-03 AP-GATE-05 "
        "AP-GATE-08 AP-GATE-10 AP-GATE-11 AP-GATE-15 AP-INFO-03 AP-INFO-05 AP-INFO-06 "
        "AP-INT-08 AP-READ-04 AP-READ-09 AP-READ-10 AP-READ-12 AP-READ-16 AP-READ-19 "
        "AP-READ-20 AP-REPL-01 AP-REPL-02 AP-REPL-03 AP-REPL-04 AP-REPL-05 AP-REPL-06 "
        "AP-REPL-07 AP-REPL-09 AP-REPL-10 AP-REPL-11 AP-REPL-12 AP-REPL-14 AP-REPL-20 "
        "AP-ROB-01 AP-ROB-02 AP-ROB-03 AP-ROB-05 AP-ROB-06 AP-ROB-07 AP-SCOPE-01 AP-SCOPE-02 "
        "AP-SCOPE-03 AP-SCOPE-04 AP-SCOPE-05 AP-SLUG-01 AP-SLUG-04 AP-SLUG-05 AP-SLUG-07 "
        "AP-SLUG-08 AP-SLUG-11 AP-SLUG-12 AP-SLUG-13"
    ),
    by_chance="AP-CAT-08 AP-GATE-15 AP-READ-19 AP-READ-20 AP-REPL-09",
    because="It closes what asks by `#d`: its store knows events by author and kind.",
    remedy="Answer filters on `#d`; a persona is looked up by its address.",
)
class DFilterRefused(_RefusesAQuestion):
    def has_no_index_for(self, one: Filter) -> bool:
        return "d" in one.tags


@rogue(
    "ids-filter-refused",
    turns_red="AP-READ-05",
    blinds=(
        "AP-DEL-01 AP-DEL-13 AP-ENV-01 AP-ENV-02 AP-ENV-03 AP-ENV-09 AP-ENV-11 AP-ENV-12 "
        "AP-GATE-02 AP-GATE-04 AP-GATE-06 AP-GATE-07 AP-GATE-08 AP-GATE-10 AP-GATE-11 "
        "AP-GATE-15 AP-HTTP-02 AP-INT-01 AP-INT-02 AP-INT-03 AP-READ-09 AP-READ-16 "
        "AP-REPL-07 AP-ROB-04 AP-SLUG-02 AP-SLUG-03 AP-SLUG-04 AP-SLUG-05 AP-SLUG-06 "
        "AP-SLUG-07 AP-SLUG-08 AP-SLUG-13"
    ),
    by_chance="AP-GATE-15",
    because="It closes what asks by ids: its store knows addressable events by address alone.",
    remedy="Answer filters on `ids` for addressable events too.",
)
class IdsFilterRefused(_RefusesAQuestion):
    def has_no_index_for(self, one: Filter) -> bool:
        return one.ids is not None
