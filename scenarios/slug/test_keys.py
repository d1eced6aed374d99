"""SLUG: what a slug is the key of: nothing else, and nobody else's (NIP-AP, "Kind", "Slugs")."""

from nip_ap.scenario import (
    HTTP,
    PERSONA,
    WS,
    Broken,
    Filter,
    Inconclusive,
    address,
    clause,
    data,
    same_events,
)

SLUGS = data("slugs")
LATER = 100
HALF = 32


def unanswered(owner, events):
    """What an address does not give although its event was accepted, or gives beside it."""
    readings = owner.read_each([address(owner, event.slug) for event in events])
    return {
        event.slug: [one.slug for one in reading.events]
        for event, reading in zip(events, readings, strict=True)
        if reading.events != (event,)
    }


@clause("AP-SLUG-11")
def test_a_slug_that_looks_like_something_else_is_a_slug(owner, persona):
    events = [owner.signs(persona(slug, name=f"of {slug}")) for slug in SLUGS["words"]]
    answers = zip(events, owner.send_all(events), strict=True)
    refusals = [f"{event.slug}: {answer}" for event, answer in answers if not answer.accepted]
    if refusals:
        raise Broken("every slug of the grammar to be accepted", "; ".join(refusals))
    wrong = unanswered(owner, events)
    if wrong:
        raise Broken("each to be found by its slug", f"other answers: {wrong}")


def neighbours():
    """Slugs that agree but for one character, a length, or a way to read a number."""
    whole = "k" * 64
    differing = [f"{whole[:place]}j{whole[place + 1 :]}" for place in SLUGS["differing_places"]]
    lengths = ["x" * length for length in SLUGS["lengths"]]
    return [*SLUGS["neighbours"], whole, *differing, *lengths]


@clause("AP-SLUG-12")
def test_slugs_that_nearly_agree_are_different_addresses(owner, persona):
    everything = [owner.signs(persona(slug, name=f"of {slug}")) for slug in neighbours()]
    answers = owner.send_all(everything)
    events = [event for event, one in zip(everything, answers, strict=True) if one.accepted]
    if len(events) < HALF:
        raise Inconclusive(f"only {len(events)} of {len(everything)} slugs are accepted")
    wrong = unanswered(owner, events)
    if wrong:
        raise Broken("each address to give its own head and no other", f"other answers: {wrong}")
    for some in (events[:HALF], events[HALF:]):
        wanted = address(owner, *(event.slug for event in some))
        same_events(owner.read(wanted).events, some)


@clause("AP-SLUG-13")
def test_an_old_head_is_found_behind_a_hundred_newer_ones(
    owner, persona, slug, clock, check, relay
):
    old = owner.publish(persona(slug, at=clock.now() - 2 * LATER))
    owner.publish_all(
        persona(check.slug(f"later-{number}"), at=clock.now() - number) for number in range(LATER)
    )
    for via in (WS, HTTP) if relay.offers("http") else (WS,):
        for wanted in (
            address(owner, slug),
            address(owner, slug).changed(limit=1),
            Filter.of(kinds=[PERSONA], authors=[owner.pubkey], ids=[old.id]),
        ):
            same_events(owner.read(wanted, via=via).events, [old])
