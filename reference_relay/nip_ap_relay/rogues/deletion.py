"""Rogues of deletion requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nip_ap.nostr import DELETION, PERSONA, Event, Filter
from nip_ap_relay.policy import Policy, Submission
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import DELETED, Row, Store


@rogue(
    "a-deletion-ignored",
    turns_red="AP-CAT-13 AP-DEL-01 AP-DEL-09 AP-TEAM-03",
    blinds=(
        "AP-DEL-02 AP-DEL-03 AP-DEL-04 AP-DEL-05 AP-DEL-07 AP-DEL-10 AP-DEL-11 AP-DEL-12 "
        "AP-DEL-15 AP-DEL-16"
    ),
    because="It knows deletion by `e` alone.",
    remedy="Carry out `a` tags of a kind 5 event as well as its `e` tags.",
)
class ADeletionIgnored(Policy):
    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        return []


@rogue(
    "foreign-deletion-honoured",
    turns_red="AP-DEL-02 AP-DEL-10",
    by_chance="AP-DEL-17",
    because="It carries out what a valid event asks for, whoever signed it.",
    remedy="Delete an address only if the request's pubkey is the one in the address.",
)
class ForeignDeletionHonoured(Policy):
    def address_may_be_deleted(self, address: str, author: str) -> str | None:
        return None

    def may_delete(self, target: Row, author: str) -> bool:
        return True


@rogue(
    "deletion-of-all-slugs",
    turns_red="AP-CAT-13 AP-DEL-03 AP-DEL-09 AP-TEAM-03",
    blinds="AP-CAT-08 AP-DEL-12 AP-GATE-15 AP-HTTP-06 AP-READ-19 AP-READ-20 AP-READ-21",
    by_chance="AP-DEL-17 AP-REPL-09",
    because="It deletes by kind and author, and leaves the `d` of the address out.",
    remedy="Delete by kind, author and `d`, all three taken from the address.",
)
class DeletionOfAllSlugs(Policy):
    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        if not super().deletion_by_address(request, store):
            return []
        of_author = "pubkey = ? AND kind = ? AND gone = 0"
        return list(store.select(of_author, (request.pubkey, PERSONA)))


@rogue(
    "deleted-for-ever",
    turns_red="AP-CAT-13 AP-DEL-04 AP-TEAM-03",
    by_chance="AP-DEL-17 AP-REPL-09",
    because="A tombstone at the address stops every later write, not only older ones.",
    remedy="Let a tombstone stop only versions that are not newer than the deletion request.",
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
    remedy="Delete only versions whose `created_at` is not after that of the request.",
)
class DeletionIgnoresTime(Policy):
    def deletion_reaches(self, request: Event, row: Row) -> bool:
        return True


@rogue(
    "e-deletion-ignored",
    turns_red="AP-DEL-06 AP-DEL-09 AP-DEL-11",
    blinds="AP-DEL-02 AP-DEL-07",
    because="It deletes addressable events by address alone.",
    remedy="Look up the ids of `e` tags among addressable events too.",
)
class EDeletionIgnored(Policy):
    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        found = super().deletion_by_id(request, store)
        return [row for row in found if row.kind != PERSONA]


@rogue(
    "e-deletion-takes-the-address",
    turns_red="AP-DEL-06",
    by_chance="AP-DEL-17",
    because="It turns the id into an address and deletes there.",
    remedy="Delete the one event that an `e` tag names, and nothing else at its address.",
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
    turns_red="AP-DEL-07 AP-TEAM-03",
    because="It forgets what it deleted, and takes it for new.",
    remedy="Keep the ids of deleted events and refuse them when they are sent again.",
)
class DeletedResurrectedByResend(Policy):
    def is_known_already(self, event: Event, store: Store) -> bool:
        store.forget_deleted(event.id)
        return super().is_known_already(event, store)


@rogue(
    "deletion-request-hidden",
    turns_red="AP-DEL-08",
    blinds="AP-DEL-13 AP-INSTR-16",
    because="It carries a request out and serves it to nobody.",
    remedy="Store kind 5 events and serve them like any other.",
)
class DeletionRequestHidden(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        return [row for row in rows if row.kind != DELETION]


def _of_first_targets(request: Event, name: str) -> Event:
    """The request with no more than its first tag of that name."""
    first = next((tag for tag in request.tags if tag[0] == name), None)
    return request.altered(tags=() if first is None else (first,))


@rogue(
    "only-first-address-deleted",
    turns_red="AP-DEL-09",
    by_chance="AP-DEL-17",
    because="It looks for the `a` tag, not for the `a` tags.",
    remedy="Loop over all `a` tags of the request.",
)
class OnlyFirstAddressDeleted(Policy):
    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        return super().deletion_by_address(_of_first_targets(request, "a"), store)


@rogue(
    "only-first-id-deleted",
    turns_red="AP-DEL-09",
    by_chance="AP-DEL-17",
    because="It looks for the `e` tag, not for the `e` tags.",
    remedy="Loop over all `e` tags of the request.",
)
class OnlyFirstIdDeleted(Policy):
    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        return super().deletion_by_id(_of_first_targets(request, "e"), store)


@rogue(
    "ids-ignored-beside-addresses",
    turns_red="AP-DEL-09",
    by_chance="AP-DEL-17",
    because="A request is by address or by id to it: where it finds an `a` it looks no further.",
    remedy="Carry out both the `a` and the `e` tags of a request.",
)
class IdsIgnoredBesideAddresses(Policy):
    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        return [] if request.tag_values("a") else super().deletion_by_id(request, store)


@rogue(
    "only-first-targets-author-checked",
    turns_red="AP-DEL-02 AP-DEL-10",
    by_chance="AP-DEL-17",
    because="It checks the author of the first target, and carries out all of them.",
    remedy="Check the author of each target by itself before you delete it.",
)
class OnlyFirstTargetsAuthorChecked(Policy):
    def deletion_names_a_target(self, submission: Submission) -> str | None:
        tags = [tag for tag in submission.event.tags if tag[0] in "ae"][:1]
        first = submission.event.altered(tags=tuple(tags))
        return super().deletion_names_a_target(replace(submission, event=first))

    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        found = [store.event_by_id(identifier) for identifier in request.tag_values("e")]
        return [row for row in found if row is not None and row.kind != DELETION]


@rogue(
    "deletion-author-compared-in-one-case",
    turns_red="AP-DEL-10",
    because="It checks the author as written and looks the address up in lower case.",
    remedy="Compare the pubkey in the address byte for byte: in upper case it is nobody's.",
)
class DeletionAuthorComparedInOneCase(Policy):
    def address_may_be_deleted(self, address: str, author: str) -> str | None:
        pubkey = address.split(":")[1] if ":" in address else ""
        if pubkey != pubkey.lower():
            return None
        return super().address_may_be_deleted(address, author)

    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(kind, pubkey.lower(), slug)


@rogue(
    "deletion-hints-refused",
    turns_red="AP-DEL-11",
    because="It takes a target with more than two elements for malformed.",
    remedy="Ignore elements of a tag after the second: they are hints.",
)
class DeletionHintsRefused(Policy):
    def deletion_names_a_target(self, submission: Submission) -> str | None:
        event = submission.event
        hinted = any(tag[0] in "ae" and len(tag) > 2 for tag in event.tags)
        if event.kind == DELETION and hinted:
            return "invalid: malformed target"
        return super().deletion_names_a_target(submission)


@rogue(
    "deletion-minds-the-first-k",
    turns_red="AP-DEL-11",
    because="It deletes nothing of another kind than that of the first `k` tag.",
    remedy="Treat `k` tags as a hint, and delete whatever the `e` and `a` tags name.",
)
class DeletionMindsTheFirstK(Policy):
    def deletion_reaches(self, request: Event, row: Row) -> bool:
        first = request.tag_values("k")[:1]
        return first in ((), (str(row.kind),)) and super().deletion_reaches(request, row)


@rogue(
    "deletion-ignores-kind",
    turns_red="AP-DEL-12 AP-DEL-15",
    by_chance="AP-DEL-17",
    because="It deletes by author and `d`, whatever the kind in front of them.",
    remedy="Include the kind of the address in the condition of the delete.",
)
class DeletionIgnoresKind(Policy):
    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        found = super().deletion_by_address(request, store)
        for address in request.tag_values("a"):
            slug = address.split(":", 2)[2:]
            same = "pubkey = ? AND slug = ? AND gone = 0"
            found += store.select(same, (request.pubkey, *slug)) if slug else []
        return [row for row in found if self.deletion_reaches(request, row)]


@rogue(
    "deletion-by-parts-of-an-address",
    turns_red="AP-DEL-15",
    because="It splits the address at its colons and takes the third part, whatever follows.",
    remedy="Split the address at its first two colons only, and take all that follows for the `d`.",
)
class DeletionByPartsOfAnAddress(Policy):
    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        parts = [address.split(":")[:3] for address in request.tag_values("a")]
        tags = tuple(("a", ":".join(three)) for three in parts)
        return super().deletion_by_address(request.altered(tags=tags), store)


@rogue(
    "deletion-without-slug-takes-all",
    turns_red="AP-DEL-15",
    because="Where the address has no slug it deletes whatever the author has of the kind.",
    remedy="Treat an address without a `d` as one with an empty `d`, not as a wildcard.",
)
class DeletionWithoutSlugTakesAll(Policy):
    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        found = super().deletion_by_address(request, store)
        if any(not address.split(":", 2)[2:] for address in request.tag_values("a")):
            of_author = "pubkey = ? AND kind = ? AND gone = 0"
            found += store.select(of_author, (request.pubkey, PERSONA))
        return found


@rogue(
    "deletion-of-a-deletion-undoes-it",
    turns_red="AP-DEL-13",
    because="It brings back what a deleted request had deleted.",
    remedy="Keep a deletion in force when its request is itself named by a deletion.",
)
class DeletionOfADeletionUndoesIt(Policy):
    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        for identifier in request.tag_values("e"):
            row = store.event_by_id(identifier)
            if row is not None and row.kind == DELETION and self.may_delete(row, request.pubkey):
                store.restore_everything()
        return super().deletion_by_id(request, store)


@rogue(
    "deletion-of-a-deletion-hides-it",
    turns_red="AP-DEL-13",
    because="A request is an event like any other to it, and can be deleted.",
    remedy="Ignore targets of kind 5.",
)
class DeletionOfADeletionHidesIt(Policy):
    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        found = [store.event_by_id(identifier) for identifier in request.tag_values("e")]
        return [row for row in found if row is not None and self.may_delete(row, request.pubkey)]


@rogue(
    "deletion-request-not-live",
    turns_red="AP-DEL-14",
    because="It carries a request out and forgets that others wait for it.",
    remedy="Send a kind 5 event to the subscriptions that match it.",
)
class DeletionRequestNotLive(Policy):
    def live_match(self, one: Filter, event: Event) -> bool:
        return event.kind != DELETION and super().live_match(one, event)


@rogue(
    "forged-deletion-honoured",
    turns_red="AP-DEL-16",
    by_chance="AP-DEL-17",
    blinds="AP-DEL-17",
    because="It acts on a deletion request before it verifies it.",
    remedy="Verify id and signature before you act on a deletion request.",
)
class ForgedDeletionHonoured(Policy):
    def refusal(self, submission: Submission) -> str | None:
        found = super().refusal(submission)
        if found is not None and submission.event.kind == DELETION:
            for row in self.deletion_by_address(submission.event, submission.store):
                if row.pubkey == submission.event.pubkey:
                    submission.store.remove(row, DELETED)
        return found
