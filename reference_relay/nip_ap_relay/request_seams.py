"""The seams of a request as a whole: its filters side by side, its id, and when it takes effect."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nip_ap.nostr import Filter
from nip_ap_relay.rehearsable import answers_show, only_a_run_shows
from nip_ap_relay.store import Row, Store


class RequestSeams:
    """What the relay does with a REQ or COUNT beyond each filter alone."""

    @answers_show
    def request(self, filters: Sequence[Filter], surface: str) -> Sequence[Filter]:
        """The filters of a request for stored events or their number: as they were written."""
        return filters

    @answers_show
    def lets_in(
        self, row: Row, one: Filter, place: int, reader: str | None, surface: str, store: Store
    ) -> bool:
        """Whether a filter, the request's first being place 0, is excepted from the gate."""
        return False

    @answers_show
    def rows_searched(self, one: Filter) -> str:
        """Which rows a filter is held against, in SQL: the live ones."""
        return "gone = 0"

    @answers_show
    def total(self, numbers: Sequence[set[int]]) -> int:
        """What COUNT makes of the rows of its filters: each counts once."""
        return len(set().union(*numbers))

    @answers_show
    def live_filters(self, filters: Sequence[Filter]) -> Sequence[Filter]:
        """The filters by which an open subscription is served: all of them."""
        return filters

    @answers_show
    def copies_for(self, matching: int) -> int:
        """How often an event goes to a subscription of which so many filters match: once."""
        return 1

    @answers_show
    def takes_up(self, identifier: str, closed: Collection[str]) -> bool:
        """Whether a subscription becomes live; `closed` are ids closed on this connection."""
        return True

    @only_a_run_shows()
    def registers_after(self) -> float:
        """Seconds between a stored answer and live delivery: none, nothing falls between."""
        return 0.0

    @only_a_run_shows()
    def visible_by_now(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        """What was accepted is in the next answer."""
        return rows
