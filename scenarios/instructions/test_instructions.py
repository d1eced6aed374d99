"""INSTR: instructions (44300), append-only and for their author alone, existence included."""

import pytest

from nip_ap.scenario import (
    COUNT,
    DELETION,
    INSTRUCTIONS,
    NOTE,
    PERSONA,
    REQ,
    Broken,
    Draft,
    Filter,
    Inconclusive,
    accepted,
    all_of,
    answered_alike,
    clause,
    delivered,
    every_door,
    indistinguishable,
    refused,
    same_events,
    undelivered,
    vanishes,
    withheld,
)

LONGEST = 218_548
SAYS_SO = ("k", str(INSTRUCTIONS))


@pytest.fixture
def instructions(clock, other_owner):
    """Makes drafts about the agent whose key is other_owner's: instructions(at=..., tags=...)."""

    def make(content="ciphertext", *, at=None, tags=None):
        subject = [("p", other_owner.pubkey)] if tags is None else tags
        return Draft(INSTRUCTIONS, clock.now() if at is None else at, tuple(subject), content)

    return make


def of(owner, **more):
    """The filter for an owner's instructions."""
    return Filter.of(kinds=[INSTRUCTIONS], authors=[owner.pubkey], **more)


def about(owner, agent):
    """The filter for an owner's instructions about an agent."""
    return of(owner, tags={"p": [agent.pubkey]})


def by_id(event):
    """The event by its id."""
    return Filter.of(kinds=[event.kind], ids=[event.id])


def deletion(clock, event, *tags):
    """A kind 5 for one event by its id."""
    return Draft(DELETION, clock.now(), (("e", event.id), *tags))


def are_refused(owner, bad, twin):
    """Each is refused with `invalid:`; the twin is accepted and served."""
    for answer in refused(owner, bad, twin=twin):
        assert answer.prefix == "invalid:"


# -- form --------------------------------------------------------------------------------


@clause("AP-INSTR-01")
@every_door
def test_instructions_are_served_byte_for_byte(owner, other_owner, instructions, via):
    for tags in (
        [("p", other_owner.pubkey)],
        [("t", "Builtin-Team:welcome")],
        [("alt", "instructions"), ("t", "team")],
    ):
        event = accepted(owner, instructions('not "JSON" \\u00e9 é\n', tags=tags), via=via)
        (served,) = owner.read(of(owner, ids=[event.id]), via=via).events
        assert served.same_bytes_as(event)


@clause("AP-INSTR-02")
def test_there_is_one_subject_tag_of_two_elements(owner, other_owner, instructions):
    own = ("p", other_owner.pubkey)
    bad = [
        [],
        [own, ("t", "team")],
        [own, ("p", owner.pubkey)],
        [own, own],
        [own, ("p",)],
        [own, ("t",)],
        [("p",)],
        [(*own, "")],
        [(*own, "wss://relay.example")],
    ]
    are_refused(owner, [instructions(tags=tags) for tags in bad], twin=instructions())


@clause("AP-INSTR-02")
def test_there_is_one_team_of_two_elements(owner, instructions):
    bad = [[("t", "team"), ("t", "other")], [("t",)], [("t", "team", "")]]
    good = instructions(tags=[("t", "team")])
    are_refused(owner, [instructions(tags=tags) for tags in bad], twin=good)


@clause("AP-INSTR-03")
def test_a_subject_that_is_no_key_is_refused(owner, other_owner, instructions):
    key = other_owner.pubkey
    bad = ["", key[:-1], f"{key}0", f"{key[:-1]}g", f"{key[:-1]}A"]
    are_refused(owner, [instructions(tags=[("p", one)]) for one in bad], twin=instructions())


@clause("AP-INSTR-03")
def test_a_subject_that_is_no_team_id_is_refused(owner, instructions):
    bad = ["", "x" * 65, "two words", "a\u2003b", "a\u0000b", "a\u009fb"]
    good = instructions(tags=[("t", "x" * 64)])
    are_refused(owner, [instructions(tags=[("t", one)]) for one in bad], twin=good)


@clause("AP-INSTR-04")
def test_an_h_tag_is_refused(owner, other_owner, instructions, check):
    own = ("p", other_owner.pubkey)
    bad = [instructions(tags=[own, tag]) for tag in (("h", check.channel_id()), ("h",))]
    are_refused(owner, bad, twin=instructions())


@clause("AP-INSTR-05")
def test_content_has_a_least_and_a_greatest_size(owner, instructions):
    for content in ("x", "x" * LONGEST):
        accepted(owner, instructions(content))
    bad = [instructions(""), instructions("x" * (LONGEST + 1))]
    are_refused(owner, bad, twin=instructions("y" * LONGEST))


# -- versions ----------------------------------------------------------------------------


@clause("AP-INSTR-06")
def test_every_version_is_kept(owner, other_owner, instructions, clock):
    times = (clock.now() - 20, clock.now() - 10, clock.now() - 15)
    events = [owner.publish(instructions(at=at)) for at in times]
    same_events(owner.read(about(owner, other_owner)).events, events)


@clause("AP-INSTR-06")
def test_teams_that_differ_in_case_are_different_subjects(owner, instructions):
    upper, lower = (owner.publish(instructions(tags=[("t", team)])) for team in ("Team", "team"))
    for team, event in (("Team", upper), ("team", lower)):
        same_events(owner.read(of(owner, tags={"t": [team]})).events, [event])


@clause("AP-INSTR-07")
@every_door
def test_the_current_version_is_found_by_its_subject(
    owner, other_owner, stranger, instructions, clock, via
):
    same_second = [owner.signs(instructions(str(one), at=clock.now() - 20)) for one in range(3)]
    older = owner.signs(instructions(at=clock.now() - 30))
    others = [
        owner.signs(instructions(at=clock.now() - one, tags=[("p", stranger.pubkey)]))
        for one in range(4)
    ]
    owner.publish_all([*same_second, older, *others])
    reading = owner.read(about(owner, other_owner).changed(limit=1), via=via)
    same_events(reading.events, [min(same_second, key=lambda event: event.id)])


def pages(actor, wanted, via, most=8):
    """Pages of two, each taken up behind the last event of the one before."""
    found, one = [], wanted.changed(limit=2)
    for _ in range(most):
        page = actor.read_one_answer(one, via=via).events
        if not page:
            return found
        found += page
        last = page[-1]
        one = one.changed(until=last.created_at, extension={"before_id": last.id})
    raise Broken("an end of the pages", f"{len(found)} events in {most} pages")


@clause("AP-INSTR-13")
@every_door
def test_pages_go_through_one_second(owner, other_owner, instructions, clock, via):
    events = [owner.signs(instructions(str(one), at=clock.now() - 10)) for one in range(5)]
    events += [owner.signs(instructions(at=clock.now() - at)) for at in (5, 15)]
    owner.publish_all(events)
    found = pages(owner, about(owner, other_owner), via)
    assert found == sorted(events, key=lambda event: event.order)


@clause("AP-INSTR-14")
@every_door
def test_half_a_cursor_is_refused(owner, other_owner, instructions, clock, via):
    event = owner.publish(instructions())
    wanted = about(owner, other_owner)
    whole = {"before_id": "0" * 64}
    assert event in owner.read(wanted.changed(until=clock.now(), extension=whole), via=via)
    for until, before in (
        (None, event.id),
        (clock.now(), "x"),
        (clock.now(), event.id[:-1]),
        (clock.now(), ""),
    ):
        asked = wanted.changed(until=until, extension={"before_id": before})
        reading = owner.try_to_read(asked, via=via)
        if reading.refusal is None:
            raise Broken(f"a refusal of {asked.to_json()}", str(reading))


# -- for the author alone ----------------------------------------------------------------


def ways_to_ask(event, owner, agent):
    """Every sort of filter that finds instructions."""
    return (
        of(owner),
        about(owner, agent),
        all_of(owner, kinds=[NOTE, INSTRUCTIONS]),
        by_id(event),
        Filter.of(kinds=[INSTRUCTIONS], tags={"p": [agent.pubkey]}),
        Filter.of(kinds=[INSTRUCTIONS], since=event.created_at - 1, limit=500),
    )


@clause("AP-INSTR-08")
@every_door
def test_instructions_are_withheld_from_others(
    owner, other_owner, stranger, anonymous, instructions, via
):
    event = owner.publish(instructions())
    for wanted in ways_to_ask(event, owner, other_owner):
        for reader in (stranger, other_owner, anonymous):
            withheld(event, wanted, from_=reader, seen_by=owner, via=via)


@clause("AP-INSTR-09")
def test_instructions_are_delivered_to_their_author_alone(
    owner, other_owner, stranger, instructions, persona, slug
):
    event = owner.signs(instructions())
    fence = owner.signs(persona(slug, shared=True))
    wanted = (
        all_of(owner, kinds=[INSTRUCTIONS, PERSONA]),
        Filter.of(kinds=[INSTRUCTIONS, PERSONA], since=event.created_at - 1, limit=10),
    )
    own = owner.another_connection().watch(of(owner))
    theirs = [reader.watch(one) for reader in (stranger, other_owner) for one in wanted]
    owner.publish_all([event, fence])
    delivered(event, on=own)
    for watch in theirs:
        undelivered(event, on=watch, fence=fence)


@clause("AP-INSTR-10")
@every_door
def test_instructions_are_counted_for_their_author_alone(
    owner, other_owner, stranger, instructions, via
):
    event = owner.publish(instructions())
    for wanted in (of(owner), about(owner, other_owner), by_id(event)):
        assert owner.count(wanted, via=via) == 1
        for reader in (stranger, other_owner):
            assert reader.counted(wanted, via=via).count == 0


def questions(event):
    """What somebody who suspects instructions might ask."""
    return [by_id(event), Filter.of(kinds=[INSTRUCTIONS], authors=[event.pubkey])]


def looks_absent(hidden, absent, readers, owner, *, verb, via):
    """What each reader sees of instructions, and of some that were never published."""
    for reader in readers:
        indistinguishable(hidden, absent, questions, to=reader, seen_by=owner, verb=verb, via=via)


@clause("AP-INSTR-11")
@every_door
def test_hidden_instructions_look_absent(owner, other_owner, stranger, instructions, check, via):
    hidden = owner.publish(instructions())
    absent = check.actor("nobody").signs(instructions())
    looks_absent(hidden, absent, (stranger, other_owner), owner, verb=REQ, via=via)


@clause("AP-INSTR-11", needs=["count"])
@every_door
def test_hidden_instructions_count_as_absent(
    owner, other_owner, stranger, instructions, check, via
):
    hidden = owner.publish(instructions())
    absent = check.actor("nobody").signs(instructions())
    looks_absent(hidden, absent, (stranger, other_owner), owner, verb=COUNT, via=via)


def search(word, *kinds):
    """A search for a word."""
    return Filter.of(kinds=kinds, search=word, limit=10)


@clause("AP-INSTR-12")
@every_door
def test_no_search_finds_instructions(
    owner, stranger, instructions, persona, slug, other_slug, via
):
    hidden, shown = f"hidden{slug.replace('-', '')}", f"shown{other_slug.replace('-', '')}"
    owner.publish(instructions(hidden))
    shared = owner.publish(persona(other_slug, name=shown, shared=True))
    for reader in (owner, stranger):
        if shared not in reader.read_until(shared, search(shown, PERSONA), via=via):
            raise Inconclusive("a search does not find a shared persona either")
        assert reader.read(search(hidden, INSTRUCTIONS, PERSONA), via=via).events == ()


# -- deletion ----------------------------------------------------------------------------


@clause("AP-INSTR-15")
@every_door
def test_a_deletion_of_instructions_says_so(owner, instructions, clock, via):
    event = owner.publish(instructions(at=clock.now() - 10))
    plain = deletion(clock, event)
    for tags in ((), (("k", "044300"),), (("k", "+44300"),), (("k", str(PERSONA)),)):
        answer = owner.send(owner.signs(plain.with_tags(*tags)), via=via)
        assert not answer.accepted
        assert event in owner.read(of(owner), via=via)
    with vanishes(event, of(owner), for_=owner, via=via):
        accepted(owner, plain.with_tags(SAYS_SO), via=via)


@clause("AP-INSTR-16")
@every_door
def test_a_deletion_of_instructions_is_withheld_from_others(
    owner, other_owner, stranger, instructions, clock, persona, slug, via
):
    event = owner.publish(instructions(at=clock.now() - 10))
    fence = owner.signs(persona(slug, shared=True))
    watches = [
        reader.watch(all_of(owner, kinds=[DELETION, PERSONA])) for reader in (stranger, other_owner)
    ]
    gone = owner.publish(deletion(clock, event, SAYS_SO), via=via)
    owner.publish(fence)
    for wanted in (by_id(gone), all_of(owner, kinds=[DELETION])):
        for reader in (stranger, other_owner):
            withheld(gone, wanted, from_=reader, seen_by=owner, via=via)
    for watch in watches:
        undelivered(gone, on=watch, fence=fence)


@clause("AP-INSTR-16", needs=["count"])
@every_door
def test_a_deletion_of_instructions_is_not_counted_for_others(
    owner, stranger, instructions, clock, via
):
    event = owner.publish(instructions(at=clock.now() - 10))
    gone = owner.publish(deletion(clock, event, SAYS_SO))
    assert owner.count(by_id(gone), via=via) == 1
    assert stranger.counted(by_id(gone), via=via).count == 0


@clause("AP-INSTR-17")
@every_door
def test_who_has_no_authority_gets_one_refusal(owner, stranger, instructions, clock, via):
    live, doomed = (owner.publish(instructions(at=clock.now() - age)) for age in (10, 12))
    owner.publish(deletion(clock, doomed, SAYS_SO))
    absent = owner.signs(instructions(at=clock.now() - 14))
    ways = {"a deletion": lambda event: deletion(clock, event, SAYS_SO)}
    for event in (live, doomed):
        answered_alike(event, absent, ways, by=stranger, via=via)
    answer = stranger.send(stranger.signs(deletion(clock, live, SAYS_SO)), via=via)
    assert not answer.accepted
    with vanishes(live, of(owner), for_=owner, via=via, control=True):
        owner.publish(deletion(clock, live, SAYS_SO), via=via)
