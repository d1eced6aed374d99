"""TEAM: teams (30176) and managed agents (30177), a client's mirror between its own devices."""

import pytest

from nip_ap.scenario import (
    ANY,
    DELETION,
    HTTP,
    MANAGED_AGENT,
    MESSAGE,
    NOTE,
    TEAM,
    Draft,
    Filter,
    Inconclusive,
    accepted,
    address,
    all_of,
    clause,
    data,
    each,
    every_door,
    refused,
    same_events,
    vanishes,
)

BODIES = data("family/bodies")
NAMES = {TEAM: "team", MANAGED_AGENT: "managed_agent"}
of_each_kind = each("kind", NAMES, ids=NAMES.__getitem__)


@pytest.fixture
def made(clock, other_owner, slug):
    """Makes drafts: made(kind, d, at=..., tags=[...]); an agent is named by its public key."""

    def make(kind, d=None, *, at=None, tags=()):
        own = d or (other_owner.pubkey if kind == MANAGED_AGENT else slug)
        when = clock.now() if at is None else at
        return Draft(kind, when, (("d", own), *tags), BODIES[NAMES[kind]])

    return make


def deletion(event, at):
    """A kind 5 with an `a` tag and nothing else."""
    return Draft(DELETION, at, (("a", f"{event.kind}:{event.pubkey}:{event.slug}"),))


@clause("AP-TEAM-01")
@of_each_kind
@every_door
def test_it_is_accepted_and_served_byte_for_byte(owner, made, kind, via):
    event = accepted(owner, made(kind), via=via)
    (served,) = owner.read(address(owner, event.slug, kind=kind), via=via).events
    assert served.same_bytes_as(event)


@clause("AP-TEAM-02")
@of_each_kind
def test_the_newer_team_or_agent_is_the_head(owner, other_owner, made, kind, clock):
    first = owner.publish(made(kind, at=clock.now() - 20))
    head = owner.publish(made(kind, at=clock.now() - 10), expect=ANY)
    owner.publish(made(kind, at=clock.now() - 15), expect=ANY)
    theirs = other_owner.publish(made(kind))
    for wanted in (address(owner, first.slug, kind=kind), all_of(owner, kinds=[kind])):
        same_events(owner.read(wanted).events, [head])
    same_events(other_owner.read(address(other_owner, first.slug, kind=kind)).events, [theirs])


@clause("AP-TEAM-03")
@of_each_kind
def test_a_deletion_by_address_takes_a_team_or_agent_away(owner, made, kind, clock):
    head = owner.publish(made(kind, at=clock.now() - 20))
    place = address(owner, head.slug, kind=kind)
    with vanishes(head, place, for_=owner):
        owner.publish(deletion(head, clock.now() - 10))
    owner.publish(head, expect=ANY)
    same_events(owner.read(place).events, [])
    later = accepted(owner, made(kind))
    same_events(owner.read(place).events, [later])


@clause("AP-TEAM-04")
@of_each_kind
def test_the_slug_grammar_is_not_for_it(owner, made, kind):
    for one in data("team_ids")["of_teams"]:
        event = accepted(owner, made(kind, one["id"]))
        same_events(owner.read(address(owner, one["id"], kind=kind)).events, [event])


@clause("AP-TEAM-05")
@of_each_kind
def test_a_d_over_1024_bytes_is_refused(owner, made, kind):
    too_long, longest = made(kind, "é" * 512 + "x"), made(kind, "é" * 512)
    refused(owner, too_long, twin=longest)


@clause("AP-TEAM-06")
@of_each_kind
def test_who_may_read_it(owner, stranger, anonymous, made, kind, check):
    event = owner.publish(made(kind))
    readers = {"a stranger": stranger, "somebody unauthenticated": anonymous}
    found = {
        name: event in one.try_to_read(address(owner, event.slug, kind=kind))
        for name, one in readers.items()
    }
    assert event in owner.read(address(owner, event.slug, kind=kind))
    check.fact("may read", {"kind": kind, **found})
    who = [name for name, reads in found.items() if reads]
    check.note(f"kind {kind} is read by its author{''.join(f', {one}' for one in who)}")


@clause("AP-TEAM-07")
@of_each_kind
def test_an_h_tag_puts_it_in_no_channel(owner, stranger, made, kind, channel):
    message = owner.publish(channel.message("in the channel"))
    event = accepted(owner, made(kind, tags=[("h", channel.id)]))
    assert event in owner.read(address(owner, event.slug, kind=kind))
    reading = owner.read(Filter.of(kinds=[kind, MESSAGE], tags={"h": [channel.id]}))
    if message not in reading:
        raise Inconclusive(f"a message of the channel is not in its history either: {reading}")
    assert event not in reading


@clause("AP-TEAM-08")
@of_each_kind
@every_door
def test_a_key_without_users_write_is_refused_a_team(limited, made, kind, via):
    forbidden = made(kind)
    allowed = Draft(NOTE, forbidden.created_at, forbidden.tags, forbidden.content)
    (answer,) = refused(limited, forbidden, twin=allowed, via=via)
    assert answer.prefix == "restricted:"
    if via == HTTP:
        assert answer.status == 403
