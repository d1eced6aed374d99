"""MIG, side (b): faults of real clients that left something public, or made something twice.

A migrator runs as a process against a stub relay that misbehaves on request. What is judged is the
stub's state and what came over its wire, never the inside of a store.
"""

from nip_ap.clients.claims import many
from nip_ap.clients.device import body_of, published_of
from nip_ap.scenario import DELETION, PERSONA, Broken, Inconclusive, NotApplicable, clause

MIGRATOR = ["migrator"]
GUARD = 900
"""Seconds from its clock beyond which a relay takes no date."""
MOST = 100
"""Events that the relay gives to one filter."""


# -- deletions -----------------------------------------------------------------------


@clause("AP-MIG-43", needs=MIGRATOR)
def test_a_deletion_reaches_a_head_dated_ahead(deleting, laptop, stub, personas, clock):
    record = published_of(personas)[0]
    head = laptop.migrates(personas)[record["id"]]
    stub.put(head.resigned(laptop.key, created_at=clock.now() + 60))
    laptop.edits(record["id"], system_prompt="Edited while the head is dated ahead.")
    laptop.runs()
    edited = laptop.heads()[record["id"]]
    if body_of(edited).get("system_prompt") != "Edited while the head is dated ahead.":
        raise Inconclusive("the edit did not become the head (AP-MIG-13)")
    laptop.removes(record["id"])
    outcome = laptop.runs()
    if record["id"] in laptop.heads() and outcome.says_synced:
        dates = [one.event.get("created_at") for one in deletions(stub)]
        raise Broken(
            f"a deletion dated {edited.created_at} or later, or one that is said to wait",
            f"deletions dated {dates}, and the head is there; {outcome}",
        )


@clause("AP-MIG-44", needs=MIGRATOR)
def test_a_deletion_beyond_the_guard_waits(deleting, laptop, stub, personas, clock):
    record = published_of(personas)[0]
    head = laptop.migrates(personas)[record["id"]]
    stub.order(window=2 * GUARD)
    stub.put(head.resigned(laptop.key, created_at=clock.now() + 2 * GUARD - 60))
    stub.order(window=GUARD)
    laptop.removes(record["id"])
    outcome = laptop.runs()
    dates = [one.event.get("created_at") for one in deletions(stub)]
    early = [at for at in dates if isinstance(at, int) and at > clock.now() + GUARD + 60]
    if early:
        raise Broken("no deletion before the relay can take it", f"sent with the dates {early}")
    if record["id"] in laptop.heads() and outcome.says_synced:
        raise Broken("the deletion to be reported as waiting", str(outcome))


@clause("AP-MIG-47", needs=MIGRATOR)
def test_a_crash_between_record_and_deletion(deleting, laptop, stub, personas):
    record = published_of(personas)[0]
    laptop.migrates(personas)
    laptop.removes(record["id"])
    laptop.crashes_before_an_answer()
    outcome = laptop.runs()
    if record["id"] in laptop.heads():
        raise Broken("the deletion to be made by the next run", f"the head is there; {outcome}")


@clause("AP-MIG-48", needs=MIGRATOR)
def test_what_waits_for_a_relay_that_was_left(deleting, laptop, stub, elsewhere, personas):
    record = published_of(personas)[0]
    laptop.migrates(personas)
    laptop.removes(record["id"])
    stub.goes_down()
    laptop.runs()
    stub.comes_up()
    moved = laptop.moves_to(elsewhere)
    outcome = moved.runs()
    if not moved.heads():
        raise Inconclusive(f"the run for another relay published nothing there: {outcome}")
    if record["id"] in laptop.heads():
        raise Broken(
            "the deletion to reach the relay that was left", f"the head is still there; {outcome}"
        )


# -- what a relay says ---------------------------------------------------------------


@clause("AP-MIG-45", needs=MIGRATOR)
def test_a_head_that_does_not_verify(laptop, phone, stub, personas):
    record = published_of(personas)[0]
    head = laptop.migrates(personas)[record["id"]]
    stub.forgets()
    older = head.altered(created_at=head.created_at - 30)
    forged = stub.put_forged(older.altered(id=older.computed_id))
    if forged.signature_verifies:
        raise Inconclusive("the forged event verifies")
    phone.has(personas)
    outcome = phone.runs()
    if phone.heads()[record["id"]].id == forged.id and outcome.says_synced:
        raise Broken("a genuine head in its place, or a word", f"the forged one; {outcome}")


@clause("AP-MIG-46", needs=MIGRATOR)
def test_what_an_answer_leaves_out_is_not_new(laptop, phone, stub, check, clock):
    records = many(MOST + 30, check.seed)
    heads = laptop.migrates(records)
    stub.forgets()
    spread = [
        stub.put(head.resigned(laptop.key, created_at=clock.now() - 10 - 2 * number))
        for number, head in enumerate(heads.values())
    ]
    stub.order(page=MOST)
    phone.has(records)
    since = len(stub.log())
    phone.runs()
    known = {one.id for one in spread}
    fresh = {
        slug
        for one in stub.heard(since)
        if one.kind == PERSONA and one.event.get("id") not in known
        for slug in one.slugs
    }
    if len(fresh) == len(records):
        raise NotApplicable("the migrator looks at nothing: it signs all anew on a second device")
    if fresh:
        raise Broken("no new id: all was published", f"{len(fresh)} of {len(records)} signed anew")


# -- helpers -------------------------------------------------------------------------


def deletions(stub):
    return [one for one in stub.heard() if one.kind == DELETION]
