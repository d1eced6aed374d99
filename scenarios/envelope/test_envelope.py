"""ENV: the envelope of a persona, and content that is not the relay's to judge (NIP-AP)."""

from nip_ap.scenario import (
    HTTP,
    PERSONA,
    WS,
    Broken,
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
    fill,
    head_at,
    refused,
)

ENVELOPES = data("envelopes")
CONTENTS = data("contents")

LARGEST_BODY = 65_535


def with_tags(persona, entry, slug, other_slug):
    """The persona with exactly the tags of a fixture entry."""
    return persona(None, tags=fill(entry, slug=slug, other=other_slug))


# -- one `d` tag ------------------------------------------------------------------


@clause("AP-ENV-01")
@each("two", ENVELOPES["two_d"])
def test_two_d_tags_are_refused(owner, persona, slug, other_slug, two):
    refused(owner, with_tags(persona, two, slug, other_slug), twin=persona(slug))


@clause("AP-ENV-02")
def test_a_lone_valueless_d_tag_is_refused(owner, persona, slug):
    refused(owner, persona(None, tags=[["d"]]), twin=persona(slug))


@clause("AP-ENV-03")
@each("beside", ENVELOPES["valueless_beside_good"])
def test_a_valueless_d_tag_beside_a_good_one_is_refused(owner, persona, slug, other_slug, beside):
    refused(owner, with_tags(persona, beside, slug, other_slug), twin=persona(slug))


@clause("AP-ENV-04")
@each("harmless", ENVELOPES["harmless_tags"])
def test_further_tags_change_nothing(owner, persona, slug, other_slug, harmless):
    event = accepted(owner, with_tags(persona, harmless, slug, other_slug))
    assert owner.head(slug) == event


# -- opaque content ---------------------------------------------------------------


@clause("AP-ENV-05")
@each("content", CONTENTS["opaque"])
def test_content_is_opaque(owner, persona, slug, content):
    event = accepted(owner, persona(slug, content=content["content"]))
    assert owner.head(slug) == event


def text_of(entry):
    """The content of a fixture entry, repeated where the entry says so."""
    if "content_repeat" in entry:
        text, times = entry["content_repeat"]
        return text * times
    return entry["content"]


@clause("AP-ENV-06")
@each("content", CONTENTS["round_trip"])
def test_content_and_tags_come_back_byte_for_byte(owner, persona, slug, content):
    event = accepted(owner, persona(slug, content=text_of(content), tags=content.get("tags", [])))
    served = head_at(owner, slug)
    assert served == event
    assert (served.content, served.tags) == (event.content, event.tags)


@clause("AP-ENV-06", needs=["http"])
def test_content_and_tags_come_back_byte_for_byte_over_http(owner, persona, check):
    drafts = [
        persona(check.slug(entry["name"][:20]), content=text_of(entry), tags=entry.get("tags", []))
        for entry in CONTENTS["round_trip"]
    ]
    events = owner.publish_all(drafts)
    wanted = address(owner, *(event.slug for event in events))
    served = {event.id: event for event in owner.read(wanted, via=HTTP).events}
    for event in events:
        assert event.id in served
        assert served[event.id].content == event.content
        assert served[event.id].tags == event.tags


@clause("AP-ENV-07")
def test_the_largest_body_fits_through_an_open_door(owner, persona, slug, relay, check):
    frame = '{"display_name":"Large","system_prompt":"%s"}'
    draft = persona(slug, content=frame % ("x" * (LARGEST_BODY - len(frame) + 2)))
    assert len(draft.content.encode()) == LARGEST_BODY
    limits = {WS: relay.limit("max_message_length"), HTTP: None}
    size = len(str(owner.signs(draft).to_json())) + 100
    doors = [
        via
        for via in (WS, HTTP)
        if (via == WS or relay.offers("http")) and (limits[via] is None or limits[via] >= size)
    ]
    if not doors:
        raise NotApplicable(
            f"no door admits {size} bytes: max_message_length is {limits[WS]} and there is no HTTP"
        )
    for via in doors:
        event = owner.signs(draft)
        answer = owner.send(event, via=via)
        check.note(f"a body of {LARGEST_BODY} bytes over {via}: {answer}")
        if answer.accepted:
            assert owner.head(slug, via=via) == event
            return
    raise Broken("a body of 65,535 bytes to be accepted", "a refusal at every door")


# -- what is served --------------------------------------------------------------


@clause("AP-ENV-08")
@every_door
def test_every_event_returned_verifies_and_matches_the_filter(owner, clock, persona, check, via):
    for number in range(5):
        slug = check.slug(str(number))
        owner.publish(persona(slug, at=clock.now() - number, name=f"Number {number}"))
    slug = check.slug("2")
    asked = [
        all_of(owner),
        address(owner, slug),
        Filter.of(kinds=[PERSONA], authors=[owner.pubkey], since=clock.now() - 2, limit=3),
    ]
    for one in asked:
        reading = owner.try_to_read(one, via=via)
        if reading.malformed:
            raise Broken("events", f"no event: {reading.malformed[0]}")
        if reading.refusal is not None:
            raise Inconclusive(f"a read was refused: {reading}")
        assert len(reading) > 0
        for event in reading.events:
            assert event.problems == ()
            assert one.matches(event)


@clause("AP-ENV-08")
def test_every_event_delivered_live_verifies(owner, persona, slug):
    watch = owner.watch(all_of(owner))
    event = owner.publish(persona(slug, name="live"))
    watch.wait_for(event)
    for one in watch.live:
        assert one.problems == ()
