"""REPL: which version of an address is its head (NIP-01; NIP-AP, "Replacement semantics")."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

from nip_ap.scenario import (
    ANY,
    APPLICATION_DATA,
    ENGRAM,
    PERSONA,
    WS,
    Draft,
    Filter,
    Inconclusive,
    NotApplicable,
    accepted,
    address,
    all_of,
    clause,
    each,
    every_door,
    same_events,
    undelivered,
)

WRITERS, CONNECTIONS, RACES = 32, 8, 6


def newest(actor, wanted, via=WS):
    """What the relay itself holds for the head: its answer to a limit of one.

    NIP-01 allows a relay to keep older versions and orders answers only under a limit.
    """
    return next(iter(actor.read(wanted.changed(limit=1), via=via).events), None)


# -- newer and older ---------------------------------------------------------------


@clause("AP-REPL-01")
@every_door
def test_a_newer_version_replaces_the_older(owner, persona, slug, clock, via):
    owner.publish(persona(slug, at=clock.now() - 30), via=via)
    newer = owner.publish(persona(slug, at=clock.now()), expect=ANY, via=via)
    same_events(owner.read(address(owner, slug), via=via).events, [newer])
    same_events(owner.personas(via=via).events, [newer])


@clause("AP-REPL-01", needs=["count"])
def test_two_versions_count_as_one(owner, persona, slug, clock):
    owner.publish(persona(slug, at=clock.now() - 30))
    owner.publish(persona(slug, at=clock.now()), expect=ANY)
    assert owner.count(address(owner, slug)) == 1


@clause("AP-REPL-02")
@every_door
def test_an_older_write_never_becomes_the_head(owner, persona, slug, clock, via):
    head = owner.publish(persona(slug, at=clock.now()), via=via)
    owner.publish(persona(slug, at=clock.now() - 30), expect=ANY, via=via)
    assert newest(owner, address(owner, slug), via) == head
    assert newest(owner, all_of(owner), via) == head
    assert owner.head(slug, via=via) == head


# -- ties ----------------------------------------------------------------------------


def versions_of_one_second(owner, persona, slug, number):
    """Versions of one address with one created_at, lowest id first."""
    events = [owner.signs(persona(slug, name=f"version {one}")) for one in range(number)]
    return sorted(events, key=lambda event: event.id)


@clause("AP-REPL-03")
@each("order", ("lowest first", "lowest last"))
def test_in_one_second_the_lowest_id_is_the_head(owner, persona, slug, order):
    lowest, highest = versions_of_one_second(owner, persona, slug, 2)
    sent = [lowest, highest] if order == "lowest first" else [highest, lowest]
    for event in sent:
        owner.publish(event, expect=ANY)
    assert newest(owner, address(owner, slug)) == lowest
    assert owner.head(slug) == lowest


@clause("AP-REPL-03")
def test_among_five_of_one_second_the_lowest_id_is_the_head(owner, persona, slug):
    lowest, *others = versions_of_one_second(owner, persona, slug, 5)
    for event in (others[1], others[3], lowest, others[0], others[2]):
        owner.publish(event, expect=ANY)
    assert newest(owner, address(owner, slug)) == lowest
    assert owner.head(slug) == lowest


# -- independent addresses -------------------------------------------------------------


@clause("AP-REPL-04")
def test_two_authors_of_one_slug_have_heads_of_their_own(owner, other_owner, persona, slug, clock):
    mine = owner.publish(persona(slug, at=clock.now() - 10))
    theirs = other_owner.publish(persona(slug, at=clock.now()), expect=ANY)
    assert owner.head(slug) == mine
    assert other_owner.head(slug) == theirs


@clause("AP-REPL-05")
@each("pattern", ("other-{}", "{}-and-more", "{}x"))
def test_two_slugs_of_one_author_have_heads_of_their_own(owner, persona, slug, clock, pattern):
    first = owner.publish(persona(slug, at=clock.now() - 10))
    second = owner.publish(persona(pattern.format(slug), at=clock.now()), expect=ANY)
    assert owner.head(slug) == first
    assert owner.head(pattern.format(slug)) == second


@clause("AP-REPL-05")
def test_a_slug_that_begins_another_has_a_head_of_its_own(owner, persona, slug, clock):
    longer = owner.publish(persona(f"{slug}-and-more", at=clock.now() - 10))
    shorter = owner.publish(persona(slug, at=clock.now()), expect=ANY)
    assert owner.head(f"{slug}-and-more") == longer
    assert owner.head(slug) == shorter


@clause("AP-REPL-06")
@each("kind", (APPLICATION_DATA, ENGRAM))
@each("order", ("persona first", "persona last"))
def test_another_kind_with_the_same_d_is_independent(owner, persona, slug, clock, kind, order):
    d = sha256(slug.encode()).hexdigest()  # a slug, and what relays ask of an engram's `d`
    mine = owner.signs(persona(d, at=clock.now() - 10))
    tags = (("d", d), ("p", owner.pubkey))
    other = owner.signs(Draft(kind, clock.now(), tags, "of another kind"))
    taken = {}
    for event in (mine, other) if order == "persona first" else (other, mine):
        taken[event.kind] = owner.send(event)
    if not taken[kind].accepted:
        raise NotApplicable(f"the relay does not take kind {kind}: {taken[kind].message!r}")
    if not taken[PERSONA].accepted:  # which slugs are taken is the matter of AP-SLUG-01
        raise Inconclusive(f"the relay does not take the persona: {taken[PERSONA].message!r}")
    assert owner.head(d) == mine
    assert other in owner.read(address(owner, d, kind=kind))


# -- what becomes of a version that is not the head ---------------------------------------


@clause("AP-REPL-07")
@each("way", ("address", "author"))
@every_door
def test_a_superseded_version_is_in_no_answer(owner, persona, slug, clock, way, via):
    wanted = address(owner, slug) if way == "address" else all_of(owner)
    older = owner.publish(persona(slug, at=clock.now() - 30))
    assert older in owner.read(wanted, via=via)
    owner.publish(persona(slug, at=clock.now()), expect=ANY)
    assert older not in owner.read(wanted, via=via)


@clause("AP-REPL-07")
def test_a_write_that_came_too_late_is_in_no_answer(owner, persona, slug, clock):
    head = owner.publish(persona(slug, at=clock.now()))
    late = owner.publish(persona(slug, at=clock.now() - 30), expect=ANY)
    reading = owner.read(address(owner, slug))
    assert head in reading
    assert late not in reading


@clause("AP-REPL-07")
def test_whether_ids_still_serves_a_superseded_version_is_reported(
    owner, persona, slug, clock, check
):
    older = owner.publish(persona(slug, at=clock.now() - 30))
    newer = owner.publish(persona(slug, at=clock.now()))
    by_id = Filter.of(kinds=[PERSONA], authors=[owner.pubkey], ids=[older.id])
    still = older in owner.read(by_id)
    check.note(f"by ids a superseded version is {'still' if still else 'not'} served")
    assert owner.head(slug) == newer


@clause("AP-REPL-08")
def test_an_older_write_is_not_delivered_live(owner, persona, slug, other_slug, clock):
    owner.publish(persona(slug, at=clock.now()))
    watch = owner.watch(all_of(owner))
    older = owner.publish(persona(slug, at=clock.now() - 30), expect=ANY)
    undelivered(older, on=watch, fence=owner.publish(persona(other_slug)))


@clause("AP-REPL-08")
def test_a_write_that_lost_a_tie_is_not_delivered_live(owner, persona, slug, other_slug):
    lowest, highest = versions_of_one_second(owner, persona, slug, 2)
    owner.publish(lowest)
    watch = owner.watch(all_of(owner))
    owner.publish(highest, expect=ANY)
    undelivered(highest, on=watch, fence=owner.publish(persona(other_slug)))


@clause("AP-REPL-14")
def test_a_superseded_version_sent_again_does_not_come_back(owner, persona, slug, clock):
    older = owner.publish(persona(slug, at=clock.now() - 30))
    newer = owner.publish(persona(slug, at=clock.now()))
    owner.publish(older, expect=ANY)
    assert newest(owner, address(owner, slug)) == newer
    assert older not in owner.personas()


# -- many writers ------------------------------------------------------------------------


@clause("AP-REPL-10")
def test_concurrent_writers_leave_one_head_the_right_one(owner, persona, slug, clock, check):
    connections = [owner.another_connection() for _ in range(CONNECTIONS)]
    for connection in connections:
        connection.personas()
    keeps = keeps_losers(owner, persona, clock, check)
    for number in range(RACES):
        right, left = race(connections, persona, f"{slug}-{number}", clock)
        assert newest(owner, address(owner, right.slug)) == right
        if not keeps:
            same_events(left, [right])
    if keeps:
        check.note(f"{len(left)} versions are served; it keeps lost ones without a race too")


def race(connections, persona, slug, clock):
    """Versions of one address from many connections at once: the right head, and what is left."""
    owner = connections[0]
    events = [
        owner.signs(persona(slug, at=clock.now() - age, name=f"writer {age}"))
        for age in range(WRITERS)
    ]
    # The newest is second of its connection: neither the first write to arrive nor the last.
    shares = [events[start::CONNECTIONS] for start in range(CONNECTIONS)]
    shares = [[share[2], share[0], share[3], share[1]] for share in shares]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        writing = [
            pool.submit(connection.send_all, share)
            for connection, share in zip(connections, shares, strict=True)
        ]
        for done in writing:
            done.result()
    return events[0], owner.read(address(owner, slug)).events


def keeps_losers(owner, persona, clock, check):
    """Whether an older write is served beside the head also where nothing is concurrent.

    NIP-01 allows that and asks otherwise in a SHOULD, which AP-REPL-07 judges.
    """
    alone = check.slug("alone")
    head = owner.publish(persona(alone, at=clock.now()))
    owner.publish(persona(alone, at=clock.now() - 1), expect=ANY)
    return owner.read(address(owner, alone)).ids != (head.id,)


# -- the clock -----------------------------------------------------------------------------


@clause("AP-REPL-11")
def test_a_write_at_the_later_of_now_and_t_plus_1_supersedes(owner, persona, slug, clock):
    ahead = accepted(owner, persona(slug, at=clock.now() + 50))
    after = accepted(owner, persona(slug, at=max(clock.now(), ahead.created_at + 1)))
    assert owner.head(slug) == after


@clause("AP-REPL-12")
@each("offset", (-60, -30, -1, 0, 1, 30, 55))
def test_a_time_within_a_minute_of_now_is_accepted(owner, persona, slug, clock, offset):
    event = accepted(owner, persona(slug, at=clock.now() + offset))
    assert owner.head(slug) == event


@clause("AP-REPL-13")
@each("direction", ("past", "future"))
def test_the_window_of_times_that_the_relay_accepts(owner, persona, slug, clock, check, direction):
    sign = 1 if direction == "future" else -1

    def answers_at(distances):
        """Each on a connection of its own: relays hold one up after a refusal."""
        drafts = [
            persona(f"{slug}-{distance}", at=clock.now() + sign * distance)
            for distance in distances
        ]
        answers = owner.submit_apart([owner.signs(draft) for draft in drafts])
        if None in answers:
            raise Inconclusive(f"no answer to a persona dated {distances[answers.index(None)]} s")
        return dict(zip(distances, answers, strict=True))

    (now,) = answers_at([0]).values()
    if not now.accepted:
        raise Inconclusive("the relay does not accept a persona dated now")
    rungs = [0, 60, 600, 900, 3600, 86400, 31536000, 2**30]
    while True:
        answers = answers_at(rungs)
        refused = [distance for distance in rungs if not answers[distance].accepted]
        if not refused:
            check.note(f"{direction}: no guard, {rungs[-1]} s from now is accepted")
            return
        far = refused[0]
        near = max((one for one in rungs if one < far), default=0)
        if far - near <= max(1, near // 100):
            break
        rungs = sorted({near + (far - near) * step // 8 for step in range(9)})
    check.fact(f"{direction}_window", near)
    check.note(f"{direction}: about {near} s accepted, beyond: {answers[far].message!r}")
