"""GATE: author-only unless shared, at every surface (NIP-AP, "Access control"; from 2026-11)."""

from nip_ap.scenario import (
    COUNT,
    HTTP,
    NOTE,
    PERSONA,
    REQ,
    Filter,
    Inconclusive,
    accepted,
    address,
    all_of,
    clause,
    delivered,
    each,
    every_door,
    head_at,
    indistinguishable,
    refused,
    same_events,
    undelivered,
    vanishes,
    withheld,
)

MALFORMED = (
    [("shared", "false")],
    [("shared", "1")],
    [("shared", "TRUE")],
    [("shared", " true")],
    [("shared", "")],
    [("shared",)],
    [("shared", "true"), ("shared", "true")],
    [("shared", "true"), ("shared", "false")],
)


def by_kind(event):
    """All late personas: bounded, since the relay may have other users."""
    return Filter.of(
        kinds=[PERSONA], since=event.created_at - 1, until=event.created_at + 1, limit=500
    )


def by_id(event):
    """The event by its id; the kind keeps relays content that mind filters without one."""
    return Filter.of(kinds=[PERSONA], ids=[event.id])


def ways_to_count(event, author):
    """Filters that say whose events they count."""
    return (
        address(author, event.slug),
        all_of(author),
        by_id(event).changed(authors=(author.pubkey,)),
    )


def ways_to_read(event, author):
    """Every sort of filter that finds an event."""
    return {
        "address": address(author, event.slug),
        "author": all_of(author),
        "kind": by_kind(event),
        "mixed kinds": all_of(author, kinds=[NOTE, PERSONA]),
        "id": by_id(event),
    }


# -- the tag -----------------------------------------------------------------------------


@clause("AP-GATE-01")
@every_door
def test_one_shared_tag_or_none_is_accepted(owner, persona, slug, other_slug, via):
    for draft in (persona(slug), persona(other_slug, shared=True)):
        event = accepted(owner, draft, via=via)
        served = head_at(owner, event.slug, via=via)
        assert (served, served.tags) == (event, event.tags)


@clause("AP-GATE-02")
def test_a_malformed_shared_tag_is_refused(owner, persona, slug):
    bad = [persona(slug, tags=tags) for tags in MALFORMED]
    are_refused(owner, bad, twin=persona(slug, shared=True))


@clause("AP-GATE-02")
def test_a_shared_tag_with_a_third_element_is_refused(owner, persona, slug):
    bad = [persona(slug, tags=[("shared", "true", more)]) for more in ("", "true")]
    are_refused(owner, bad, twin=persona(slug, shared=True))


def are_refused(owner, bad, twin):
    """Refusals with `invalid:` that leave nothing behind."""
    events, kept = [owner.signs(draft) for draft in bad], owner.signs(twin)
    for answer in refused(owner, events, twin=twin):
        assert answer.prefix == "invalid:"
    reading = owner.read(Filter.of(kinds=[PERSONA], ids=[one.id for one in (*events, kept)]))
    assert kept in reading
    for event in events:
        assert event not in reading


# -- withheld ----------------------------------------------------------------------------


@clause("AP-GATE-03")
@each("way", ("address", "author", "kind", "mixed kinds"))
def test_an_unshared_persona_is_withheld(owner, stranger, anonymous, persona, slug, way):
    event = owner.publish(persona(slug))
    for reader in (stranger, anonymous):
        withheld(event, ways_to_read(event, owner)[way], from_=reader, seen_by=owner)


@clause("AP-GATE-04")
def test_an_unshared_persona_is_withheld_by_id(owner, stranger, anonymous, persona, slug):
    event = owner.publish(persona(slug))
    for reader in (stranger, anonymous):
        withheld(event, by_id(event), from_=reader, seen_by=owner)


@clause("AP-GATE-05")
def test_an_unshared_persona_is_not_delivered_live(
    owner, stranger, anonymous, persona, slug, other_slug, relay
):
    hidden = owner.signs(persona(slug))
    shared = owner.signs(persona(other_slug, shared=True))
    ways = (
        all_of(owner),
        all_of(owner, kinds=[NOTE, PERSONA]),
        address(owner, slug, other_slug),
        by_kind(hidden),
    )
    own = owner.another_connection().watch(all_of(owner))
    # Where nobody reads unauthenticated, nobody watches so either.
    strangers = [stranger] if relay.offers("auth-to-read") else [stranger, anonymous]
    theirs = [reader.watch(wanted) for reader in strangers for wanted in ways]
    owner.publish_all([hidden, shared])
    own.wait_for(hidden)
    for watch in theirs:
        undelivered(hidden, on=watch, fence=shared)


@clause("AP-GATE-06")
def test_an_unshared_persona_is_not_counted(owner, stranger, persona, slug, other_slug):
    hidden = owner.publish(persona(slug))
    owner.publish(persona(other_slug, shared=True))
    for wanted in ways_to_count(hidden, owner):
        assert stranger.counted(wanted).count < owner.count(wanted)


@clause("AP-GATE-06")
def test_an_unshared_persona_is_not_counted_without_authentication(owner, anonymous, persona, slug):
    hidden = owner.publish(persona(slug))
    for wanted in ways_to_count(hidden, owner):
        assert owner.count(wanted) == 1
        assert anonymous.counted(wanted).count == 0


@clause("AP-GATE-07")
def test_an_unshared_persona_is_withheld_over_http(owner, stranger, anonymous, persona, slug):
    event = owner.publish(persona(slug))
    for wanted in ways_to_read(event, owner).values():
        for reader in (stranger, anonymous):
            withheld(event, wanted, from_=reader, seen_by=owner, via=HTTP)


@clause("AP-GATE-07")
def test_an_unshared_persona_is_not_counted_over_http(owner, stranger, anonymous, persona, slug):
    event = owner.publish(persona(slug))
    for wanted in ways_to_count(event, owner):
        assert owner.count(wanted, via=HTTP) == 1
        for reader in (stranger, anonymous):
            assert reader.counted(wanted, via=HTTP).count == 0


# -- given -------------------------------------------------------------------------------


@clause("AP-GATE-08")
@every_door
def test_a_shared_persona_is_given_to_strangers(owner, stranger, persona, slug, via):
    event = owner.publish(persona(slug, shared=True))
    for way, wanted in ways_to_read(event, owner).items():
        assert event in stranger.read(wanted, via=via), way


@clause("AP-GATE-08")
def test_a_shared_persona_is_delivered_live_to_strangers(owner, stranger, persona, slug):
    watch = stranger.watch(all_of(owner))
    delivered(owner.publish(persona(slug, shared=True)), on=watch)


@clause("AP-GATE-08", needs=["count"])
@every_door
def test_a_shared_persona_is_counted_for_strangers(owner, stranger, persona, slug, via):
    event = owner.publish(persona(slug, shared=True))
    for wanted in ways_to_count(event, owner):
        assert stranger.count(wanted, via=via) == 1


@clause("AP-GATE-08")
def test_sharing_a_persona_shows_it(owner, stranger, persona, slug, clock):
    owner.publish(persona(slug, at=clock.now() - 10))
    shared = owner.publish(persona(slug, shared=True))
    assert stranger.head(slug, of=owner) == shared


@clause("AP-GATE-09")
@every_door
def test_the_author_sees_all_own_personas_elsewhere(owner, persona, slug, other_slug, via):
    events = owner.publish_all([persona(slug), persona(other_slug, shared=True)])
    same_events(owner.another_connection().personas(via=via).events, events)


@clause("AP-GATE-09")
def test_the_author_gets_all_own_personas_live_elsewhere(owner, persona, slug, other_slug):
    watch = owner.another_connection().watch(all_of(owner))
    for event in owner.publish_all([persona(slug), persona(other_slug, shared=True)]):
        delivered(event, on=watch)


# -- un-sharing --------------------------------------------------------------------------


@clause("AP-GATE-10")
@every_door
def test_unsharing_hides_the_new_head_and_the_old_version(
    owner, stranger, persona, slug, clock, via
):
    shared = owner.publish(persona(slug, at=clock.now() - 10, shared=True), via=via)
    by_address, by_author = address(owner, slug), all_of(owner)
    with (
        vanishes(shared, by_address, for_=stranger, via=via),
        vanishes(shared, by_author, for_=stranger, via=via),
        vanishes(shared, by_id(shared), for_=stranger, via=via),
    ):
        head = owner.publish(persona(slug, at=clock.now()), via=via)
    for wanted in (by_address, by_author, by_id(head)):
        withheld(head, wanted, from_=stranger, seen_by=owner, via=via)


# -- existence ---------------------------------------------------------------------------


def questions(event):
    """What a stranger who suspects an event might ask: by address, id, author, of mixed kinds."""
    by_author = Filter.of(kinds=[PERSONA], authors=[event.pubkey])
    return [
        by_author.changed(tags={"d": (event.slug,)}),
        by_id(event),
        by_author,
        by_author.changed(kinds=(NOTE, PERSONA)),
    ]


def look_the_same(owner, other_owner, strangers, persona, slug, other_slug, *, verb, via):
    """What every stranger sees of a hidden persona, and of one that was never published."""
    hidden = owner.publish(persona(slug))
    never_published = other_owner.signs(persona(other_slug))
    for reader in strangers:
        indistinguishable(
            hidden, never_published, questions, to=reader, seen_by=owner, verb=verb, via=via
        )


@clause("AP-GATE-11")
@every_door
def test_hidden_and_absent_look_the_same(
    owner, other_owner, stranger, anonymous, persona, slug, other_slug, via
):
    strangers = (stranger, anonymous)
    look_the_same(owner, other_owner, strangers, persona, slug, other_slug, verb=REQ, via=via)


@clause("AP-GATE-11", needs=["count"])
@every_door
def test_hidden_and_absent_count_the_same(
    owner, other_owner, stranger, anonymous, persona, slug, other_slug, via
):
    strangers = (stranger, anonymous)
    look_the_same(owner, other_owner, strangers, persona, slug, other_slug, verb=COUNT, via=via)


def seen_by(reader, wanted, events, via):
    """The control of what is withheld: these are not."""
    reading = reader.read(wanted, via=via)
    if not all(event in reading for event in events):
        raise Inconclusive(f"{reader.name} does not see what is shared either: {reading}")


@clause("AP-GATE-12")
@every_door
def test_hidden_personas_do_not_use_up_a_limit(owner, stranger, persona, check, clock, via):
    shared = [
        persona(check.slug(f"shared-{number}"), at=clock.now() - 40 - number, shared=True)
        for number in range(3)
    ]
    newer = [persona(check.slug(f"own-{number}"), at=clock.now() - number) for number in range(5)]
    events = owner.publish_all([*shared, *newer])
    seen_by(stranger, all_of(owner), events[:3], via)
    reading = stranger.read(all_of(owner).changed(limit=3), via=via)
    same_events(reading.events, events[:3])


@clause("AP-GATE-13")
@every_door
def test_search_results_are_gated(owner, stranger, persona, slug, other_slug, via):
    hidden, shown = f"hidden{slug.replace('-', '')}", f"shown{other_slug.replace('-', '')}"
    owner.publish(persona(slug, name=hidden))
    shared = owner.publish(persona(other_slug, name=shown, shared=True))

    def search(word):
        return Filter.of(kinds=[PERSONA], search=word, limit=10)

    if stranger.read_until(shared, search(shown), via=via).events != (shared,):
        raise Inconclusive("a search does not find a shared persona either")
    assert stranger.read(search(hidden), via=via).events == ()


# -- June --------------------------------------------------------------------------------


@clause("AP-GATE-14")
@every_door
def test_personas_are_public(owner, stranger, persona, slug, via):
    event = owner.publish(persona(slug))
    for way, wanted in ways_to_read(event, owner).items():
        assert event in stranger.read(wanted, via=via), way
