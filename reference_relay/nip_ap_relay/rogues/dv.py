"""Rogues of what is told of hidden direct messages."""

from __future__ import annotations

from collections.abc import Sequence

from nip_ap.nostr import Event
from nip_ap.nostr.direct_message import HIDDEN_DIRECT_MESSAGES
from nip_ap_relay import surfaces
from nip_ap_relay.policy import Policy
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row


@rogue(
    "dv-last-change-only",
    turns_red="AP-DV-02",
    blinds="AP-DV-03",
    because="It tells what was hidden just now, and calls that the state.",
    remedy="Name all that the viewer has hidden in each kind 30622.",
)
class DvLastChangeOnly(Policy):
    def listed_as_hidden(self, hidden: Sequence[str], changed: str) -> Sequence[str]:
        return [one for one in hidden if one == changed]


@rogue(
    "dv-named-twice",
    turns_red="AP-DV-01",
    because="It names a channel for each of its people, and so the same one more than once.",
    remedy="Name each hidden channel once in a kind 30622.",
)
class DvHiddenTwice(Policy):
    def listed_as_hidden(self, hidden: Sequence[str], changed: str) -> Sequence[str]:
        return [*hidden, *hidden]


@rogue(
    "dv-opening-not-told",
    turns_red="AP-DV-03 AP-DV-04",
    because="It tells what is hidden when something is hidden, and not when it is opened again.",
    remedy="Publish a new kind 30622 after a kind 41010 that shows what was hidden.",
)
class DvOpeningNotTold(Policy):
    def tells_of_reopening(self) -> bool:
        return False


@rogue(
    "dv-same-second",
    turns_red="AP-DV-04",
    by_chance="AP-DV-02 AP-DV-03 AP-DV-09",
    because="It dates a snapshot by the clock, so that in one second the lower id wins.",
    remedy="Date each kind 30622 at least a second after the one that it replaces.",
)
class DvSameSecond(Policy):
    def snapshot_time(self, now: int, previous: int) -> int:
        return now


@rogue(
    "dv-one-for-all",
    turns_red="AP-DV-05",
    blinds="AP-DV-07 AP-DV-09",
    because="It keeps one event for the relay's key and kind, so that viewers replace each other.",
    remedy="Key a kind 30622 by its `d` tag, the viewer.",
)
class DvOneForAll(Policy):
    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(kind, pubkey, "" if kind == HIDDEN_DIRECT_MESSAGES else slug)


@rogue(
    "dv-hidden-from-all",
    turns_red="AP-DV-05",
    because="It hides the channel, not a viewer's sight of it.",
    remedy="Keep what is hidden for each viewer.",
)
class DvHiddenFromAll(Policy):
    def viewers_hidden_from(self, viewer: str, people: Sequence[str]) -> Sequence[str]:
        return people


@rogue(
    "dv-hiding-leaves",
    turns_red="AP-DV-06",
    because="It takes hiding for leaving.",
    remedy="Leave who hides a direct message a member of it.",
)
class DvHidingLeaves(Policy):
    def hiding_leaves(self) -> bool:
        return True


class _Leak(Policy):
    """Lets snapshots out at some surfaces; the question itself is refused as it should be."""

    leaks: frozenset[str] = frozenset()

    def may_read_addressed(self, row: Row, reader: str | None, surface: str) -> bool:
        leaked = row.kind == HIDDEN_DIRECT_MESSAGES and surface in self.leaks
        return leaked or super().may_read_addressed(row, reader, surface)


@rogue(
    "dv-leaks-by-id",
    turns_red="AP-DV-07",
    because="It refuses filters that name the kind, and serves the event to who knows its id.",
    remedy="Ask for whom a kind 30622 is, also where it is asked for by its id.",
)
class DvLeaksById(_Leak):
    leaks = frozenset((surfaces.IDS,))


@rogue(
    "dv-leaks-over-http",
    turns_red="AP-DV-07",
    because="The bridge reads the database by itself.",
    remedy="Route HTTP queries through the same rule as REQ.",
)
class DvLeaksOverHttp(_Leak):
    leaks = frozenset((surfaces.HTTP_QUERY,))


@rogue(
    "dv-leaks-in-count",
    turns_red="AP-DV-07",
    because="COUNT runs in the database, below the rule.",
    remedy="Count only what the same reader would get from a REQ.",
)
class DvLeaksInCount(_Leak):
    leaks = frozenset((surfaces.COUNT, surfaces.HTTP_COUNT))


@rogue(
    "dv-leaks-live",
    turns_red="AP-DV-09",
    because="Its fan-out matches filters and does not ask for whom the event is.",
    remedy="Ask for whom a kind 30622 is for each subscriber.",
)
class DvLeaksLive(_Leak):
    leaks = frozenset((surfaces.LIVE,))


@rogue(
    "dv-not-live",
    turns_red="AP-DV-09",
    because="It stores what is hidden and tells it to those who ask.",
    remedy="Deliver kind 30622 to the open subscriptions of its viewer.",
)
class DvNotLive(Policy):
    def delivers_live(self, event: Event) -> bool:
        return event.kind != HIDDEN_DIRECT_MESSAGES


@rogue(
    "dv-asked-for-by-id",
    turns_red="AP-DV-08",
    because="It lets every private kind be asked for by id, and answers with nothing.",
    remedy="Refuse a filter for kind 30622 without `#p` of its reader, also where it has `ids`.",
)
class DvAskedForById(Policy):
    def never_asked_for_by_id(self) -> frozenset[int]:
        return frozenset()
