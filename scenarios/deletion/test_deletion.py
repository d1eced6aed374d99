"""DEL: deletion requests against personas (NIP-AP, "Deletion"; NIP-09)."""

from nip_ap.scenario import (
    ANY,
    DELETION,
    PERSONA,
    Draft,
    Filter,
    accepted,
    address,
    all_of,
    clause,
    each,
    every_door,
    same_events,
    vanishes,
)


def by_id(event):
    """The event by its id; the kind keeps relays content that mind filters without one."""
    return Filter.of(kinds=[event.kind], ids=[event.id])


def request(clock, *tags, at=None):
    """A kind 5 with exactly these tags."""
    return Draft(DELETION, clock.now() if at is None else at, tuple(tags))


def at_address(event):
    """The `a` tag for a persona's address."""
    return ("a", f"{PERSONA}:{event.pubkey}:{event.slug}")


# -- by address --------------------------------------------------------------------------


@clause("AP-DEL-01")
@each("hint", ("with k", "without k"))
@every_door
def test_the_owners_request_removes_the_head(owner, persona, slug, clock, hint, via):
    head = owner.publish(persona(slug, at=clock.now() - 10), via=via)
    k = [("k", str(PERSONA))] if hint == "with k" else []
    with (
        vanishes(head, address(owner, slug), for_=owner, via=via),
        vanishes(head, all_of(owner), for_=owner, via=via),
        vanishes(head, by_id(head), for_=owner, via=via),
    ):
        owner.publish(request(clock, at_address(head), *k), via=via)


@clause("AP-DEL-01", needs=["count"])
def test_a_deleted_persona_is_not_counted(owner, persona, slug, clock):
    head = owner.publish(persona(slug, at=clock.now() - 10))
    assert owner.count(address(owner, slug)) == 1
    owner.publish(request(clock, at_address(head)))
    assert owner.count(address(owner, slug)) == 0


@clause("AP-DEL-02")
@each("named", ("a", "e"))
def test_somebody_elses_request_changes_nothing(owner, other_owner, persona, slug, clock, named):
    head = owner.publish(persona(slug, at=clock.now() - 10))
    tag = at_address(head) if named == "a" else ("e", head.id)
    other_owner.publish(request(clock, tag), expect=ANY)
    assert owner.head(slug) == head
    with vanishes(head, address(owner, slug), for_=owner, control=True):
        owner.publish(request(clock, tag))


@clause("AP-DEL-03")
def test_a_request_touches_only_its_own_address(
    owner, other_owner, persona, slug, other_slug, clock
):
    doomed = owner.publish(persona(slug, at=clock.now() - 10))
    longer = owner.publish(persona(f"{slug}-and-more", at=clock.now() - 10))
    other = owner.publish(persona(other_slug, at=clock.now() - 10))
    theirs = other_owner.publish(persona(slug, at=clock.now() - 10))
    with vanishes(doomed, all_of(owner), for_=owner, control=True):
        owner.publish(request(clock, at_address(doomed)))
    same_events(owner.personas().events, [longer, other])
    assert other_owner.head(slug) == theirs


@clause("AP-DEL-04")
@every_door
def test_a_later_write_brings_the_slug_back(owner, persona, slug, clock, via):
    head = owner.publish(persona(slug, at=clock.now() - 20), via=via)
    with vanishes(head, address(owner, slug), for_=owner, via=via, control=True):
        owner.publish(request(clock, at_address(head), at=clock.now() - 10), via=via)
    later = accepted(owner, persona(slug, at=clock.now()), via=via)
    same_events(owner.read(address(owner, slug), via=via).events, [later])


@clause("AP-DEL-05")
def test_a_request_older_than_the_head_leaves_it(owner, persona, slug, clock):
    head = owner.publish(persona(slug, at=clock.now() - 10))
    owner.publish(request(clock, at_address(head), at=clock.now() - 20), expect=ANY)
    assert owner.head(slug) == head
    with vanishes(head, address(owner, slug), for_=owner, control=True):
        owner.publish(request(clock, at_address(head), at=clock.now()))


# -- by id -------------------------------------------------------------------------------


@clause("AP-DEL-06")
def test_a_request_that_names_the_heads_id_removes_it(owner, persona, slug, clock):
    head = owner.publish(persona(slug, at=clock.now() - 10))
    with vanishes(head, address(owner, slug), for_=owner):
        owner.publish(request(clock, ("e", head.id)))


@clause("AP-DEL-06")
def test_a_request_that_names_a_superseded_id_leaves_the_head(owner, persona, slug, clock):
    superseded = owner.publish(persona(slug, at=clock.now() - 20))
    head = owner.publish(persona(slug, at=clock.now() - 10))
    owner.publish(request(clock, ("e", superseded.id)), expect=ANY)
    same_events(owner.read(address(owner, slug)).events, [head])


# -- afterwards --------------------------------------------------------------------------


@clause("AP-DEL-07")
@each("named", ("a", "e"))
def test_a_deleted_event_sent_again_does_not_come_back(owner, persona, slug, clock, named):
    head = owner.publish(persona(slug, at=clock.now() - 10))
    tag = at_address(head) if named == "a" else ("e", head.id)
    with vanishes(head, address(owner, slug), for_=owner, control=True):
        owner.publish(request(clock, tag))
    owner.publish(head, expect=ANY)
    same_events(owner.read(address(owner, slug)).events, [])


@clause("AP-DEL-08")
@every_door
def test_the_request_itself_can_be_read(owner, persona, slug, clock, via):
    head = owner.publish(persona(slug, at=clock.now() - 10), via=via)
    deletion = owner.publish(request(clock, at_address(head)), via=via)
    assert deletion in owner.read(by_id(deletion), via=via)
    assert deletion in owner.read(all_of(owner, kinds=[DELETION]), via=via)
