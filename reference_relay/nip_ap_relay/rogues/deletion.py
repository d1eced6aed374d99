"""Rogues of deletion requests."""

from __future__ import annotations

from collections.abc import Sequence

from nip_ap.nostr import DELETION, PERSONA, Event, Filter
from nip_ap_relay.policy import Policy
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row, Store


@rogue(
    "a-deletion-ignored",
    turns_red="AP-DEL-01",
    blinds="AP-DEL-02 AP-DEL-03 AP-DEL-04 AP-DEL-05 AP-DEL-07",
    because="It knows deletion by `e` alone.",
)
class ADeletionIgnored(Policy):
    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        return []


@rogue(
    "foreign-deletion-honoured",
    turns_red="AP-DEL-02",
    because="It carries out what a valid event asks for, whoever signed it.",
)
class ForeignDeletionHonoured(Policy):
    def address_may_be_deleted(self, address: str, author: str) -> str | None:
        return None

    def may_delete(self, target: Row, author: str) -> bool:
        return True


@rogue(
    "deletion-of-all-slugs",
    turns_red="AP-DEL-03",
    by_chance="AP-REPL-09",
    because="It deletes by kind and author, and leaves the `d` of the address out.",
)
class DeletionOfAllSlugs(Policy):
    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        if not super().deletion_by_address(request, store):
            return []
        of_author = "pubkey = ? AND kind = ? AND gone = 0"
        return list(store.select(of_author, (request.pubkey, PERSONA)))


@rogue(
    "deleted-for-ever",
    turns_red="AP-DEL-04",
    by_chance="AP-REPL-09",
    because="A tombstone at the address stops every later write, not only older ones.",
)
class DeletedForEver(Policy):
    def is_known_already(self, event: Event, store: Store) -> bool:
        at_address = "address = ? AND gone = 2"
        deleted = store.count_versions(at_address, (self.address(event) or "",))
        return deleted > 0 or super().is_known_already(event, store)


@rogue(
    "deletion-ignores-time",
    turns_red="AP-DEL-05 AP-REPL-09",
    because="It removes whatever stands at the address, however new.",
)
class DeletionIgnoresTime(Policy):
    def deletion_reaches(self, request: Event, row: Row) -> bool:
        return True


@rogue(
    "e-deletion-ignored",
    turns_red="AP-DEL-06",
    blinds="AP-DEL-02 AP-DEL-07",
    because="It deletes addressable events by address alone.",
)
class EDeletionIgnored(Policy):
    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        found = super().deletion_by_id(request, store)
        return [row for row in found if row.kind != PERSONA]


@rogue(
    "e-deletion-takes-the-address",
    turns_red="AP-DEL-06",
    because="It turns the id into an address and deletes there.",
)
class EDeletionTakesTheAddress(Policy):
    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        found = super().deletion_by_id(request, store)
        for identifier in request.tag_values("e"):
            for old in store.select("id = ? AND pubkey = ?", (identifier, request.pubkey)):
                found += store.rows_at(old.address or "")
        return found


@rogue(
    "deleted-resurrected-by-resend",
    turns_red="AP-DEL-07",
    because="It forgets what it deleted, and takes it for new.",
)
class DeletedResurrectedByResend(Policy):
    def is_known_already(self, event: Event, store: Store) -> bool:
        store.forget_deleted(event.id)
        return super().is_known_already(event, store)


@rogue(
    "deletion-request-hidden",
    turns_red="AP-DEL-08",
    because="It carries a request out and serves it to nobody.",
)
class DeletionRequestHidden(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        return [row for row in rows if row.kind != DELETION]
