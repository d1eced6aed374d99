"""MIG, side (b): the source file, its slugs and what goes into an event.

A migrator runs as a process against a stub relay that misbehaves on request. What is judged is the
stub's state and what came over its wire, never the inside of a store.
"""

import shutil

import orjson

from nip_ap.clients.claims import (
    heads_are_there,
    in_grammar,
    is_there,
    many,
    mentioned,
    plain,
    reported,
    spoiled,
)
from nip_ap.clients.device import body_of, published_of
from nip_ap.scenario import (
    DELETION,
    Broken,
    Inconclusive,
    NotApplicable,
    clause,
    data,
    each,
)

MIGRATOR = ["migrator"]


# -- slugs ---------------------------------------------------------------------------


@clause("AP-MIG-20", needs=MIGRATOR)
@each("case", data("personas/collisions"))
def test_two_records_with_one_slug_do_not_alternate(working, laptop, check, personas, case):
    neighbour = published_of(personas)[1]
    laptop.has([neighbour, *case["records"]])
    outcome = laptop.runs()
    if len(laptop.heads()) < 2:
        raise Broken("one head beside the neighbour's", f"{len(laptop.heads())}: {outcome}")
    with laptop.publishes_nothing_new(after=" in the second and third run"):
        laptop.runs()
        laptop.runs()
    names = [mentioned(outcome, one) for one in case["records"]]
    if not all(names):
        check.note("the collision is stable, but no warning names both records")


@clause("AP-MIG-21", needs=MIGRATOR)
def test_ids_that_are_no_slugs_never_reach_the_wire(working, laptop, stub):
    records = data("personas/odd_ids")
    laptop.has(records)
    outcome = laptop.runs()
    in_grammar(stub)
    names = {body_of(head).get("display_name") for head in laptop.heads().values()}
    if records[-1]["display_name"] not in names:
        raise Broken("the valid record to be published", f"heads of {sorted(names)}: {outcome}")
    silent = [
        one["id"]
        for one in records
        if one["display_name"] not in names and not mentioned(outcome, one)
    ]
    if silent:
        raise Broken("each odd id to be mapped or reported", f"no word of {silent}: {outcome}")
    with laptop.publishes_nothing_new(after=" in the second run"):
        laptop.runs()
    in_grammar(stub)


# -- the source file -----------------------------------------------------------------


@clause("AP-MIG-29", needs=MIGRATOR)
def test_a_missing_file_deletes_nothing(laptop, stub, personas):
    before = laptop.migrates(personas)
    since = len(stub.log())
    shutil.move(laptop.file, laptop.file.with_name("elsewhere.json"))
    laptop.runs()
    requests = [one for one in stub.heard(since) if one.kind == DELETION]
    if requests:
        raise Broken("no deletion request", f"{len(requests)} of them")
    assert laptop.heads() == before


@clause("AP-MIG-30", needs=MIGRATOR)
@each("case", data("personas/malformed"))
def test_a_malformed_file_changes_nothing_and_is_kept(laptop, stub, personas, newcomer, case):
    before = laptop.migrates(personas)
    laptop.adds(newcomer)
    bad = spoiled(laptop.file.read_bytes(), case)
    laptop.writes(bad)
    since = len(stub.log())
    outcome = laptop.runs()
    if stub.heard(since):
        raise Broken("no event from a file that cannot be read", f"{len(stub.heard(since))} events")
    if outcome.says_synced and not (outcome.out + outcome.err).strip():
        raise Broken("a non-zero exit or a report", str(outcome))
    if outcome.says_synced and not outcome.mentions("personas.json"):
        raise Broken("a non-zero exit, or a report that names the file", str(outcome))
    assert laptop.file.read_bytes() == bad
    assert laptop.heads() == before
    laptop.has(personas)
    laptop.runs()
    heads_are_there(laptop, published_of(personas))


@clause("AP-MIG-31", needs=MIGRATOR)
def test_empty_files_and_built_ins_alone_publish_nothing(working, laptop, stub, personas):
    laptop.has([])
    laptop.runs()
    laptop.has([one for one in personas if one["is_builtin"]])
    laptop.runs()
    if stub.heard():
        raise Broken("no event for [] and for built-ins", f"{len(stub.heard())} events")
    added = published_of(personas)[0]
    laptop.adds(added)
    laptop.runs()
    heads_are_there(laptop, [added])


# -- content -------------------------------------------------------------------------


@clause("AP-MIG-37", needs=MIGRATOR)
def test_content_is_encoded_as_in_the_reference_vectors(working, laptop, check):
    cases = data("personas/vectors")
    contents = {one["name"]: one["content"] for one in data("vectors")["events"]}
    laptop.migrates([case["record"] for case in cases])
    for case in cases:
        wanted = contents[case["vector"]]
        head = laptop.head_of(case["record"])
        if head.content == wanted:
            continue
        if body_of(head) != orjson.loads(wanted):
            raise Broken(f"the JSON of vector {case['vector']}: {wanted}", head.content)
        order = ", ".join(body_of(head))
        check.note(f"{case['vector']}: equal JSON in other bytes; keys in the order {order}")


@clause("AP-MIG-38", needs=MIGRATOR)
def test_a_body_over_the_limit_is_reported_not_sent(working, laptop, stub, check):
    neighbours = many(2, check.seed)
    over, limit = plain("over", 65_536), plain("limit", 65_535)
    laptop.has([neighbours[0], over, limit, neighbours[1]])
    outcome = laptop.runs()
    sizes = [len(str(one.event.get("content", "")).encode()) for one in stub.heard()]
    if max(sizes, default=0) > 65_535:
        raise Broken("no body over 65,535 bytes on the wire", f"one of {max(sizes)}")
    heads_are_there(laptop, [*neighbours, *(one for one in [limit] if is_there(laptop, one))])
    for record in (over, limit):
        if not is_there(laptop, record):
            reported(outcome, record, f"the persona {record['display_name']!r}")


@clause("AP-MIG-39", needs=MIGRATOR)
def test_the_share_tag_is_kept_through_an_edit(laptop, stub, personas):
    record = published_of(personas)[0]
    slug = record["id"]
    head = laptop.migrates(personas)[slug]
    tags = (*head.tags, ("shared", "true"))
    stub.put(head.resigned(laptop.key, created_at=head.created_at + 1, tags=tags))
    with laptop.publishes_nothing_new(after=" for a persona that was only shared elsewhere"):
        laptop.runs()
    laptop.edits(record["id"], system_prompt="Edited, and shared as before.")
    laptop.runs()
    after = laptop.heads()[slug]
    if body_of(after).get("system_prompt") != "Edited, and shared as before.":
        raise Inconclusive("the edit did not become the head (AP-MIG-18)")
    shared = [tag for tag in after.tags if tag[0] == "shared"]
    assert shared == [("shared", "true")]


@clause("AP-MIG-40", needs=MIGRATOR)
def test_an_edit_made_while_publishing_is_not_lost(working, laptop, stub, personas):
    record = published_of(personas)[0]
    laptop.has(personas)
    stub.order(hold=True)
    running = laptop.starts()
    stub.waits_for_events(1)
    laptop.edits(record["id"], system_prompt="Edited while the first text was under way.")
    stub.release()
    laptop.recorded(running.end())
    outcome = laptop.runs()
    head = laptop.heads().get(record["id"])
    prompt = None if head is None else body_of(head).get("system_prompt")
    if prompt != "Edited while the first text was under way.":
        raise Broken("the newer text as the head", f"{prompt!r}; {outcome}")


@clause("AP-MIG-41", needs=MIGRATOR)
def test_what_one_corrupt_row_does_to_the_others(laptop, stub, personas, check):
    if "{store}" not in laptop.template:
        raise NotApplicable("the migrator's command has no {store}: its store is not looked into")
    laptop.has(personas)
    stub.goes_down()
    laptop.runs()
    spoil_one_row(laptop.store_file)
    stub.comes_up()
    laptop.runs()
    check.note(f"with 1 of 3 rows damaged, {len(laptop.heads())} of 3 personas are published")


# -- helpers -------------------------------------------------------------------------


def spoil_one_row(store):
    import sqlite3

    with sqlite3.connect(store) as database:
        database.execute(
            "UPDATE persona_events SET raw_event = '{broken' WHERE d_tag = "
            "(SELECT min(d_tag) FROM persona_events)"
        )
