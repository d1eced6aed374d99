"""READ: filters and subscriptions, as far as personas need them (NIP-01)."""

from nip_ap.scenario import (
    AT_ONCE,
    PERSONA,
    Broken,
    Filter,
    Inconclusive,
    NoAnswer,
    address,
    all_of,
    answered,
    clause,
    delivered,
    each,
    every_door,
    same_events,
    undelivered,
)

MANY = 120
READS_AFTER_WRITES = 30


# -- stored events -----------------------------------------------------------------------


@clause("AP-READ-01")
@each("limit", (None, 1), ids=lambda limit: f"limit {limit}")
def test_a_read_by_address_gives_the_head_then_eose(owner, persona, slug, limit):
    event = owner.publish(persona(slug))
    stored = answered(owner, address(owner, slug).changed(limit=limit))
    assert [one.id for one in stored] == [event.id]


@clause("AP-READ-01")
@every_door
def test_a_read_by_address_is_not_refused(owner, persona, slug, via):
    event = owner.publish(persona(slug))
    assert event in owner.must_read(address(owner, slug), via=via)


@clause("AP-READ-02")
@every_door
def test_a_read_by_author_gives_all_heads(owner, persona, check, clock, relay, via):
    # A second apart each, so that a relay with short pages can be asked for all of them.
    events = owner.publish_all(
        persona(check.slug(str(number)), at=clock.now() - number) for number in range(MANY)
    )
    same_events(owner.personas(via=via).events, events)
    listed = len(owner.read_one_answer(all_of(owner), via=via))
    if listed == MANY or listed in (relay.limit("max_limit"), relay.limit("default_limit")):
        return
    asked = len(owner.read_one_answer(all_of(owner).changed(limit=MANY), via=via))
    if asked > listed:
        raise Broken(
            f"a list as long without a limit as with limit {MANY}, or a default_limit in NIP-11",
            f"{listed} events without one, {asked} with it",
        )
    check.note(f"the relay gives {listed} events in one answer, which NIP-11 does not announce")


@clause("AP-READ-03")
@every_door
def test_the_d_filter_is_exact(owner, persona, slug, via):
    owner.publish(persona(f"{slug}-and-more"))
    wanted = owner.publish(persona(slug))
    owner.publish(persona(slug[:-1]))
    same_events(owner.must_read(address(owner, slug), via=via).events, [wanted])


@clause("AP-READ-03")
@every_door
def test_the_d_filter_minds_case(owner, persona, slug, via):
    wanted = owner.publish(persona(slug))
    same_events(owner.must_read(address(owner, slug), via=via).events, [wanted])
    same_events(owner.must_read(address(owner, slug.upper()), via=via).events, [])


@clause("AP-READ-03")
@every_door
def test_several_values_of_d_are_alternatives(owner, persona, slug, other_slug, check, via):
    wanted = [owner.publish(persona(one)) for one in (slug, other_slug)]
    owner.publish(persona(check.slug("third")))
    same_events(owner.must_read(address(owner, slug, other_slug), via=via).events, wanted)


@clause("AP-READ-04")
@every_door
def test_the_authors_filter_keeps_others_out(owner, other_owner, persona, slug, via):
    mine = owner.publish(persona(slug, shared=True))
    theirs = other_owner.publish(persona(slug, shared=True))
    same_events(owner.read(address(owner, slug), via=via).events, [mine])
    same_events(owner.read(address(other_owner, slug), via=via).events, [theirs])


@clause("AP-READ-05")
@every_door
def test_the_ids_filter_gives_exactly_those(owner, persona, check, via):
    first, second, _ = [owner.publish(persona(check.slug(one))) for one in ("a", "b", "c")]
    unknown = first.id[::-1]  # one that no other check, and no earlier run, has written
    wanted = Filter.of(kinds=[PERSONA], ids=[first.id, second.id, unknown])
    same_events(owner.must_read(wanted, via=via).events, [first, second])


@clause("AP-READ-06")
@each("bound", ("since", "until"))
@every_door
def test_since_and_until_are_inclusive(owner, persona, check, clock, bound, via):
    times = [clock.now() - 20, clock.now() - 10, clock.now()]
    events = [owner.publish(persona(check.slug(str(at)), at=at)) for at in times]
    wanted = all_of(owner).changed(**{bound: times[1]})
    expected = events[1:] if bound == "since" else events[:2]
    same_events(owner.must_read(wanted, via=via).events, expected)


@clause("AP-READ-06")
@each("bound", ("since", "until"))
@every_door
def test_one_second_beyond_a_bound_is_out(owner, persona, check, clock, bound, via):
    times = [clock.now() - 20, clock.now() - 10, clock.now()]
    events = [owner.publish(persona(check.slug(str(at)), at=at)) for at in times]
    edge = times[1] + 1 if bound == "since" else times[1] - 1
    expected = events[2:] if bound == "since" else events[:1]
    same_events(owner.must_read(all_of(owner).changed(**{bound: edge}), via=via).events, expected)


AGES = (20, 0, 30, 10, 40)


@clause("AP-READ-07")
@every_door
def test_a_limit_gives_the_newest(owner, persona, check, clock, via):
    events = [owner.publish(persona(check.slug(str(age)), at=clock.now() - age)) for age in AGES]
    newest = sorted(events, key=lambda event: event.order)[:3]
    same_events(owner.must_read(all_of(owner).changed(limit=3), via=via).events, newest)


@clause("AP-READ-15")
@every_door
def test_the_newest_come_first(owner, persona, check, clock, via):
    events = [owner.publish(persona(check.slug(str(age)), at=clock.now() - age)) for age in AGES]
    newest = sorted(events, key=lambda event: event.order)[:3]
    reading = owner.read(all_of(owner).changed(limit=3), via=via)
    assert reading.ids == tuple(event.id for event in newest)


@clause("AP-READ-15")
@every_door
def test_in_one_second_the_lowest_id_comes_first(owner, persona, check, via):
    events = owner.publish_all(persona(check.slug(str(number))) for number in range(6))
    lowest = sorted(event.id for event in events)[:4]
    reading = owner.read(all_of(owner).changed(limit=4), via=via)
    assert list(reading.ids) == lowest


@clause("AP-READ-08")
def test_a_limit_of_zero_gives_nothing_stored_and_stays_live(owner, persona, slug, other_slug):
    stored = owner.publish(persona(slug))
    assert stored in owner.personas()
    try:
        watch = owner.watch(all_of(owner).changed(limit=0))
    except NoAnswer as error:
        raise Broken("EOSE for a limit of zero", str(error)) from error
    assert watch.stored == ()
    delivered(owner.publish(persona(other_slug)), on=watch)


@clause("AP-READ-09")
def test_several_filters_are_alternatives(owner, persona, check):
    first, second, third = [owner.publish(persona(check.slug(one))) for one in ("a", "b", "c")]
    reading = owner.read(
        address(owner, first.slug),
        address(owner, second.slug, first.slug),
        Filter.of(kinds=[PERSONA], authors=[owner.pubkey], ids=[second.id]),
    )
    same_events(set(reading.events), [first, second])
    assert third in owner.personas()


@clause("AP-READ-16")
def test_an_event_that_matches_several_filters_is_sent_once(owner, persona, slug):
    event = owner.publish(persona(slug))
    by_id = Filter.of(kinds=[PERSONA], authors=[owner.pubkey], ids=[event.id])
    reading = owner.read(address(owner, slug), all_of(owner), by_id)
    assert event in reading
    assert reading.ids.count(event.id) == 1


# -- live events -------------------------------------------------------------------------


@clause("AP-READ-10")
@each("way", ("author", "address"))
def test_a_new_head_is_delivered_live_once(owner, persona, slug, other_slug, way):
    wanted = all_of(owner) if way == "author" else address(owner, slug, other_slug)
    watch = owner.watch(wanted)
    event = owner.publish(persona(slug))
    delivered(event, on=watch)
    delivered(owner.publish(persona(other_slug)), on=watch)
    assert watch.copies_of(event) == 1


@clause("AP-READ-10")
def test_what_does_not_match_is_not_delivered_live(owner, persona, slug, other_slug):
    watch = owner.watch(address(owner, slug))
    other = owner.publish(persona(other_slug))
    undelivered(other, on=watch, fence=owner.publish(persona(slug)))


@clause("AP-READ-11")
def test_close_ends_a_subscription(owner, persona, slug, other_slug):
    closed = owner.watch(all_of(owner))
    delivered(owner.publish(persona(slug)), on=closed)
    open_one = owner.watch(all_of(owner))
    closed.close()
    event = owner.publish(persona(other_slug))
    delivered(event, on=open_one)
    fence = owner.another_connection().watch(all_of(owner))
    assert event in fence.stored
    assert closed.copies_of(event) == 0


@clause("AP-READ-11")
def test_a_reused_id_replaces_the_subscription(
    owner, other_owner, persona, slug, other_slug, check
):
    first = owner.watch(all_of(owner))
    delivered(owner.publish(persona(slug)), on=first)
    second = owner.watch_as(first.subscription.id, all_of(other_owner))
    late = owner.publish(persona(other_slug))
    fence = other_owner.publish(persona(check.slug("fence"), shared=True))
    undelivered(late, on=second, fence=fence)


# -- reads after writes --------------------------------------------------------------------


@clause("AP-READ-12")
@every_door
def test_an_accepted_write_is_in_the_next_answer(owner, persona, check, via):
    reader = owner.another_connection()
    reader.personas(via=via)
    for number in range(READS_AFTER_WRITES):
        event = owner.signs(persona(check.slug(str(number))))
        answer = owner.send(event, via=via, settle=AT_ONCE)
        if not answer.accepted:
            raise Inconclusive(f"the relay does not accept a persona: {answer}")
        assert event in reader.read(address(owner, event.slug), via=via)


@clause("AP-READ-13")
def test_count_gives_the_number_of_heads(owner, persona, check, clock):
    for number in range(3):
        owner.publish(persona(check.slug(str(number)), at=clock.now() - 10))
    assert owner.count(all_of(owner)) == 3
    owner.publish(persona(check.slug("0"), at=clock.now()), expect="any")
    assert owner.count(all_of(owner)) == 3


@clause("AP-READ-14")
def test_a_search_does_not_mix_with_other_filters(owner, persona, slug):
    owner.publish(persona(slug, shared=True))
    subscription = owner.ws.open(
        [all_of(owner), Filter.of(kinds=[PERSONA], search="conformance", limit=1)]
    )
    assert subscription.closed not in (None, "")


@clause("AP-READ-14")
def test_a_search_is_answered_once_and_not_live(owner, persona, check, slug, other_slug):
    word = f"word{check.slug('x').replace('-', '')}"
    stored = owner.publish(persona(slug, name=word, shared=True))
    wanted = Filter.of(kinds=[PERSONA], search=word, limit=10)
    if stored not in owner.read_until(stored, wanted):
        raise Inconclusive("a search does not find what was stored, however long one waits")
    plain = owner.watch(all_of(owner))
    search = owner.watch_as("search", wanted)  # a relay may close it as soon as it is answered
    assert search.stored == (stored,)
    late = owner.publish(persona(other_slug, name=word, shared=True))
    plain.wait_for(late)
    fence = owner.another_connection().watch(all_of(owner))
    assert late in fence.stored
    assert search.copies_of(late) == 0
