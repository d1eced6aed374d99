"""MIG, side (b): a first run, the next ones, and many personas.

A migrator runs as a process against a stub relay that misbehaves on request. What is judged is the
stub's state and what came over its wire, never the inside of a store.
"""

from nip_ap.clients.claims import (
    genuine_heads,
    heads_are_there,
    many,
)
from nip_ap.clients.device import body_of, published_of
from nip_ap.clients.launch import next_second
from nip_ap.scenario import (
    PERSONA,
    Broken,
    Inconclusive,
    clause,
)

MIGRATOR = ["migrator"]


# -- the first run, and the second ---------------------------------------------------


@clause("AP-MIG-01", needs=MIGRATOR)
def test_a_first_run_publishes_each_user_persona_once(laptop, personas):
    laptop.has(personas)
    outcome = laptop.runs()
    genuine_heads(laptop, published_of(personas), outcome)


@clause("AP-MIG-02", needs=MIGRATOR)
def test_running_again_publishes_nothing_new(laptop, personas):
    before = laptop.migrates(personas)
    with laptop.publishes_nothing_new(after=" in the second and third run"):
        laptop.runs()
        laptop.runs()
    assert laptop.heads() == before


@clause("AP-MIG-03", needs=MIGRATOR)
def test_the_source_file_keeps_its_bytes(laptop, personas):
    laptop.has(personas)
    before = laptop.file.read_bytes()
    laptop.runs()
    laptop.runs()
    if not laptop.stub.ids():
        raise Inconclusive("nothing was published, so nothing is shown about the file")
    assert laptop.file.read_bytes() == before


# -- edits and additions -------------------------------------------------------------


@clause("AP-MIG-18", needs=MIGRATOR)
def test_an_edit_publishes_one_new_version(laptop, personas):
    heads = laptop.migrates(personas)
    record = published_of(personas)[1]
    slug = laptop.slug_of(record)
    next_second()
    for number in range(3):
        closed = laptop.publishes_only(1, slug)
        laptop.edits(record["id"], system_prompt=f"Edit {number}.")
        outcome = laptop.runs()
        closed()
        head = laptop.heads()[slug]
        if body_of(head).get("system_prompt") != f"Edit {number}.":
            raise Broken(f"edit {number} to be the head", f"{body_of(head)}; {outcome}")
        if head.created_at <= heads[slug].created_at:
            raise Broken("a strictly greater created_at", f"{head.created_at}")
        assert laptop.heads() == heads | {slug: head}
        heads = laptop.heads()


@clause("AP-MIG-19", needs=MIGRATOR)
def test_an_added_persona_publishes_one_event(laptop, personas, newcomer):
    heads = laptop.migrates(personas)
    before = set(laptop.stub.ids())
    laptop.adds(newcomer)
    outcome = laptop.runs()
    fresh = [one for one in laptop.stub.ids() if one not in before]
    if len(fresh) != 1 or len(laptop.heads()) != len(heads) + 1:
        raise Broken(
            "exactly one new event, for the added persona",
            f"{len(fresh)} new id(s), {len(laptop.heads())} heads: {outcome}",
        )
    head = laptop.head_of(newcomer)
    assert laptop.heads() == heads | {head.slug: head}


# -- many, and clocks ----------------------------------------------------------------


@clause("AP-MIG-34", needs=MIGRATOR)
def test_a_thousand_personas_are_published_once(working, laptop, stub, check):
    records = many(check.surface.context.settings.migrator_load, check.seed)
    laptop.has(records)
    first = laptop.runs(budget=120)
    heads_are_there(laptop, records)
    before = len(stub.heard())
    with laptop.publishes_nothing_new(after=" in the second run"):
        second = laptop.runs(budget=120)
    check.fact("personas", len(records))
    check.fact("first_run_seconds", round(first.seconds, 2))
    check.fact("second_run_seconds", round(second.seconds, 2))
    check.fact("events_in_second_run", len(stub.heard()) - before)


@clause("AP-MIG-35", needs=MIGRATOR)
def test_events_are_dated_at_signing(laptop, stub, personas, clock):
    laptop.has(personas)
    laptop.runs()
    heard = [one for one in stub.heard() if one.kind == PERSONA]
    if not heard:
        raise Inconclusive("no persona came over the wire")
    for one in heard:
        if abs(one.event["created_at"] - one.at) > 900:
            raise Broken(
                "a date within 900 s of the relay's clock",
                f"{one.event['created_at']}, {one.event['created_at'] - one.at:+.0f} s off",
            )


@clause("AP-MIG-36", needs=MIGRATOR)
def test_clocks_that_disagree_for_a_while_lose_nothing(working, laptop, stub, personas):
    laptop.has(personas)
    stub.order(clock_offset=1200)
    outcome = laptop.runs()
    if not stub.heard() or laptop.heads():
        raise Inconclusive("the relay's clock was moved, but it did not refuse what came")
    if outcome.says_synced:
        raise Broken("the refusals to be reported", str(outcome))
    if len(stub.heard()) > 15 * (outcome.seconds + 1):
        raise Broken("no hot loop", f"{len(stub.heard())} tries in {outcome.seconds:.1f} s")
    stub.order(clock_offset=0)
    laptop.runs()
    heads_are_there(laptop, published_of(personas))
