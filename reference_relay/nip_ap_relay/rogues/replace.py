"""Rogues of which version is the head."""

from __future__ import annotations

from collections.abc import Sequence

from nip_ap.nostr import PERSONA, Event, Filter, is_addressable
from nip_ap_relay.policy import NOVEMBER, Policy, Submission
from nip_ap_relay.rogues.declaring import ANYTHING, rogue
from nip_ap_relay.store import SUPERSEDED, Row, Store


@rogue(
    "keeps-all-versions",
    turns_red=(
        "AP-CAT-10 AP-CAT-14 AP-GATE-10 AP-READ-13 AP-REPL-01 AP-REPL-07 AP-REPL-10 "
        "AP-REPL-14 AP-TEAM-02"
    ),
    blinds="AP-PROFILE-06",
    by_chance="AP-CAT-08 AP-GATE-15 AP-PROFILE-01",
    because="It knows kind 30175 only as a number and stores it like a note.",
    remedy="Treat kinds 30000-39999 as addressable: keep one head per kind, author and `d`.",
)
class KeepsAllVersions(Policy):
    def retires(self, head: Row) -> bool:
        return False


@rogue(
    "first-write-wins",
    turns_red=(
        "AP-CAT-10 AP-CAT-14 AP-DEL-06 AP-GATE-08 AP-GATE-10 AP-REPL-01 AP-REPL-03 AP-REPL-07 "
        "AP-REPL-09 AP-REPL-10 AP-REPL-11 AP-REPL-14 AP-ROB-06 AP-TEAM-02"
    ),
    blinds="AP-PROFILE-06",
    by_chance=(
        "AP-CAT-08 AP-DEL-17 AP-DV-02 AP-DV-03 AP-DV-04 AP-DV-09 AP-GATE-15 "
        "AP-PROFILE-01 AP-PROFILE-03 AP-PROFILE-04 AP-READ-19 AP-REPL-16"
    ),
    because="It inserts with ON CONFLICT DO NOTHING on the address.",
    remedy="On conflict at an address, keep the newer version instead of doing nothing.",
)
class FirstWriteWins(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        return False


@rogue(
    "last-write-wins",
    turns_red=(
        "AP-CAT-14 AP-REPL-02 AP-REPL-03 AP-REPL-07 AP-REPL-08 AP-REPL-09 AP-REPL-10 AP-TEAM-02"
    ),
    by_chance="AP-PROFILE-01 AP-REPL-16",
    because="It replaces by arrival and never compares created_at.",
    remedy="Replace a head only by a newer `created_at`, or the lower id of the same second.",
)
class LastWriteWins(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        return True


@rogue(
    "tie-highest-id",
    turns_red="AP-REPL-03 AP-REPL-08 AP-REPL-09",
    by_chance="AP-REPL-16",
    because="It compares ids the wrong way round.",
    remedy="Of two versions of the same second, keep the one with the lowest id.",
)
class TieHighestId(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        return (incoming.created_at, incoming.id) > (head.created_at, head.id)


@rogue(
    "tie-last-write",
    turns_red="AP-REPL-03 AP-REPL-08 AP-REPL-09",
    by_chance="AP-REPL-16",
    because="It replaces where created_at is greater or equal.",
    remedy="Compare the ids where `created_at` is equal: the lowest id wins, whichever came last.",
)
class TieLastWrite(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        return incoming.created_at >= head.created_at


@rogue(
    "tie-first-write",
    turns_red="AP-REPL-03 AP-REPL-09",
    by_chance="AP-REPL-16",
    because="It replaces only where created_at is greater.",
    remedy="Compare the ids where `created_at` is equal: the lowest id wins, whichever came first.",
)
class TieFirstWrite(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        return incoming.created_at > head.created_at


@rogue(
    "key-ignores-author",
    turns_red="AP-READ-04 AP-READ-12 AP-REPL-04 AP-REPL-09",
    blinds="AP-DEL-03 AP-DEL-10 AP-READ-19 AP-READ-21",
    by_chance="AP-DEL-03 AP-DEL-17 AP-HTTP-06 AP-READ-18 AP-READ-20 AP-REPL-16",
    because="Its unique index is over kind and `d` alone.",
    remedy="Include the author in the unique key of an address.",
)
class KeyIgnoresAuthor(Policy):
    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(kind, "" if kind == PERSONA else pubkey, slug)


@rogue(
    "key-ignores-slug",
    turns_red=(
        "AP-ENV-08 AP-ENV-09 AP-ENV-11 AP-ENV-12 AP-INFO-01 AP-READ-03 AP-READ-05 AP-READ-06 "
        "AP-READ-07 AP-READ-09 AP-READ-15 AP-REPL-05 AP-REPL-09 AP-REPL-20 AP-ROB-06 "
        "AP-SLUG-11 AP-SLUG-12 AP-SLUG-13"
    ),
    by_chance=(
        "AP-DEL-17 AP-GATE-09 AP-READ-02 AP-READ-12 AP-READ-18 AP-REPL-16 AP-ROB-04 AP-ROB-07"
    ),
    blinds=ANYTHING,
    because="It treats the kind as replaceable rather than addressable.",
    remedy="Include the `d` tag in the key: kind 30175 is addressable.",
)
class KeyIgnoresSlug(Policy):
    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(kind, pubkey, "" if kind == PERSONA else slug)

    def supersedes(self, incoming: Event, head: Row) -> bool:
        return incoming.slug != head.slug or super().supersedes(incoming, head)


@rogue(
    "slug-prefix-match",
    turns_red="AP-READ-12 AP-REPL-05 AP-REPL-09 AP-SLUG-11 AP-SLUG-12",
    by_chance="AP-DEL-17 AP-HTTP-06 AP-READ-18 AP-REPL-16",
    blinds="AP-DEL-03 AP-READ-21",
    because="It scans its key-value store by prefix and replaces all that it finds.",
    remedy="Compare the whole `d` value, with a terminator in the key.",
)
class SlugPrefixMatch(Policy):
    def head_at(self, address: str, store: Store) -> Row | None:
        for length in range(address.rindex(":") + 2, len(address)):
            for row in store.rows_at(address[:length]):
                store.remove(row, SUPERSEDED)
        return super().head_at(address, store)


@rogue(
    "key-ignores-kind",
    turns_red="AP-DEL-15 AP-REPL-06",
    blinds="AP-DEL-12 AP-DM-03",
    by_chance="AP-DEL-12 AP-DEL-17 AP-HTTP-06 AP-READ-12 AP-READ-18 AP-READ-19 AP-REPL-16",
    because="Its unique index is over author and `d` alone.",
    remedy="Include the kind in the unique key of an address.",
)
class KeyIgnoresKind(Policy):
    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(PERSONA if is_addressable(kind) else kind, pubkey, slug)


@rogue(
    "superseded-in-list",
    turns_red=(
        "AP-CAT-10 AP-CAT-14 AP-GATE-10 AP-READ-13 AP-REPL-01 AP-REPL-07 AP-REPL-14 AP-TEAM-02"
    ),
    blinds="AP-PROFILE-06",
    by_chance="AP-CAT-08 AP-GATE-15 AP-HTTP-06 AP-PROFILE-01 AP-READ-17",
    because="It looks for heads only where a filter names `d`.",
    remedy="Return heads only, also where the filter names no `d`.",
)
class SupersededInList(Policy):
    def retires(self, head: Row) -> bool:
        return False

    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        if not all("d" in one.tags for one in filters):
            return rows
        heads: dict[str | None, Row] = {}
        for row in sorted(rows, key=lambda row: row.order):
            heads.setdefault(row.address, row)
        return [row for row in rows if heads[row.address] is row]


@rogue(
    "stale-fanned-out",
    turns_red="AP-REPL-08",
    because="It publishes to subscribers whatever the store made of the event.",
    remedy="Deliver live only what became the head.",
)
class StaleFannedOut(Policy):
    def delivers_although_stale(self, event: Event) -> bool:
        return True


@rogue(
    "replace-race",
    turns_red="AP-REPL-10",
    blinds="AP-ENV-12",
    because="It reads the head and writes the new one without a lock in between.",
    remedy="Compare and replace in one transaction, or under a lock per address.",
)
class ReplaceRace(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._seen: dict[str, Row | None] = {}

    def head_at(self, address: str, store: Store) -> Row | None:
        if address not in self._seen:
            self._seen[address] = super().head_at(address, store)
        return self._seen[address]

    def batch_is_committed(self) -> None:
        self._seen.clear()


@rogue(
    "future-clamped",
    turns_red="AP-DV-03 AP-DV-04 AP-PROFILE-01 AP-PROFILE-03 AP-PROFILE-04 AP-REPL-11",
    blinds="AP-PROFILE-06",
    because="It takes a date ahead of its clock for now, so two of them are a tie that it keeps.",
    remedy="Compare `created_at` as signed, not clamped to your clock.",
)
class FutureClamped(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        if min(incoming.created_at, head.created_at) > self.now():
            return False
        return super().supersedes(incoming, head)


@rogue(
    "clock-guard-too-tight",
    turns_red="AP-REPL-11 AP-REPL-12",
    by_chance="AP-DM-01",
    blinds=(
        "AP-DM-02 AP-DM-03 AP-DM-04 AP-DM-05 AP-DM-06 AP-DM-07 AP-DM-08 AP-DM-09 "
        "AP-DM-10 AP-DM-11 AP-DV-01 AP-DV-02 AP-DV-03 AP-DV-04 AP-DV-05 AP-DV-06 "
        "AP-DV-07 AP-DV-08 AP-DV-09 AP-INFO-01 AP-READ-02 AP-SLUG-13"
    ),
    because="It expects every client's clock within 45 seconds of its own.",
    remedy="Accept events that are up to 15 minutes ahead of your clock.",
)
class ClockGuardTooTight(Policy):
    clock_tolerance = 45


@rogue(
    "superseded-resurrected",
    turns_red="AP-REPL-09 AP-REPL-14",
    by_chance="AP-CAT-08 AP-GATE-15 AP-REPL-15",
    because="It finds the old row by its id, marks it live again and forgets the newer one.",
    remedy="Compare an event that is sent again with the head, as if it were new.",
)
class SupersededResurrected(Policy):
    def is_known_already(self, event: Event, store: Store) -> bool:
        known = super().is_known_already(event, store)
        if known and store.event_by_id(event.id) is None:
            head = self.head_at(self.address(event) or "", store)
            if head is not None:
                store.remove(head, SUPERSEDED)
            store.restore(event.id)
        return known


@rogue(
    "refused-version-retires-the-head",
    turns_red="AP-REPL-20",
    because="It makes room for the new version first, and then judges it.",
    remedy="Judge a new version before the old one is removed.",
)
class RefusedVersionRetiresTheHead(Policy):
    def refusal(self, submission: Submission) -> str | None:
        found = super().refusal(submission)
        event, at = submission.event, self.address(submission.event)
        if found is not None and event.kind == PERSONA and event.pubkey == submission.caller.pubkey:
            for row in submission.store.rows_at(at or ""):
                submission.store.remove(row, SUPERSEDED)
        return found
