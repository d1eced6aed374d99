"""WRAP: gift wraps of one-time keys, kept to whom they are addressed (NIP-59)."""

from nip_ap.nostr.gift_wrap import EPHEMERAL_GIFT_WRAP, GIFT_WRAP, addressed_to, gift_wrap
from nip_ap.scenario import (
    HTTP,
    NOTE,
    PERSONA,
    Broken,
    Draft,
    Filter,
    Inconclusive,
    NotApplicable,
    SecretKey,
    accepted,
    clause,
    delivered,
    every_door,
    reads_refused,
    refused,
    undelivered,
    withheld,
)


def one_time_key(check):
    """A key that nobody authenticates with."""
    return SecretKey.derived(check.seed, "one-time key")


def wrapped(check, recipient, text="wrapped", kind=GIFT_WRAP):
    """A wrap for somebody, by the check's one-time key."""
    return gift_wrap(
        one_time_key(check), recipient.pubkey, at=check.clock.now(), text=text, kind=kind
    )


def ways_to_ask(wrap):
    """Filters that find a wrap, other than by its recipient."""
    return {
        "by its id": Filter.of(ids=[wrap.id]),
        "by kind and id": Filter.of(kinds=[GIFT_WRAP], ids=[wrap.id]),
        "by kind and author": Filter.of(kinds=[GIFT_WRAP], authors=[wrap.pubkey]),
        "by author": Filter.of(authors=[wrap.pubkey]),
    }


# -- to whom it is addressed -------------------------------------------------------------


@clause("AP-WRAP-01")
def test_a_wrap_signed_by_a_one_time_key_is_accepted(owner, other_owner, check):
    wrap = accepted(other_owner, wrapped(check, owner))
    assert owner.read(addressed_to(owner.pubkey)).events == (wrap,)


@clause("AP-WRAP-02")
def test_a_wrap_is_delivered_to_its_addressee(owner, other_owner, check):
    watch = owner.watch(addressed_to(owner.pubkey))
    wrap = other_owner.publish(wrapped(check, owner))
    delivered(wrap, on=watch)
    delivered(other_owner.publish(wrapped(check, owner, "another")), on=watch)
    assert watch.copies_of(wrap) == 1


# -- to nobody else ----------------------------------------------------------------------


@clause("AP-WRAP-03")
@every_door
def test_a_wrap_is_read_by_nobody_else(owner, other_owner, stranger, check, via):
    wrap = other_owner.publish(wrapped(check, owner))
    withheld(wrap, addressed_to(owner.pubkey), from_=stranger, seen_by=owner, via=via)
    for way, wanted in ways_to_ask(wrap).items():
        if wrap in stranger.try_to_read(wanted, via=via):
            raise Broken("a wrap to be withheld from a stranger", f"it is served, asked for {way}")


@clause("AP-WRAP-04")
@every_door
def test_a_wrap_is_counted_for_nobody_else(owner, other_owner, stranger, check, via):
    wrap = other_owner.publish(wrapped(check, owner))
    if owner.count(addressed_to(owner.pubkey), via=via) != 1:
        raise Inconclusive("a wrap is not counted for its addressee either")
    asked = {"by its addressee": addressed_to(owner.pubkey), **ways_to_ask(wrap)}
    for way, wanted in asked.items():
        if stranger.counted(wanted, via=via).count:
            raise Broken("a count of 0 for a stranger", f"another, asked for {way}")


@clause("AP-WRAP-05")
def test_a_wrap_is_delivered_to_nobody_else(owner, other_owner, stranger, check):
    own = stranger.watch(addressed_to(stranger.pubkey))
    wide = stranger.try_to_watch(Filter.of(authors=[one_time_key(check).pubkey]))
    control = owner.watch(addressed_to(owner.pubkey))
    wrap = other_owner.publish(wrapped(check, owner))
    control.wait_for(wrap)
    fence = other_owner.publish(wrapped(check, stranger))
    undelivered(wrap, on=own, fence=fence)
    if wide is not None:
        undelivered(wrap, on=wide, fence=fence)


@clause("AP-WRAP-06")
@every_door
def test_a_question_about_wraps_names_its_reader_alone(owner, other_owner, stranger, check, via):
    wrap = other_owner.publish(wrapped(check, owner))
    assert wrap in owner.read(addressed_to(owner.pubkey), via=via)
    questions = {
        "without #p": Filter.of(kinds=[GIFT_WRAP]),
        "with #p of somebody else": addressed_to(stranger.pubkey),
        "with #p of its reader and another": addressed_to(owner.pubkey, stranger.pubkey),
    }
    reads_refused(owner, questions, via=via)


# -- doors and indexes -------------------------------------------------------------------


@clause("AP-WRAP-07")
def test_a_wrap_over_http_is_refused(owner, clock):
    draft = Draft(GIFT_WRAP, clock.now(), (("p", owner.pubkey),), "wrapped")
    (answer,) = refused(owner, draft, twin=draft.changed(kind=NOTE), via=HTTP)
    assert answer.prefix == "invalid:"
    assert answer.status // 100 == 4


@clause("AP-WRAP-08")
def test_no_search_finds_a_wrap(owner, other_owner, persona, slug, check):
    word = f"wrapped{check.slug('word').replace('-', '')}"
    wrap = other_owner.publish(wrapped(check, owner, word))
    found = owner.publish(persona(slug, name=word, shared=True))
    assert wrap in owner.read(addressed_to(owner.pubkey))
    if found not in owner.read_until(found, Filter.of(kinds=[PERSONA], search=word, limit=5)):
        raise Inconclusive("a search does not find a persona with the same word either")
    searched = addressed_to(owner.pubkey).changed(search=word, limit=5)
    assert wrap not in owner.try_to_read(searched)


@clause("AP-WRAP-09")
def test_an_ephemeral_wrap_is_delivered_and_not_kept(owner, other_owner, stranger, check):
    mine = addressed_to(owner.pubkey, kind=EPHEMERAL_GIFT_WRAP)
    theirs = addressed_to(stranger.pubkey, kind=EPHEMERAL_GIFT_WRAP)
    watch, other = owner.watch(mine), stranger.watch(theirs)
    wide = stranger.try_to_watch(Filter.of(authors=[one_time_key(check).pubkey]))
    wrap = wrapped(check, owner, kind=EPHEMERAL_GIFT_WRAP)
    answer = other_owner.send(wrap)
    if not answer.accepted:
        raise NotApplicable(f"the relay takes no ephemeral wrap: {answer.message!r}")
    delivered(wrap, on=watch)
    fence = other_owner.publish(wrapped(check, stranger, kind=EPHEMERAL_GIFT_WRAP))
    for one in filter(None, (other, wide)):
        undelivered(wrap, on=one, fence=fence)
    kept = other_owner.publish(wrapped(check, owner))
    assert owner.read(addressed_to(owner.pubkey)).events == (kept,)
    if wrap in owner.try_to_read(mine):
        raise Broken("an ephemeral wrap not to be kept", "it is served after its delivery")
