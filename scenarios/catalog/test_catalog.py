"""CAT: team catalogs (30178), for their author alone unless shared (NIP-AP, "Access control")."""

import pytest

from nip_ap.checking import gate_plans
from nip_ap.checking.findings import Theme
from nip_ap.scenario import (
    ANY,
    COUNT,
    DELETION,
    NOTE,
    REQ,
    TEAM_CATALOG,
    Draft,
    Filter,
    accepted,
    address,
    all_of,
    clause,
    data,
    delivered,
    each,
    every_door,
    indistinguishable,
    refused,
    same_events,
    vanishes,
    withheld,
)

BODY = data("family/bodies")["team_catalog"]
IDS = data("team_ids")
SHARED = ("shared", "true")
MALFORMED = (
    [("shared", "false")],
    [("shared", "TRUE")],
    [("shared", "")],
    [("shared",)],
    [("shared", "true", "")],
    [SHARED, SHARED],
)
SHARE = 0.25
"""Of the questions that the same plans ask about personas: the gate is one for both kinds."""


@pytest.fixture
def catalog(clock):
    """Makes drafts: catalog(team_id, at=..., shared=True, tags=[...])."""

    def make(team, *, at=None, shared=False, tags=()):
        own = [("d", team)] if team is not None else []
        gate = [SHARED] if shared else []
        when = clock.now() if at is None else at
        return Draft(TEAM_CATALOG, when, (*own, *gate, *tags), BODY)

    return make


def at(owner, team):
    """The filter for one team of an owner."""
    return address(owner, team, kind=TEAM_CATALOG)


def every_of(owner):
    """The filter for all teams of an owner."""
    return all_of(owner, kinds=[TEAM_CATALOG])


def by_id(event):
    """The event by its id."""
    return Filter.of(kinds=[TEAM_CATALOG], ids=[event.id])


def are_refused(owner, bad, twin):
    """Each is refused with `invalid:`; the twin is accepted and served."""
    for answer in refused(owner, bad, twin=twin):
        assert answer.prefix == "invalid:"


# -- the id ------------------------------------------------------------------------------


@clause("AP-CAT-01")
@each(
    "named",
    [
        {"name": "none", "tags": []},
        {"name": "two", "tags": [("d", "other")]},
        {"name": "one without a value", "tags": [("d",)]},
        {"name": "one without a value beside a good one", "tags": [("d",)]},
    ],
)
def test_there_is_exactly_one_d(owner, catalog, slug, named):
    beside = named["name"] in ("two", "one without a value beside a good one")
    bad = catalog(slug if beside else None, tags=named["tags"])
    are_refused(owner, [bad], twin=catalog(slug))


@clause("AP-CAT-02")
@every_door
def test_an_empty_team_id_is_refused(owner, catalog, slug, via):
    refused(owner, catalog(""), twin=catalog(slug), via=via)


@clause("AP-CAT-03")
def test_a_team_id_of_64_characters_is_accepted(owner, catalog):
    for team in IDS["longest"]:
        event = accepted(owner, catalog(team))
        assert event in owner.read(at(owner, team))


@clause("AP-CAT-03")
def test_a_team_id_of_65_characters_is_refused(owner, catalog, slug):
    are_refused(owner, [catalog(team) for team in IDS["too_long"]], twin=catalog(slug))


@clause("AP-CAT-04")
@each("sort", ("control", "space"))
def test_a_character_that_cannot_be_seen_is_refused(owner, catalog, slug, sort):
    bad = [f"te{character}am" for character in IDS[sort]]
    bad += [f"{character}team" for character in IDS[sort][:4]]
    bad += [f"team{character}" for character in IDS[sort][-4:]]
    are_refused(owner, [catalog(team) for team in bad], twin=catalog(slug))


@clause("AP-CAT-05")
@every_door
def test_any_other_team_id_is_accepted_and_found(owner, catalog, via):
    for one in IDS["free"]:
        event = accepted(owner, catalog(one["id"]), via=via)
        (served,) = owner.read(at(owner, one["id"]), via=via).events
        assert served.same_bytes_as(event)


@clause("AP-CAT-06")
@each("unlike", IDS["unlike"])
def test_team_ids_are_compared_byte_for_byte(owner, catalog, unlike):
    events = {team: owner.publish(catalog(team)) for team in unlike["ids"]}
    for team, event in events.items():
        same_events(owner.read(at(owner, team)).events, [event])


@clause("AP-CAT-11")
def test_each_team_is_at_an_address_of_its_own(owner, catalog, check):
    events = [owner.publish(catalog(check.slug(f"team-{number}"))) for number in range(3)]
    same_events(owner.read(every_of(owner)).events, events)
    for event in events:
        same_events(owner.read(at(owner, event.slug)).events, [event])


# -- sharing -----------------------------------------------------------------------------


@clause("AP-CAT-07")
def test_a_malformed_shared_tag_of_a_team_catalog_is_refused(owner, catalog, slug):
    bad = [catalog(slug, tags=tags) for tags in MALFORMED]
    are_refused(owner, bad, twin=catalog(slug, shared=True))


@clause("AP-CAT-08")
def test_stored_team_catalogs_are_gated_in_every_shape(traffic):
    traffic.holds(gate_plans.stored, Theme.GATE, kind=TEAM_CATALOG, share=SHARE)


@clause("AP-CAT-08")
def test_live_team_catalogs_are_gated_in_every_shape(traffic):
    traffic.holds(gate_plans.live, Theme.GATE, kind=TEAM_CATALOG, share=SHARE)


@clause("AP-CAT-08", needs=["count"])
def test_counts_of_team_catalogs_are_gated_in_every_shape(traffic):
    traffic.holds(gate_plans.counts, Theme.GATE, kind=TEAM_CATALOG, share=SHARE)


@clause("AP-CAT-08", needs=["http"])
def test_team_catalogs_are_gated_at_the_http_door(traffic):
    traffic.holds(gate_plans.http, Theme.GATE, kind=TEAM_CATALOG, share=SHARE)


@clause("AP-CAT-09")
def test_a_shared_team_catalog_is_given_to_strangers(owner, stranger, catalog, slug):
    watch = stranger.watch(every_of(owner))
    event = owner.publish(catalog(slug, shared=True))
    delivered(event, on=watch)
    mixed = all_of(owner, kinds=[NOTE, TEAM_CATALOG])
    for wanted in (at(owner, slug), every_of(owner), mixed, by_id(event)):
        assert event in stranger.read(wanted), wanted


@clause("AP-CAT-10")
@every_door
def test_unsharing_hides_it_and_deletes_nothing(owner, stranger, catalog, slug, clock, via):
    shared = owner.publish(catalog(slug, at=clock.now() - 10, shared=True), via=via)
    with (
        vanishes(shared, at(owner, slug), for_=stranger, via=via),
        vanishes(shared, by_id(shared), for_=stranger, via=via),
    ):
        head = owner.publish(catalog(slug), via=via)
    elsewhere = owner.another_connection()
    for wanted in (at(owner, slug), every_of(owner)):
        same_events(elsewhere.read(wanted, via=via).events, [head])
    for wanted in (at(owner, slug), every_of(owner), by_id(head)):
        withheld(head, wanted, from_=stranger, seen_by=owner, via=via)


def questions(event):
    """What a stranger who suspects a team might ask."""
    by_author = Filter.of(kinds=[TEAM_CATALOG], authors=[event.pubkey])
    return [by_author.changed(tags={"d": (event.slug,)}), by_id(event), by_author]


def look_the_same(owner, other_owner, stranger, catalog, slug, other_slug, *, verb, via):
    """What a stranger sees of a hidden team, and of one that was never published."""
    hidden = owner.publish(catalog(slug))
    absent = other_owner.signs(catalog(other_slug))
    indistinguishable(hidden, absent, questions, to=stranger, seen_by=owner, verb=verb, via=via)


@clause("AP-CAT-12")
@every_door
def test_a_hidden_team_catalog_looks_absent(
    owner, other_owner, stranger, catalog, slug, other_slug, via
):
    look_the_same(owner, other_owner, stranger, catalog, slug, other_slug, verb=REQ, via=via)


@clause("AP-CAT-12", needs=["count"])
@every_door
def test_a_hidden_team_catalog_counts_as_absent(
    owner, other_owner, stranger, catalog, slug, other_slug, via
):
    look_the_same(owner, other_owner, stranger, catalog, slug, other_slug, verb=COUNT, via=via)


# -- versions ----------------------------------------------------------------------------


@clause("AP-CAT-13")
@each("hint", ("with k", "without k"))
def test_a_deletion_by_address_takes_a_team_catalog_away(
    owner, stranger, catalog, slug, clock, hint
):
    head = owner.publish(catalog(slug, at=clock.now() - 20, shared=True))
    tags = [("a", f"{TEAM_CATALOG}:{owner.pubkey}:{slug}")]
    tags += [("k", str(TEAM_CATALOG))] if hint == "with k" else []
    with (
        vanishes(head, at(owner, slug), for_=owner),
        vanishes(head, by_id(head), for_=stranger),
    ):
        owner.publish(Draft(DELETION, clock.now() - 10, tuple(tags)))
    later = accepted(owner, catalog(slug))
    same_events(owner.read(at(owner, slug)).events, [later])


@clause("AP-CAT-14")
def test_the_newer_team_catalog_is_the_head(owner, catalog, slug, clock):
    owner.publish(catalog(slug, at=clock.now() - 20))
    head = owner.publish(catalog(slug, at=clock.now() - 10), expect=ANY)
    owner.publish(catalog(slug, at=clock.now() - 15), expect=ANY)
    for wanted in (at(owner, slug), every_of(owner)):
        same_events(owner.read(wanted).events, [head])
