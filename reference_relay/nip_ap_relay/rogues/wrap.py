"""Rogues of gift wraps."""

from __future__ import annotations

from collections.abc import Iterable

from nip_ap.nostr import Event, Filter
from nip_ap.nostr.gift_wrap import EPHEMERAL_GIFT_WRAP, GIFT_WRAP
from nip_ap_relay import surfaces
from nip_ap_relay.policy import Caller, Policy
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row


@rogue(
    "wrap-author-must-be-caller",
    turns_red="AP-WRAP-01",
    blinds="AP-WRAP-02 AP-WRAP-03 AP-WRAP-04 AP-WRAP-05 AP-WRAP-06 AP-WRAP-08",
    because="It wants every event signed by the key that authenticated, a wrap's one-time key too.",
    remedy="Exempt kind 1059 from the rule that the author is who authenticated.",
)
class WrapAuthorMustBeCaller(Policy):
    def has_a_one_time_author(self, kind: int) -> bool:
        return False


@rogue(
    "wrap-not-live",
    turns_red="AP-WRAP-02",
    blinds="AP-WRAP-05",
    because="Its fan-out skips private kinds altogether.",
    remedy="Deliver a wrap to the open subscriptions of its addressee.",
)
class WrapNotLive(Policy):
    def delivers_live(self, event: Event) -> bool:
        return event.kind != GIFT_WRAP


class _Leak(Policy):
    """Lets wraps out at some surfaces; the question itself is refused as it should be."""

    leaks: frozenset[str] = frozenset()

    def may_read_addressed(self, row: Row, reader: str | None, surface: str) -> bool:
        leaked = row.kind in (GIFT_WRAP, EPHEMERAL_GIFT_WRAP) and surface in self.leaks
        return leaked or super().may_read_addressed(row, reader, surface)


@rogue(
    "wrap-leaks-by-id",
    turns_red="AP-WRAP-03",
    because="It takes an id for a capability, a wrap's too.",
    remedy="Ask for whom a wrap is before you serve it, also by its id.",
)
class WrapLeaksById(_Leak):
    leaks = frozenset((surfaces.IDS,))


@rogue(
    "wrap-leaks-in-other-filters",
    turns_red="AP-WRAP-03",
    because="It judges filters that name the kind, and lets every other filter find wraps.",
    remedy="Apply the rule to each event, not to the filter that found it.",
)
class WrapLeaksInOtherFilters(_Leak):
    leaks = frozenset((surfaces.REQ, surfaces.MIXED))


@rogue(
    "wrap-leaks-over-http",
    turns_red="AP-WRAP-03",
    because="The bridge reads the database by itself, wraps included.",
    remedy="Route HTTP queries through the same rule as REQ.",
)
class WrapLeaksOverHttp(_Leak):
    leaks = frozenset((surfaces.HTTP_QUERY,))


@rogue(
    "wrap-leaks-in-count",
    turns_red="AP-WRAP-04",
    because="COUNT runs in the database, below the rule.",
    remedy="Count only what the same reader would get from a REQ.",
)
class WrapLeaksInCount(_Leak):
    leaks = frozenset((surfaces.COUNT, surfaces.HTTP_COUNT))


@rogue(
    "wrap-leaks-live",
    turns_red="AP-WRAP-05 AP-WRAP-09",
    because="Its fan-out matches filters and does not ask for whom a wrap is.",
    remedy="Ask for whom a wrap is for each subscriber.",
)
class WrapLeaksLive(_Leak):
    leaks = frozenset((surfaces.LIVE,))


@rogue(
    "wrap-question-answered-with-nothing",
    turns_red="AP-DV-08 AP-WRAP-06",
    because="It withholds wraps one by one, and answers any question about them with what is left.",
    remedy="Refuse a filter for kind 1059 whose `#p` is not its reader alone.",
)
class WrapQuestionAnsweredWithNothing(Policy):
    def private_read_refusal(self, filters: Iterable[Filter], caller: Caller) -> str | None:
        return None


@rogue(
    "wrap-reader-among-others",
    turns_red="AP-WRAP-06",
    because="It looks whether `#p` holds the reader, and not whether it holds others too.",
    remedy="Take `#p` with one value, the reader's own key.",
)
class WrapReaderAmongOthers(Policy):
    def asks_for_its_own(self, one: Filter, reader: str | None) -> bool:
        return reader in one.tags.get("p", ()) or super().asks_for_its_own(one, reader)


@rogue(
    "wrap-over-http",
    turns_red="AP-WRAP-07",
    because="The bridge takes what the WebSocket takes.",
    remedy="Refuse kind 1059 over HTTP, where the request names its sender.",
)
class WrapOverHttp(Policy):
    def objection_at_the_bridge(self, event: Event) -> str | None:
        return None


@rogue(
    "wrap-in-the-index",
    turns_red="AP-WRAP-08",
    because="It indexes the words of every event that it stores.",
    remedy="Leave private kinds out of the search index.",
)
class WrapInTheIndex(Policy):
    def never_searched(self) -> frozenset[int]:
        return super().never_searched() - {GIFT_WRAP}


@rogue(
    "ephemeral-wrap-kept",
    turns_red="AP-WRAP-09",
    because="It stores whatever it delivers.",
    remedy="Do not store kinds from 20000 to 29999.",
)
class EphemeralWrapKept(Policy):
    def passes_through(self, event: Event) -> bool:
        return event.kind != EPHEMERAL_GIFT_WRAP and super().passes_through(event)
