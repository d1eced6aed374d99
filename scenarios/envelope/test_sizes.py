"""ENV: what is long, many or odd comes back whole, or is refused (NIP-01; NIP-AP)."""

from nip_ap.scenario import (
    ANY,
    HTTP,
    PERSONA,
    WS,
    Broken,
    Filter,
    Inconclusive,
    NotApplicable,
    all_of,
    clause,
    data,
    each,
    refused,
)

CONTENTS = data("contents")
SIZES = (255, 256, 511, 512, 1024, 4096)
NUMBERS = (100, 200, 500)
FAR = 100
SHORT = 16
LARGE = (100_000, 262_144, 1_000_000)
"""Bytes of content; the second is the bound of the real relay."""
ENVELOPE = 1_000


def kept_whole_or_refused(check, reader, named, answers, via=WS):
    """Claim: each accepted event is served, byte for byte; a refusal is no fault.

    `named` are the events by what is unusual about them, `answers` what the relay said to each.
    """
    pairs = list(zip(named.items(), answers, strict=True))
    taken = {name: event for (name, event), answer in pairs if answer and answer.accepted}
    for (name, _), answer in pairs:
        if name not in taken:
            check.note(f"{name}: {str(answer)[:200] if answer else 'no answer'}")
    if not taken:
        raise Inconclusive("the relay refuses all of it, so nothing can come back changed")
    ids = [event.id for event in taken.values()]
    wanted = Filter.of(kinds=[PERSONA], authors=[reader.pubkey], ids=ids)
    served = {event.id: event for event in reader.read(wanted, via=via).events}
    lost = [name for name, event in taken.items() if event.id not in served]
    changed = [
        name
        for name, event in taken.items()
        if event.id in served and not event.same_bytes_as(served[event.id])
    ]
    if lost or changed:
        raise Broken(
            "what was accepted to come back whole", f"missing: {lost}, with other bytes: {changed}"
        )


# -- long values, many tags --------------------------------------------------------------


def long_and_many(owner, persona, check):
    """Personas with long tag values and with many tags, by what is long about them."""
    drafts = {
        f"a `{name}` value of {size} bytes": [(name, "v" * size)]
        for name in ("t", "alt")
        for size in SIZES
    } | {f"{number} tags": [("t", f"tag-{n}") for n in range(number)] for number in NUMBERS}
    return {
        what: owner.signs(persona(check.slug(f"long-{number}"), tags=tags))
        for number, (what, tags) in enumerate(drafts.items())
    }


@clause("AP-ENV-09")
def test_long_tag_values_and_many_tags_are_kept_whole_or_refused(owner, persona, check):
    named = long_and_many(owner, persona, check)
    kept_whole_or_refused(check, owner, named, owner.submit(list(named.values())))


@clause("AP-ENV-10")
def test_a_long_tag_value_matches_itself_alone(owner, persona, check):
    values = [f"{'v' * (size - 1)}{last}" for size in (SHORT, *SIZES) for last in "ab"]
    drafts = [
        persona(check.slug(f"value-{number}"), tags=[("t", value)])
        for number, value in enumerate(values)
    ]
    events = owner.publish_all(drafts, expect=ANY)
    asked = [all_of(owner).changed(tags={"t": (value,)}) for value in values]
    readings = owner.read_each(asked)
    pairs = list(zip(values, events, readings, strict=True))
    if any(reading.events != (event,) for _, event, reading in pairs[:2]):
        raise Inconclusive(f"a `t` value of {SHORT} bytes is not found by itself either")
    wrong = [len(value) for value, event, reading in pairs if set(reading.events) - {event}]
    if wrong:
        raise Broken("a `t` value to match itself alone", f"others too at {wrong} bytes")
    unfound = sorted({len(value) for value, _, reading in pairs if not reading.events})
    if unfound:
        check.note(f"`t` values of {unfound} bytes are not found, or were not taken")


# -- odd characters ----------------------------------------------------------------------


@clause("AP-ENV-11")
def test_odd_characters_are_kept_or_refused(owner, persona, check):
    named = {}
    for number, odd in enumerate(CONTENTS["odd"]):
        text = f"before {odd['character']} after"
        for place, draft in (
            ("content", persona(check.slug(f"content-{number}"), content=text)),
            ("a tag", persona(check.slug(f"tag-{number}"), tags=[("alt", text)])),
        ):
            named[f"{odd['name']} in {place}"] = owner.signs(draft)
    named["nothing odd"] = owner.signs(persona(check.slug("plain")))
    answers = owner.submit(list(named.values()))
    check.fact("odd characters", {name: str(one) for name, one in zip(named, answers, strict=True)})
    kept_whole_or_refused(check, owner, named, answers)


# -- large content -----------------------------------------------------------------------


def open_door(relay, size):
    """The door that admits a persona of that size, HTTP rather than a frame; None where none."""
    if relay.offers("http"):
        return HTTP
    most = relay.limit("max_message_length")
    return WS if most is None or size + ENVELOPE <= most else None


@clause("AP-ENV-12", needs=["load"])
@each("size", LARGE)
def test_large_content_is_kept_whole_or_refused(
    owner, persona, slug, other_slug, relay, size, check
):
    via = open_door(relay, size)
    if via is None:
        raise NotApplicable(f"NIP-11 announces frames too small for {size} bytes, and no HTTP door")
    named = {
        f"content of {size} bytes": owner.signs(persona(slug, content="0123456789" * (size // 10))),
        "short content": owner.signs(persona(other_slug)),
    }
    answers = [
        owner.another_connection().submit([event])[0] if via == WS else owner.send(event, via=via)
        for event in named.values()
    ]
    kept_whole_or_refused(check, owner, named, answers, via)


# -- a second `d` ------------------------------------------------------------------------


@clause("AP-ENV-01")
def test_a_second_d_far_from_the_first_is_refused(owner, persona, slug, other_slug, relay):
    most = relay.limit("max_event_tags")
    between = FAR if most is None else max(1, min(FAR, most - 2))
    tags = [("t", f"tag-{number}") for number in range(between)]
    far = persona(slug, tags=[*tags, ("d", other_slug)])
    refused(owner, far, twin=persona(slug, tags=tags))
