"""Rogues that leave the sharing gate open for filters of one shape."""

from __future__ import annotations

import json
import time
from collections import Counter

from nip_ap.nostr import PERSONA, Event, Filter
from nip_ap_relay import surfaces
from nip_ap_relay.policy import Policy
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row, Store

_STORED = (surfaces.REQ, surfaces.MIXED, surfaces.IDS)


def _conditions(one: Filter) -> set[str]:
    """The names of the conditions that a filter has, tags with their sign."""
    plain = ("ids", "authors", "kinds", "since", "until", "limit")
    return {name for name in plain if getattr(one, name) is not None} | {f"#{t}" for t in one.tags}


class _Leak(Policy):
    """A relay with an exception from the gate, for personas."""

    def lets_in(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return row.kind == PERSONA and self.leaks(row, one, place, reader, surface, store)

    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        """Whether this is where the gate stands open."""
        return False


@rogue(
    "gate-off-by-tag",
    turns_red="AP-GATE-15",
    by_chance="AP-READ-18",
    because="It answers tags from their index, which knows nothing of the gate.",
    remedy="Apply the gate to what the index of tags finds.",
)
class GateOffByTag(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and bool({"#t", "#p"} & _conditions(one))


@rogue(
    "gate-off-since-alone",
    turns_red="AP-GATE-15",
    because="It catches up clients by date, a path of its own without the gate.",
    remedy="Apply the gate to queries by date too.",
)
class GateOffSinceAlone(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and _conditions(one) == {"since"}


@rogue(
    "gate-off-ids-with-authors",
    turns_red="AP-GATE-15",
    because="It gates ids and it gates authors, each in a branch of its own.",
    remedy="Apply the gate to each event, whatever conditions found it.",
)
class GateOffIdsWithAuthors(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and {"ids", "authors"} <= _conditions(one)


@rogue(
    "gate-off-several-authors",
    turns_red="AP-GATE-15",
    by_chance="AP-READ-18",
    because="It asks whether the reader is the author, and not where there are several.",
    remedy="Compare the reader with the author of each event, not with the filter.",
)
class GateOffSeveralAuthors(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and len(one.authors or ()) > 1


@rogue(
    "gate-off-second-filter",
    turns_red="AP-GATE-15",
    by_chance="AP-READ-18",
    because="It gates the first filter of a request and appends what the others find.",
    remedy="Apply the gate to what each filter of a request finds.",
)
class GateOffSecondFilter(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and place > 0


@rogue(
    "gate-off-count-with-limit",
    turns_red="AP-GATE-15",
    because="A COUNT with a limit goes to the database as a subquery, below the gate.",
    remedy="Apply the gate inside the counted query, before its limit.",
)
class GateOffCountWithLimit(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface == surfaces.COUNT and one.limit is not None


@rogue(
    "gate-off-live-without-kinds",
    turns_red="AP-GATE-15",
    because="It looks at the gate where a subscription names the persona's kind.",
    remedy="Apply the gate to each live event by its own kind, not by the filter's.",
)
class GateOffLiveWithoutKinds(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface == surfaces.LIVE and one.kinds is None


@rogue(
    "gate-off-second-version",
    turns_red="AP-GATE-10 AP-GATE-15",
    because="It notes who may read when an address is made, and not when it is replaced.",
    remedy="Decide by the tags of the head, anew for each version.",
)
class GateOffSecondVersion(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        found = store.select("address = ? AND gone = 1", (row.address,))
        return surface in _STORED and next(found, None) is not None


@rogue(
    "gate-off-for-owners",
    turns_red="AP-GATE-15",
    by_chance="AP-READ-18",
    because="It takes whoever has personas for somebody who may read them.",
    remedy="Compare the reader with the author of the very persona.",
)
class GateOffForOwners(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        found = store.select("pubkey = ? AND kind = ? AND gone = 0", (reader, PERSONA))
        return surface in _STORED and next(found, None) is not None


@rogue(
    "gate-off-after-unsharing",
    turns_red="AP-GATE-10 AP-GATE-15",
    because="It remembers that an address was shared, and lets in whoever could read it before.",
    remedy="Decide by the head alone, and forget what an earlier version allowed.",
)
class GateOffAfterUnsharing(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        found = store.select("address = ? AND gone = 1 AND readers IS NULL", (row.address,))
        return surface in _STORED and next(found, None) is not None


@rogue(
    "gate-off-after-resend",
    turns_red="AP-GATE-15",
    because="It treats an event that comes again as one that everybody has.",
    remedy="Apply the gate to events that are sent again as to all others.",
)
class GateOffAfterResend(_Leak):
    def __init__(self, spec: str = "2026-11") -> None:
        super().__init__(spec)
        self._resent: set[str] = set()

    def answer_to_duplicate(self, event: Event) -> tuple[bool, str]:
        self._resent.add(event.id)
        return super().answer_to_duplicate(event)

    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and row.id in self._resent


@rogue(
    "gate-off-http-count-by-tag",
    turns_red="AP-GATE-15",
    because="Its `/count` asks the index of tags for a number.",
    remedy="Count what the same reader would get from a query.",
)
class GateOffHttpCountByTag(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface == surfaces.HTTP_COUNT and bool({"#t", "#p"} & _conditions(one))


@rogue(
    "gate-off-search-by-author",
    turns_red="AP-GATE-15",
    because="It gates what a search finds, unless an author is named too.",
    remedy="Apply the gate to the results of a search, whatever else the filter names.",
)
class GateOffSearchByAuthor(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface == surfaces.SEARCH and one.authors is not None


@rogue(
    "gate-off-second-connection",
    turns_red="AP-GATE-15",
    because="It checks a key when it first authenticates, and not on later connections.",
    remedy="Apply the gate on every connection, by the key that is authenticated there.",
)
class GateOffSecondConnection(_Leak):
    def __init__(self, spec: str = "2026-11") -> None:
        super().__init__(spec)
        self._authenticated: Counter[str] = Counter()

    def auth_event_is_sound(self, event: Event) -> bool:
        self._authenticated[event.pubkey] += 1
        return super().auth_event_is_sound(event)

    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and self._authenticated[reader or ""] > 1


@rogue(
    "gate-off-limit-one",
    turns_red="AP-GATE-15",
    because="It answers a limit of one from a table of heads, which knows nothing of the gate.",
    remedy="Apply the gate on the short way to the newest event too.",
)
class GateOffLimitOne(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and one.limit == 1


@rogue(
    "gate-off-third-filter",
    turns_red="AP-GATE-15",
    because="It joins two filters into one query with the gate, and appends the others.",
    remedy="Apply the gate to what each filter of a request finds.",
)
class GateOffThirdFilter(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and place > 1


@rogue(
    "gate-off-large-content",
    turns_red="AP-GATE-15",
    because="It keeps large events in a store of blobs, and gates what is in the table.",
    remedy="Apply the gate to each event, wherever its content is kept.",
)
class GateOffLargeContent(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and len(row.raw) > 5_000


@rogue(
    "gate-off-content-not-json",
    turns_red="AP-GATE-15",
    because="It looks at the gate when it reads a persona, and what it cannot read is none to it.",
    remedy="Gate by kind and tags; content is opaque.",
)
class GateOffContentNotJson(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        if surface not in _STORED:
            return False
        try:
            json.loads(json.loads(row.raw)["content"])
        except ValueError:
            return True
        return False


@rogue(
    "gate-off-yesterday",
    turns_red="AP-GATE-15",
    because="It moves what is some minutes old to an archive that is read without the gate.",
    remedy="Apply the gate to what comes from an archive too.",
)
class GateOffYesterday(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and row.created_at < time.time() - 300


@rogue(
    "gate-off-slug-alone",
    turns_red="AP-GATE-15",
    because="It looks up slugs in an index of their own, which knows nothing of the gate.",
    remedy="Apply the gate to what the index of slugs finds.",
)
class GateOffSlugAlone(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and _conditions(one) <= {"#d", "limit"}


@rogue(
    "gate-off-above-32-kb",
    turns_red="AP-GATE-15",
    because="It keeps what is very large in a store of blobs, and gates what is in the table.",
    remedy="Apply the gate to each event, wherever its content is kept.",
)
class GateOffAbove32Kb(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and len(row.raw) > 32_768


@rogue(
    "gate-off-upper-case-tags",
    turns_red="AP-GATE-15",
    because="It added an index of upper-case tags later, and not the gate.",
    remedy="Apply the gate to what every index of tags finds.",
)
class GateOffUpperCaseTags(_Leak):
    def leaks(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        return surface in _STORED and any(name.isupper() for name in one.tags)
