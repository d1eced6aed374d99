"""MIG, side (a): the relay under test with the suite's own migrator, which is known to be sound."""

import pytest

from nip_ap.clients.claims import many
from nip_ap.clients.device import body_of, fields_of
from nip_ap.clients.relay_side import Blind, Client, Crash, Offline, dies_at
from nip_ap.model.clauses import SHOULD
from nip_ap.scenario import (
    ANY,
    DELETION,
    PERSONA,
    Broken,
    Draft,
    Filter,
    Inconclusive,
    address,
    all_of,
    answered,
    clause,
    each,
    refused,
    vanishes,
)
from nip_ap.targets.url import is_loopback
from nip_ap_client.mapping import draft_of

STEPS = ("take_in", "keep", "publish", "settle", "finished")


# -- runs and repetitions ------------------------------------------------------------


@clause("AP-MIG-01")
def test_the_migrators_first_run_is_kept_whole(owner, client, mine, personas):
    client.has([*mine, personas[0]])
    synced(client.runs())
    heads = owner.heads(*slugs(mine))
    assert sorted(heads) == sorted(slugs(mine))
    for event in heads.values():
        wanted = next(one for one in mine if one["id"] == event.slug)
        assert event.problems == ()
        assert fields_of(body_of(event)) == fields_of(wanted)


@clause("AP-MIG-02")
def test_the_migrators_second_run_finds_what_it_wrote(owner, client, mine):
    before = migrated(owner, client, mine)
    for _ in range(2):
        nothing_published(client.runs())
    assert heads_of(owner, mine) == before


@clause("AP-MIG-04")
def test_what_was_signed_before_a_crash_is_published_after_it(keeps_two, owner, client, mine):
    client.has(mine)
    with pytest.raises(Crash):
        client.runs(kind=dies_at("publish"))
    signed = client.events()
    synced(client.runs())
    assert heads_of(owner, mine) == signed


@clause("AP-MIG-05")
def test_a_crash_at_any_step_is_finished_by_the_next_run(keeps_two, owner, client, check):
    records = many(20, check.seed)
    client.has(records)
    for step in STEPS:
        with pytest.raises(Crash):
            client.runs(kind=dies_at(step))
    synced(client.runs())
    assert len(heads_of(owner, records)) == len(records)
    nothing_published(client.runs())


@clause("AP-MIG-07")
def test_a_first_run_offline_is_published_later(keeps_two, owner, client, mine):
    client.has(mine)
    if client.runs(transport=Offline()).is_synced:
        raise Inconclusive("the migrator took an unreachable relay for a synced one")
    signed = client.events()
    synced(client.runs())
    assert heads_of(owner, mine) == signed


@clause("AP-MIG-08")
def test_a_queue_grown_too_old_is_dated_anew_and_taken(keeps_two, owner, client, mine, clock):
    client.has(mine)
    client.runs(transport=Offline(), now=lambda: clock.now() - 1000)
    synced(client.runs())
    heads = heads_of(owner, mine)
    assert len(heads) == len(mine)
    assert all(event.created_at >= clock.now() for event in heads.values())
    nothing_published(client.runs())


@clause("AP-MIG-11")
def test_the_identical_event_again_is_a_success(owner, client, mine):
    before = migrated(owner, client, mine)
    client.forgets_acknowledgements()
    report = client.runs(transport=Blind(owner.ws))
    if not report.is_synced:
        raise Broken("an event that is there already to be accepted", str(report.pending))
    answer = owner.send(before[mine[0]["id"]])
    if not answer.accepted:
        raise Broken("OK true for an event that is there already", str(answer))
    assert heads_of(owner, mine) == before


# -- which version is the head -------------------------------------------------------


@clause("AP-MIG-12")
def test_the_migrator_sees_a_newer_head_before_it_writes(keeps_two, owner, client, mine, clock):
    slug = mine[0]["id"]
    theirs = owner.publish(draft_of(slug, body("Newer"), at=clock.now() - 5))
    client.has(mine)
    report = client.runs()
    if owner.head(slug) != theirs:
        raise Broken("the newer head to be read, and kept", f"another head; {report.to_json()}")


@clause("AP-MIG-13")
def test_a_version_one_second_past_a_future_head_supersedes_it(owner, client, mine, clock):
    before = migrated(owner, client, mine)
    ahead = owner.publish(before[mine[0]["id"]].resigned(owner.key, created_at=clock.now() + 30))
    client.has([mine[0] | {"system_prompt": "Edited."}, *mine[1:]])
    synced(client.runs())
    head = owner.head(ahead.slug)
    assert head is not None
    assert head.created_at == ahead.created_at + 1
    assert body_of(head).get("system_prompt") == "Edited."


@clause("AP-MIG-14")
@each("first", ["lowest", "highest"])
def test_within_one_second_the_migrators_lowest_id_is_the_head(
    keeps_two, owner, slug, clock, first
):
    bodies = [draft_of(slug, body(f"Body {n}"), at=clock.now()) for n in (1, 2)]
    lowest, highest = sorted((owner.signs(one) for one in bodies), key=lambda one: one.id)
    for event in (lowest, highest) if first == "lowest" else (highest, lowest):
        owner.publish(event, expect=ANY)
    assert owner.head(slug) == lowest


@clause("AP-MIG-15")
def test_an_older_write_of_the_migrator_never_becomes_the_head(owner, client, mine, persona, slug):
    newer = migrated(owner, client, mine)[mine[0]["id"]]
    owner.publish(persona(slug))
    older = draft_of(newer.slug, body("Older"), at=newer.created_at - 30)
    owner.publish(older, expect=ANY)
    assert owner.head(newer.slug) == newer


@clause("AP-MIG-16")
def test_two_devices_of_one_owner_come_to_rest(owner, client, other_client, mine):
    before = migrated(owner, client, mine)
    other_client.has(mine)
    for device in (other_client, client, other_client, client, other_client):
        nothing_published(device.runs())
    assert heads_of(owner, mine) == before


@clause("AP-MIG-17")
@each("lowest", ("first", "last"), ids=lambda lowest: f"the lowest comes {lowest}")
def test_two_devices_in_one_second_agree_on_the_lowest_id(
    keeps_two, owner, client, other_client, mine, clock, lowest
):
    client.has(mine[:1])
    other_client.has([mine[0] | {"system_prompt": "The other device's text."}])
    for device in (client, other_client):
        device.runs(transport=Offline(), now=clock.now)
    by_id = sorted((client, other_client), key=lambda device: device.events()[mine[0]["id"]].id)
    agreed = by_id[0].events()[mine[0]["id"]]
    for device in by_id if lowest == "first" else reversed(by_id):
        device.runs(transport=Blind(device.owner.ws), now=clock.now)
    assert owner.head(agreed.slug) == agreed
    for device in (client, other_client, client, other_client):
        nothing_published(device.runs())
    assert owner.head(agreed.slug) == agreed


@clause("AP-MIG-18")
def test_an_edit_replaces_the_version_before(owner, client, mine):
    before = migrated(owner, client, mine)
    client.has([mine[0] | {"system_prompt": "Edited."}, *mine[1:]])
    report = client.runs()
    assert list(report.published) == [mine[0]["id"]]
    after = heads_of(owner, mine)
    edited = after.taken(mine[0]["id"])
    old = before.taken(edited.slug)
    assert body_of(edited).get("system_prompt") == "Edited."
    assert edited.created_at > old.created_at
    assert after == before


@clause("AP-MIG-19")
def test_an_added_persona_is_published_alone(owner, client, mine):
    before = migrated(owner, client, mine[:2])
    client.has(mine)
    assert list(client.runs().published) == [mine[2]["id"]]
    after = heads_of(owner, mine)
    assert after.taken(mine[2]["id"]).slug == mine[2]["id"]
    assert after == before


# -- deletions -----------------------------------------------------------------------


@clause("AP-MIG-24")
def test_what_one_device_deletes_stays_deleted(owner, client, other_client, mine):
    head = migrated(owner, client, mine)[mine[0]["id"]]
    other_client.has(mine)
    other_client.runs()
    with vanishes(head, address(owner, head.slug), for_=owner):
        client.has(mine[1:])
        client.runs()
        other_client.runs()


@clause("AP-MIG-27")
def test_deleted_offline_and_made_again_ends_with_the_new_text(owner, client, mine):
    slug = mine[0]["id"]
    migrated(owner, client, mine)
    client.has(mine[1:])
    synced(client.runs())
    client.has([mine[0] | {"system_prompt": "Made again."}, *mine[1:]])
    report = client.runs()
    head = owner.head(slug)
    if head is None or body_of(head).get("system_prompt") != "Made again.":
        raise Broken("the new text as the head", f"{head and body_of(head)}; {report.to_json()}")


@clause("AP-MIG-28")
@each("form", ["with-k", "without-k"])
def test_the_owners_deletion_request_takes_the_head_away(owner, client, mine, form, clock):
    head = migrated(owner, client, mine)[mine[0]["id"]]
    with vanishes(head, address(owner, head.slug), for_=owner):
        owner.delete(
            f"{PERSONA}:{owner.pubkey}:{head.slug}",
            at=max(clock.now(), head.created_at),
            k=form == "with-k",
        )


@clause("AP-MIG-28")
def test_a_foreign_deletion_request_has_no_effect(owner, stranger, client, mine, clock):
    head = migrated(owner, client, mine)[mine[0]["id"]]
    tags = (("a", f"{PERSONA}:{owner.pubkey}:{head.slug}"), ("k", str(PERSONA)))
    stranger.publish(Draft(PERSONA, clock.now(), (("d", head.slug),), body("Stranger")))
    stranger.publish(Draft(DELETION, max(clock.now(), head.created_at), tags), expect=ANY)
    assert owner.head(head.slug) == head


@clause("AP-MIG-28")
def test_a_head_newer_than_the_request_survives(owner, client, mine):
    head = migrated(owner, client, mine)[mine[0]["id"]]
    owner.delete(f"{PERSONA}:{owner.pubkey}:{head.slug}", at=head.created_at - 30)
    assert owner.head(head.slug) == head


# -- owners, numbers, clocks ---------------------------------------------------------


@clause("AP-MIG-32")
def test_two_owners_with_one_file_have_their_own_heads(
    owner, other_owner, client, mine, folder, check
):
    before = migrated(owner, client, mine)
    colleague = Client(other_owner, folder / "colleague", check.url)
    theirs = migrated(other_owner, colleague, mine)
    assert {event.pubkey for event in theirs.values()} == {other_owner.pubkey}
    nothing_published(client.runs())
    assert heads_of(owner, mine) == before


@clause("AP-MIG-34")
def test_a_thousand_personas_are_all_read_back(keeps_two, owner, client, check, relay):
    check.level = SHOULD  # the clause binds migrators; for the relay's half it says "should"
    load = check.surface.context.settings.migrator_load
    records = many(min(load, 100), check.seed)
    client.has(records)
    synced(client.runs())  # which meets a limit of the relay, where there is one
    if is_loopback(check.subject.url) and not check.met_a_limit():
        records = many(load, check.seed)
        client.has(records)
        synced(client.runs())
    most = relay.limit("max_limit")
    wanted = min(most or len(records), len(records))
    page = answered(owner, all_of(owner).changed(limit=wanted))
    check.fact("personas", len(records))
    check.fact("read_in_one_list", len(page))
    if len(page) < wanted and not most:
        check.note(f"the relay gives {len(page)} events in one answer, and announces no max_limit")
        page = tuple(heads_of(owner, records).values())
    if len(page) != wanted:
        raise Broken(f"{wanted} heads in one list with that limit", str(len(page)))
    nothing_published(client.runs())


@clause("AP-MIG-35")
def test_events_of_an_old_file_are_dated_now(owner, client, mine, clock):
    heads = migrated(owner, client, mine)
    assert all(abs(event.created_at - clock.now()) <= 900 for event in heads.values())


@clause("AP-MIG-35")
def test_a_relay_that_claims_a_guard_refuses_what_lies_outside(owner, relay, persona, slug, clock):
    limit = relay.limit("created_at_lower_limit")
    if not limit or limit > 10 * 365 * 86_400:
        return
    refused(owner, persona(slug, at=clock.now() - limit - 300), twin=persona(slug))


@clause("AP-MIG-42")
def test_what_was_acknowledged_is_there_when_asked(keeps_two, owner, client, mine):
    client.has(mine)
    published = client.runs().published
    if not published:
        raise Inconclusive("the relay acknowledged nothing")
    for slug, identifier in published.items():
        by_id = owner.read(Filter.of(kinds=[PERSONA], authors=[owner.pubkey], ids=[identifier]))
        by_address = owner.read(address(owner, slug))
        assert by_id.ids == (identifier,)
        assert by_address.ids == (identifier,)


# -- helpers -------------------------------------------------------------------------


def body(name):
    return f'{{"display_name":"{name}","system_prompt":"You are a test."}}'


def slugs(records):
    return [one["id"] for one in records]


def heads_of(actor, records):
    return actor.heads(*slugs(records))


def migrated(actor, client, records):
    """A first run that has to work."""
    client.has(records)
    report = client.runs()
    heads = heads_of(actor, records)
    if not report.is_synced or len(heads) != len(records):
        raise Inconclusive(
            f"the migrator's first run ended with {len(heads)} of {len(records)} heads: "
            f"{report.to_json()}"
        )
    return heads


def synced(report):
    """Claim: the relay took everything."""
    if not report.is_synced:
        raise Broken("the relay to take all that the migrator sent", str(report.to_json()))


def nothing_published(report):
    """Claim: the migrator saw no reason to publish."""
    if report.published or report.deleted:
        raise Broken(
            "a relay that still has what was written, so that nothing is published again",
            str(report.to_json()),
        )
