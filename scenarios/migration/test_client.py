"""MIG, side (b): a migrator as a process, against a stub relay that misbehaves on request.

What is judged is the stub's state and what came over its wire, never the inside of a store.
"""

import random
import shutil

import orjson

from nip_ap.clients.claims import (
    canaries,
    encodings,
    genuine_heads,
    heads_are_there,
    in_grammar,
    many,
    plain,
    reported,
    secrets_in,
    spoiled,
    texts_of,
)
from nip_ap.clients.device import body_of, published_of
from nip_ap.clients.launch import clock_passes, next_second
from nip_ap.scenario import (
    DELETION,
    PERSONA,
    Broken,
    Draft,
    Inconclusive,
    NotApplicable,
    clause,
    data,
    each,
)

MIGRATOR = ["migrator"]
WINDOW = 2


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


# -- crashes and partial runs --------------------------------------------------------


@clause("AP-MIG-04", needs=MIGRATOR)
def test_a_crash_after_signing_loses_nothing(working, laptop, stub, personas):
    laptop.has(personas)
    stub.order(silent=True)
    running = laptop.starts()
    stub.waits_for_events(1)
    laptop.recorded(running.killed())
    seen = {one.slugs[0]: one.event["id"] for one in stub.heard() if one.slugs}
    stub.order(silent=False)
    laptop.runs()
    heads_are_there(laptop, published_of(personas))
    anew = [slug for slug, head in laptop.heads().items() if seen.get(slug, head.id) != head.id]
    if anew:
        raise Broken("the ids that were on the wire before the crash", f"others for {anew}")


@clause("AP-MIG-05", needs=MIGRATOR)
def test_a_crash_at_any_moment_can_be_finished(working, laptop, phone, check, seed):
    load = check.surface.context.settings.migrator_load
    records = many(load // 5, check.seed)
    kills, moments = max(4, load // 50), random.Random(seed)
    phone.has(records)
    undisturbed = phone.runs().seconds
    laptop.stub.reset()
    laptop.has(records)
    for step in range(kills):
        moment = undisturbed * (step + moments.random()) / kills
        laptop.starts().killed(after=moment)
    laptop.runs()
    heads_are_there(laptop, records)
    with laptop.publishes_nothing_new(after=" after the run that finished"):
        laptop.runs()


@clause("AP-MIG-06", needs=MIGRATOR)
def test_a_partial_run_is_completed(working, laptop, stub, check):
    records = many(10, check.seed)
    laptop.has(records)
    stub.order(cut_after=4)
    laptop.runs()
    taken = laptop.heads()
    if not 0 < len(taken) < 10:
        raise Inconclusive(f"the relay cut after 4 events, but holds {len(taken)} of 10")
    stub.order(cut_after=None)
    laptop.runs()
    heads_are_there(laptop, records)
    replaced = [slug for slug, head in taken.items() if laptop.heads()[slug].id != head.id]
    if replaced:
        raise Broken("the ids that were accepted before the cut", f"new ones for {replaced}")


@clause("AP-MIG-07", needs=MIGRATOR)
def test_a_relay_that_is_down_at_first_is_served_later(working, laptop, stub, personas):
    laptop.has(personas)
    stub.goes_down()
    outcome = laptop.runs()
    if outcome.says_synced:
        raise Broken("no claim that all is synced while the port is closed", str(outcome))
    stub.comes_up()
    laptop.runs()
    heads_are_there(laptop, published_of(personas))


@clause("AP-MIG-08", needs=MIGRATOR)
def test_events_grown_too_old_are_signed_once_more(working, laptop, stub, personas):
    laptop.has(personas)
    stub.order(window=WINDOW)
    stub.goes_down()
    laptop.runs()
    clock_passes(WINDOW + 1.5)
    stub.comes_up()
    laptop.runs()
    laptop.runs()
    heads_are_there(laptop, published_of(personas))
    for slug in laptop.heads():
        if len(stub.ids(slug)) > 2:
            raise Broken("one new id a slug at most", f"{len(stub.ids(slug))} ids for {slug}")
    with laptop.publishes_nothing_new(after=" once it has converged"):
        laptop.runs()


# -- refusals ------------------------------------------------------------------------


@clause("AP-MIG-09", needs=MIGRATOR)
def test_one_refused_persona_does_not_stop_the_others(working, laptop, stub, check):
    records = many(5, check.seed)
    laptop.has(records)
    refused = records[0]["id"]
    stub.order(refuse={refused: "invalid: not today"})
    outcome = laptop.runs()
    if refused not in [slug for one in stub.heard() for slug in one.slugs]:
        raise Inconclusive(f"slug {refused} was not tried, so nothing was refused")
    left = [one for one in records[1:] if one["id"] not in laptop.heads()]
    if left:
        raise Broken("the other four to be published", f"{len(left)} of them missing: {outcome}")
    reported(outcome, records[0], "the refused persona")
    tries = [one.at for one in stub.heard() if refused in one.slugs]
    if len(tries) > 5 * (outcome.seconds + 1):
        raise Broken("at most 5 tries a second", f"{len(tries)} in {outcome.seconds:.1f} s")
    stub.order(refuse={})
    laptop.runs()
    heads_are_there(laptop, records)


@clause("AP-MIG-10", needs=MIGRATOR)
def test_a_rate_limit_delays_and_loses_nothing(working, laptop, stub, check):
    records = many(10, check.seed)
    laptop.has(records)
    stub.order(limit_every=5)
    laptop.runs()
    if len(stub.heard()) < 5:
        raise Inconclusive("fewer than five events came, so none was put off")
    laptop.runs()
    laptop.runs()
    heads_are_there(laptop, records)


@clause("AP-MIG-11", needs=MIGRATOR)
def test_an_event_that_is_already_there_counts_as_published(working, laptop, stub, personas):
    laptop.has(personas)
    stub.order(withhold=True)
    running = laptop.starts()
    stub.waits_for_events(3)
    laptop.recorded(running.killed())
    before = laptop.heads()
    if len(before) < 3:
        raise Inconclusive(f"{len(before)} of 3 events were stored while the OK was withheld")
    stub.order(withhold=False)
    outcome = laptop.runs()
    if not outcome.says_synced:
        raise Broken("what the relay has already to count as published", str(outcome))
    assert laptop.heads() == before


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


# -- what must not be on the wire ----------------------------------------------------


@clause("AP-MIG-22", needs=MIGRATOR)
def test_no_secret_is_on_any_wire(working, laptop, stub, personas, check):
    secret, shown = canaries(check.seed)
    record = published_of(personas)[0]
    fields = {"env_vars": {"A_TOKEN": secret[0], "B_TEXT": f"x\n{secret[1]}\ny"}}
    laptop.has(personas)
    laptop.edits(record["id"], system_prompt=f"Say {shown}.", x_private=secret[2], **fields)
    first = laptop.runs()
    if not any(form in texts_of(stub.log()) for form in encodings(shown)):
        raise Inconclusive("the mark in the prompt was not seen on the wire: the search is blind")
    check.ledger.control("no secret", "found on the wire: the mark in a prompt", "which field")
    with laptop.publishes_nothing_new(after=" after an edit of env_vars alone"):
        laptop.edits(record["id"], env_vars={"A_TOKEN": secret[0], "C_NEW": secret[1]})
        second = laptop.runs()
    said = "".join(one.out + one.err for one in (first, second))
    for where, text in (("the wire", texts_of(stub.log())), ("the migrator's output", said)):
        found = secrets_in(text, secret)
        if found:
            raise Broken(f"no secret on {where}", f"{found} found there")
    keys = {name for head in laptop.heads().values() for name in body_of(head)}
    if "env_vars" in keys:
        raise Broken("no env_vars in any content", "the key env_vars")


@clause("AP-MIG-23", needs=MIGRATOR)
def test_nothing_but_the_fields_of_a_persona_leaks(laptop, personas):
    known = {"display_name", "system_prompt", "avatar_url", "runtime", "model", "provider"}
    known |= {"name_pool", "respond_to", "respond_to_allowlist", "parallelism"}
    known |= {"description", "session_policy", "acp_command"}
    laptop.has(personas)
    laptop.edits(published_of(personas)[0]["id"], x_note="unknown to every text")
    outcome = laptop.runs()
    if not laptop.heads():
        raise Inconclusive(f"nothing was published: {outcome}")
    for slug, head in laptop.heads().items():
        extra = sorted(body_of(head).keys() - known)
        if extra:
            raise Broken("only keys that NIP-AP defines", f"{extra} in {slug}")
        tags = sorted({tag[0] for tag in head.tags} - {"d", "alt", "shared"})
        if tags:
            raise Broken("no tags but d, alt and shared", f"{tags} in {slug}")


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


# -- owners and keys -----------------------------------------------------------------


@clause("AP-MIG-32", needs=MIGRATOR)
def test_a_second_owners_run_is_kept_apart(working, laptop, devices, stub, personas):
    colleague = devices("colleague", role="colleague", at=laptop)
    laptop.has(personas)
    stub.goes_down()
    laptop.runs()
    stub.comes_up()
    colleague.runs()
    foreign = [one for one in stub.heard() if one.event.get("pubkey") == laptop.key.pubkey]
    if foreign:
        raise Broken(
            "no event of the first owner on the second's connection", f"{len(foreign)} of them"
        )
    heads_are_there(colleague, published_of(personas))
    laptop.runs()
    heads_are_there(laptop, published_of(personas))
    with laptop.publishes_nothing_new(after=" when both run again"):
        colleague.runs()
        laptop.runs()


@clause("AP-MIG-33", needs=MIGRATOR)
@each("key_file", ["missing", "garbled"])
def test_without_a_usable_key_nothing_is_published(laptop, stub, personas, key_file):
    laptop.has(personas)
    good = laptop.key_file.read_bytes()
    if key_file == "missing":
        laptop.key_file.unlink()
    else:
        laptop.key_file.write_text("this is no key\n", encoding="utf-8")
    outcome = laptop.runs()
    if stub.heard():
        authors = sorted({str(one.event.get("pubkey"))[:8] for one in stub.heard()})
        raise Broken("nothing published without a key", f"{len(stub.heard())} events by {authors}")
    if outcome.says_synced:
        raise Broken("no claim that all is synced", str(outcome))
    if key_file == "missing" and laptop.key_file.exists():
        raise Broken("no new identity", "a key file that was not there before")
    laptop.key_file.write_bytes(good)
    laptop.runs()
    if not laptop.heads():
        raise Inconclusive("with the right key nothing is published either (AP-MIG-01)")
    heads_are_there(laptop, published_of(personas))


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


def mentioned(outcome, record):
    return outcome.mentions(record["id"]) or outcome.mentions(record["display_name"])


def is_there(device, record):
    return record["display_name"] in {
        body_of(head).get("display_name") for head in device.heads().values()
    }


def deletion(device, slug, at):
    tags = (("a", f"{PERSONA}:{device.key.pubkey}:{slug}"), ("k", str(PERSONA)))
    return Draft(DELETION, at, tags).signed_by(device.key)


def spoil_one_row(store):
    import sqlite3

    with sqlite3.connect(store) as database:
        database.execute(
            "UPDATE persona_events SET raw_event = '{broken' WHERE d_tag = "
            "(SELECT min(d_tag) FROM persona_events)"
        )
