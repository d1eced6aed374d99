"""MIG, side (b): heads that others wrote, and deletions.

A migrator runs as a process against a stub relay that misbehaves on request. What is judged is the
stub's state and what came over its wire, never the inside of a store.
"""

import orjson

from nip_ap.clients.claims import (
    heads_are_there,
    mentioned,
)
from nip_ap.clients.device import body_of, published_of
from nip_ap.clients.launch import next_second
from nip_ap.scenario import (
    DELETION,
    PERSONA,
    Broken,
    Draft,
    Inconclusive,
    clause,
)

MIGRATOR = ["migrator"]


# -- heads that others wrote ---------------------------------------------------------


@clause("AP-MIG-12", needs=MIGRATOR)
def test_a_newer_head_is_not_lost_silently(working, laptop, stub, personas, check, clock):
    record = published_of(personas)[0]
    text = {"display_name": record["display_name"], "system_prompt": "Edited on another device."}
    other = Draft(PERSONA, clock.now() - 5, (("d", record["id"]),), orjson.dumps(text).decode())
    theirs = stub.put(other.signed_by(laptop.key))
    laptop.has(personas)
    outcome = laptop.runs()
    if laptop.heads()[record["id"]].content == theirs.content:
        told = "and said so" if mentioned(outcome, record) else "without a word"
        check.note(f"policy: the newer head is kept, {told}")
        return
    if not mentioned(outcome, record) and outcome.says_synced:
        raise Broken("the newer text to stay, or the conflict to be reported", str(outcome))
    check.note("policy: the newer head is replaced by the older file, and reported")


@clause("AP-MIG-13", needs=MIGRATOR)
def test_a_head_dated_ahead_is_still_superseded(laptop, stub, personas, clock):
    record = published_of(personas)[0]
    slug = record["id"]
    head = laptop.migrates(personas)[slug]
    ahead = stub.put(head.resigned(laptop.key, created_at=clock.now() + 60))
    laptop.edits(record["id"], system_prompt="Edited while the head is dated ahead.")
    outcome = laptop.runs()
    now = laptop.heads()[slug]
    if body_of(now).get("system_prompt") != "Edited while the head is dated ahead.":
        if outcome.says_synced:
            raise Broken(
                "the edit to become the head, or to be reported as not synced", str(outcome)
            )
        return
    if now.created_at <= ahead.created_at:
        raise Broken(f"a date past {ahead.created_at}", str(now.created_at))


@clause("AP-MIG-16", needs=MIGRATOR)
def test_two_devices_with_one_file_come_to_rest(laptop, phone, stub, personas):
    before = laptop.migrates(personas)
    phone.has(personas)
    next_second()
    phone.runs()
    if phone.heads().keys() != before.keys():
        raise Broken(f"one head a slug: {sorted(before)}", str(sorted(phone.heads())))
    with laptop.publishes_nothing_new(after=" in the last four runs"):
        for device in (laptop, phone, laptop, phone):
            device.runs()
    for slug in before:
        if len(stub.ids(slug)) > 2:
            raise Broken("at most two ids a slug", f"{len(stub.ids(slug))} for {slug}")


# -- deletions -----------------------------------------------------------------------


@clause("AP-MIG-24", needs=MIGRATOR)
def test_a_persona_deleted_elsewhere_stays_deleted(laptop, phone, stub, personas, clock):
    slug = published_of(personas)[0]["id"]
    head = laptop.migrates(personas)[slug]
    phone.has(personas)
    phone.runs()
    newest = max(clock.now(), phone.heads()[slug].created_at, head.created_at)
    stub.put(deletion(laptop, slug, newest))
    if slug in phone.heads():
        raise Inconclusive("the deletion on the other device did not take the head away")
    phone.runs()
    if slug in phone.heads():
        raise Broken(f"{slug} to stay deleted", "its head is back")


@clause("AP-MIG-25", needs=MIGRATOR)
def test_what_a_first_run_does_with_a_slug_deleted_elsewhere(laptop, stub, personas, check, clock):
    record = published_of(personas)[0]
    old = Draft(PERSONA, clock.now() - 60, (("d", record["id"]),), '{"display_name":"Old"}')
    stub.put(old.signed_by(laptop.key))
    stub.put(deletion(laptop, record["id"], clock.now() - 30))
    laptop.has(personas)
    outcome = laptop.runs()
    if not laptop.heads():
        raise Inconclusive(f"the first run published nothing (AP-MIG-01): {outcome}")
    back = record["id"] in laptop.heads()
    check.note(f"policy: a slug deleted elsewhere {'comes back' if back else 'stays deleted'}")


@clause("AP-MIG-26", needs=MIGRATOR)
def test_a_persona_removed_before_it_was_published_does_not_appear(working, laptop, stub, personas):
    gone, *rest = published_of(personas)
    laptop.has(personas)
    stub.goes_down()
    laptop.runs()
    laptop.removes(gone["id"])
    stub.comes_up()
    laptop.runs()
    laptop.runs()
    if not laptop.heads():
        raise Inconclusive("nothing at all was published after the relay came up")
    if gone["id"] in laptop.heads():
        raise Broken(f"no head for {gone['id']}, or its deletion", "its head is there")
    heads_are_there(laptop, rest)


@clause("AP-MIG-27", needs=MIGRATOR)
def test_deleted_and_made_again_ends_with_the_new_text(laptop, stub, personas):
    record = published_of(personas)[0]
    laptop.migrates(personas)
    stub.goes_down()
    laptop.removes(record["id"])
    laptop.runs()
    laptop.adds(record | {"system_prompt": "Made again."})
    laptop.runs()
    stub.comes_up()
    laptop.runs()
    laptop.runs()
    head = laptop.heads().get(record["id"])
    if head is None or body_of(head).get("system_prompt") != "Made again.":
        raise Broken("the new text as the head", "none" if head is None else str(body_of(head)))


# -- helpers -------------------------------------------------------------------------


def deletion(device, slug, at):
    tags = (("a", f"{PERSONA}:{device.key.pubkey}:{slug}"), ("k", str(PERSONA)))
    return Draft(DELETION, at, tags).signed_by(device.key)
