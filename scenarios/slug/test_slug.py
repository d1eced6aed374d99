"""SLUG: the grammar of the `d` tag, ^[a-z0-9][a-z0-9_-]{0,63}$ (NIP-AP, "Slugs")."""

from string import ascii_lowercase, ascii_uppercase, digits

import pytest
from hypothesis import strategies

from nip_ap.scenario import (
    APPLICATION_DATA,
    HTTP,
    WS,
    Draft,
    Filter,
    Inconclusive,
    NotApplicable,
    accepted,
    address,
    all_of,
    clause,
    data,
    each,
    every_door,
    examples,
    refused,
    undelivered,
)

SLUGS = data("slugs")


# -- what is valid ---------------------------------------------------------------


@clause("AP-SLUG-01")
@each("valid", SLUGS["valid"])
def test_a_slug_of_the_grammar_is_accepted_and_found_by_d(owner, persona, valid):
    event = accepted(owner, persona(valid["slug"]))
    assert owner.head(valid["slug"]) == event


@clause("AP-SLUG-01")
def test_generated_slugs_of_the_grammar_are_accepted_and_found_by_d(owner, persona, seed):
    first, further = ascii_lowercase + digits, ascii_lowercase + digits + "_-"
    rest = strategies.text(further, max_size=63)
    grammar = strategies.tuples(strategies.sampled_from(first), rest).map("".join)
    for slug in examples(grammar, 25, seed):
        event = accepted(owner, persona(slug))
        assert owner.head(slug) == event


# -- what is not -----------------------------------------------------------------


def filed_under(owner, slug, event):
    """What an address gives of an event that does not belong there, changed or as it was."""
    found = owner.read(address(owner, slug)).events
    return [one for one in found if one.id == event.id or one.slug == slug]


@clause("AP-SLUG-02")
@every_door
def test_an_empty_slug_is_refused(owner, persona, slug, via):
    refused(owner, persona(""), twin=persona(slug), via=via)


@clause("AP-SLUG-03")
@every_door
def test_a_persona_without_d_is_refused(owner, persona, slug, via):
    refused(owner, persona(None), twin=persona(slug), via=via)


@clause("AP-SLUG-04")
def test_a_slug_over_64_bytes_is_refused(owner, persona, slug):
    too_long = [persona("a" * length) for length in SLUGS["too_long"]]
    refused(owner, too_long, twin=persona(slug))


@clause("AP-SLUG-04")
def test_a_slug_over_64_bytes_is_not_cut_to_one_that_fits(owner, persona, slug):
    long = slug + "x" * 64
    owner.publish(persona(slug))
    assert owner.head(slug) is not None
    event = owner.publish(persona(long), expect="any")
    assert filed_under(owner, long[:64], event) == []


@clause("AP-SLUG-05")
def test_an_upper_case_letter_is_refused(owner, persona, slug):
    refused(owner, [persona(one["slug"]) for one in SLUGS["upper_case"]], twin=persona(slug))


@clause("AP-SLUG-05")
def test_an_upper_case_slug_is_not_folded(owner, persona, slug, other_slug):
    owner.publish(persona(other_slug))
    assert owner.head(other_slug) is not None
    event = owner.publish(persona(slug.upper()), expect="any")
    assert filed_under(owner, slug, event) == []


@clause("AP-SLUG-06")
def test_a_leading_dash_or_underscore_is_refused(owner, persona, slug):
    refused(owner, [persona(one["slug"]) for one in SLUGS["leading"]], twin=persona(slug))


@clause("AP-SLUG-07")
@each("place", SLUGS["places"])
def test_a_character_outside_the_set_is_refused(owner, persona, slug, place):
    characters = [one["character"] for one in SLUGS["outside"]]
    slugs = [place["pattern"].format(character) for character in characters]
    refused(owner, [persona(one) for one in slugs], twin=persona(slug))


def outside(letters):
    """Every character up to U+00FF that a slug may not have; upper case is AP-SLUG-05's."""
    inside = set(letters + ascii_uppercase)
    return [chr(number) for number in range(0x100) if chr(number) not in inside]


@clause("AP-SLUG-07")
@each("place", SLUGS["places"])
def test_every_byte_outside_the_set_is_refused(owner, persona, slug, place):
    letters = ascii_lowercase + digits + "_-"
    slugs = [place["pattern"].format(character) for character in outside(letters)]
    refused(owner, [persona(one) for one in slugs], twin=persona(slug))


@clause("AP-SLUG-07")
def test_generated_characters_outside_the_set_are_refused(owner, persona, slug, seed):
    code_points = strategies.one_of(
        strategies.integers(0, 0xFF),
        strategies.integers(0, 0xD7FF),
        strategies.integers(0xE000, 0x10FFFF),
    )
    inside = set(ascii_lowercase + digits + "_-" + ascii_uppercase)
    outside = code_points.map(chr).filter(lambda one: one not in inside)
    slugs = [f"age{character}nt" for character in examples(outside, 40, seed)]
    refused(owner, [persona(one) for one in slugs], twin=persona(slug))


@clause("AP-SLUG-07")
@pytest.mark.parametrize("padding", [" {}", "{} ", "{}\n", "\t{}"], ids=repr)
def test_a_padded_slug_is_not_trimmed(owner, persona, slug, other_slug, padding):
    owner.publish(persona(other_slug))
    assert owner.head(other_slug) is not None
    event = owner.publish(persona(padding.format(slug)), expect="any")
    assert filed_under(owner, slug, event) == []


# -- what becomes of a refused one ----------------------------------------------------


def refused_persona(owner, persona, slug, via=WS):
    """The first persona of some bad shapes that this relay refuses, and its refusal."""
    for bad in (slug.upper(), f"-{slug}", f"{slug}.", ""):
        event = owner.signs(persona(bad))
        answer = owner.send(event, via=via)
        if not answer.accepted:
            return event, answer
    raise Inconclusive("the relay refuses none of four invalid slugs, so there is none to look for")


def ways_to_find(event, owner):
    """Filters by which the event would be found, had it been stored."""
    return {
        "ids": Filter.of(kinds=[event.kind], authors=[event.pubkey], ids=[event.id]),
        "address": address(owner, event.slug),
        "list": all_of(owner),
    }


@clause("AP-SLUG-08")
@each("way", ("ids", "address", "list"))
@every_door
def test_a_refused_persona_is_in_no_answer(owner, persona, slug, other_slug, way, via):
    good = owner.publish(persona(other_slug))
    assert good in owner.read(ways_to_find(good, owner)[way], via=via)
    bad, _ = refused_persona(owner, persona, slug)
    assert bad not in owner.read(ways_to_find(bad, owner)[way], via=via)


@clause("AP-SLUG-08", needs=["count"])
def test_a_refused_persona_is_not_counted(owner, persona, slug, other_slug):
    owner.publish(persona(other_slug))
    refused_persona(owner, persona, slug)
    assert owner.count(all_of(owner)) == len(owner.written)


@clause("AP-SLUG-08")
def test_a_refused_persona_is_not_delivered_live(owner, persona, slug, other_slug):
    watch = owner.watch(all_of(owner))
    bad, _ = refused_persona(owner, persona, slug)
    fence = owner.publish(persona(other_slug))
    undelivered(bad, on=watch, fence=fence)


# -- how it is refused -------------------------------------------------------------


@clause("AP-SLUG-09")
@every_door
def test_a_refusal_says_invalid(owner, persona, slug, other_slug, via):
    owner.publish(persona(other_slug), via=via)
    _, answer = refused_persona(owner, persona, slug, via)
    assert answer.prefix == "invalid:"
    if via == HTTP:
        assert answer.status == 400


@clause("AP-SLUG-09", needs=["http"])
def test_both_doors_refuse_for_the_same_reason(owner, persona, slug, other_slug):
    for via in (WS, HTTP):
        owner.publish(persona(f"{other_slug}-{via}"), via=via)
    _, over_ws = refused_persona(owner, persona, slug, WS)
    _, over_http = refused_persona(owner, persona, slug, HTTP)
    assert over_http.prefix == over_ws.prefix


@clause("AP-SLUG-10")
def test_the_grammar_does_not_bind_another_kind(owner, clock, slug):
    def draft(value):
        return Draft(APPLICATION_DATA, clock.now(), (("d", value),), "{}")

    control = owner.send(owner.signs(draft(slug)))
    if not control.accepted:
        raise NotApplicable(f"the relay does not take kind 30078: {control.message!r}")
    accepted(owner, draft(slug.upper()))
