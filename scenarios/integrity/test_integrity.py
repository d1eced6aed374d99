"""INT: an event is what its author signed, and each gets its answer (NIP-01)."""

import contextlib

from nip_ap.nostr import SecretKey
from nip_ap.scenario import (
    HTTP,
    NOTE,
    Broken,
    Draft,
    Filter,
    NoAnswer,
    WireError,
    all_of,
    batched,
    changed,
    clause,
    data,
    destructive,
    every_door,
    fill,
    refused,
    undelivered,
)

MALFORMED, ENVELOPES = data("malformed"), data("envelopes")


# -- id and signature --------------------------------------------------------------


@clause("AP-INT-01")
@every_door
def test_a_wrong_id_is_refused(owner, persona, slug, other_slug, via):
    event = owner.signs(persona(slug))
    another = owner.signs(persona(other_slug))
    one_digit = event.id[:-1] + ("0" if event.id[-1] != "0" else "1")
    bad = [event.altered(id=another.id), event.altered(id=one_digit)]
    refused(owner, bad, twin=event, via=via)


@clause("AP-INT-01")
def test_a_wrong_id_that_is_signed_is_refused(owner, persona, slug):
    event = owner.signs(persona(slug))
    wrong = event.altered(id=event.id[::-1])
    bad = wrong.altered(sig=owner.key.sign(bytes.fromhex(wrong.id)))
    refused(owner, bad, twin=event)


@clause("AP-INT-02")
@every_door
def test_a_wrong_signature_is_refused(owner, persona, slug, via):
    event = owner.signs(persona(slug))
    other_key = SecretKey.derived("AP-INT-02", "somebody else")
    flipped = f"{int(event.sig, 16) ^ 1:0128x}"
    of_other_content = owner.signs(persona(slug, name="something else")).sig
    bad = [
        event.altered(sig=flipped),
        event.altered(sig=other_key.sign(bytes.fromhex(event.id))),
        event.altered(sig=of_other_content),
        event.altered(sig="0" * 128),
    ]
    refused(owner, bad, twin=event, via=via)


@clause("AP-INT-03")
@every_door
def test_what_was_changed_after_signing_is_refused(owner, persona, slug, other_slug, via):
    event = owner.signs(persona(slug))
    bad = [
        event.altered(content=event.content + " "),
        event.altered(tags=(("d", other_slug),)),
        event.altered(kind=30078),
        event.altered(created_at=event.created_at - 1),
    ]
    refused(owner, bad, twin=event, via=via)


# -- answers -----------------------------------------------------------------------


@clause("AP-INT-04")
def test_each_event_gets_one_ok_that_names_its_id(owner, persona, clock, slug, other_slug):
    sent = {
        "a new persona": owner.signs(persona(slug)),
        "a persona with an invalid slug": owner.signs(persona("-")),
        "an older version": owner.signs(persona(slug, at=clock.now() - 10)),
        "a note": owner.signs(Draft(NOTE, clock.now(), (), "hello")),
        "another persona": owner.signs(persona(other_slug)),
    }
    for event in sent.values():
        owner.ws.send(["EVENT", event.to_json()])
    for what, event in sent.items():
        try:
            owner.ws.wait(lambda one=event: owner.ws.has_ok(one), f"OK for {what}")
        except NoAnswer as error:
            raise Broken(f"an OK that names the id of {what}", str(error)) from error
    owner.personas()
    answered = {what: owner.ws.oks_of(event) for what, event in sent.items()}
    assert answered == dict.fromkeys(sent, 1)


@clause("AP-INT-04")
def test_a_refusal_names_the_event_too(owner, persona, slug, other_slug):
    owner.publish(persona(slug))
    forged = owner.signs(persona(other_slug)).altered(sig="0" * 128)
    owner.ws.post(forged)
    try:
        owner.ws.wait(lambda: owner.ws.has_ok(forged) or owner.ws.misnamed, "OK for a forgery")
    except NoAnswer as error:
        raise Broken("an OK that names the id of a forgery", str(error)) from error
    named = [answer.event_id for answer in owner.ws.misnamed]
    if named:
        raise Broken(f"an OK that names {forged.id}", f"one that names {named[0]!r}")


@clause("AP-INT-04")
def test_a_persona_with_unfit_tags_gets_an_answer_too(owner, persona, slug, other_slug):
    owner.publish(persona(slug))
    for unfit in (*ENVELOPES["two_d"], *ENVELOPES["valueless_d"]):
        tags = fill(unfit, slug=slug, other=other_slug)
        event = owner.signs(persona(None, tags=tags, name=unfit["name"]))
        door = owner.another_connection().ws
        door.post(event)
        try:
            door.wait(lambda door=door, event=event: door.has_ok(event) or door.misnamed, "OK")
        except WireError as error:
            raise Broken(f"an OK that names an event with tags {tags}", str(error)) from error
        if not door.has_ok(event):
            raise Broken(f"an OK that names {event.id}", f"{door.misnamed[0].event_id!r}")


@clause("AP-INT-05")
@every_door
def test_the_same_event_is_accepted_twice(owner, persona, slug, via):
    event = owner.publish(persona(slug), via=via)
    again = owner.send(event, via=via)
    assert again.accepted is True


@clause("AP-INT-05")
@every_door
def test_the_same_event_sent_twice_is_served_once(owner, persona, slug, via):
    event = owner.publish(persona(slug))
    owner.publish(event, expect="any")
    assert owner.personas(via=via).ids == (event.id,)


@clause("AP-INT-05")
def test_the_same_event_sent_twice_is_delivered_once(owner, persona, slug, other_slug):
    watch = owner.watch(all_of(owner))
    event = owner.publish(persona(slug))
    watch.wait_for(event)
    owner.publish(event, expect="any")
    watch.wait_for(owner.publish(persona(other_slug)))
    assert watch.copies_of(event) == 1


@clause("AP-INT-05")
def test_an_event_resent_later_does_not_reach_a_new_subscription(
    owner, persona, slug, other_slug, stranger
):
    first = owner.watch(all_of(owner))
    event = owner.publish(persona(slug))
    first.wait_for(event)  # else a late delivery of the first sending would pass for the second's
    watch = owner.another_connection().watch(all_of(owner))
    owner.publish(event, expect="any")
    undelivered(event, on=watch, fence=owner.publish(persona(other_slug)))


# -- malformed events -------------------------------------------------------------


def send_malformed(owner, values):
    """Send EVENT frames that hold no event, each on a connection of its own, and see them through.

    A connection that breaks or goes silent is a fine answer to such a frame, and so is a delay.
    """
    senders = [owner.another_connection() for _ in values]
    fences = []
    for sender, value in zip(senders, values, strict=True):
        with contextlib.suppress(WireError):
            sender.ws.send(["EVENT", value])
            fences.append(sender.ws.subscribe([all_of(sender)]))
    for fence in fences:
        with contextlib.suppress(WireError):
            fence.door.wait(lambda one=fence: is_through(one), "an answer to a malformed event")
    for sender in senders:
        sender.leave()


def is_through(fence):
    """Whether the relay has dealt with the frame before this subscription."""
    return fence.ended or fence.closed is not None or fence.door.misnamed


@destructive
@clause("AP-INT-06")
def test_malformed_events_are_not_stored_and_hurt_nobody(owner, persona, slug, other_slug):
    witness = owner.publish(persona(slug))
    seen, harm = {witness.id}, {}
    for few in batched(list(enumerate(MALFORMED)), 8):
        values = {
            entry["name"]: malformed(owner, persona, f"{other_slug}-{number}", entry)
            for number, entry in few
        }
        harm |= came_of(owner, values, seen)
    if harm:
        told = "; ".join(f"{name}: {text}" for name, text in harm.items())
        raise Broken("no malformed event to be stored or to hurt anybody", told)
    assert witness in owner.personas()


def came_of(owner, values, seen):
    """What malformed events led to, by name; where one hurt others, each is asked alone."""
    bystander = owner.ws
    send_malformed(owner, list(values.values()))
    found = look(owner, owner.ws if bystander.was_left_idle else bystander)
    if isinstance(found, str):
        owner.reconnect()
        if len(values) == 1:
            return dict.fromkeys(values, found)
        alone = [came_of(owner, {name: value}, seen) for name, value in values.items()]
        told = {name: text for one in alone for name, text in one.items()}
        return told or {", ".join(values): f"{found}; none of them does it alone"}
    new = {identifier: text for identifier, text in found.items() if identifier not in seen}
    seen |= set(new)
    return {culprit(values, identifier, text): text for identifier, text in new.items()}


def culprit(values, identifier, text):
    """The name of the event that is served, by its id or by what its content says."""
    for name, value in values.items():
        if f'"{name}"' in text or (isinstance(value, dict) and value.get("id") == identifier):
            return name
    return f"one of {', '.join(values)}"


def look(owner, bystander):
    """What an author is served on a connection that was open all the while, by id.

    In words where it is no longer served.
    """
    by_author = Filter.of(authors=[owner.pubkey])
    try:
        readings = [bystander.query([one]) for one in (all_of(owner), by_author)]
    except WireError as error:
        return f"another connection is no longer served: {error}"
    events = {event.id: what(event) for reading in readings for event in reading.events}
    return events | {str(one): str(one) for reading in readings for one in reading.malformed}


def malformed(owner, persona, slug, entry):
    """A persona's JSON with one change; its content names the change."""
    event = owner.signs(persona(slug, name=entry["name"]))
    return changed(event.to_json(), entry["change"], slug=slug)


def what(event):
    """An event that came of a malformed one, in a few words."""
    return f"kind {event.kind} of {event.created_at}, tags {event.tags}, {event.content[:50]!r}"


@destructive
@clause("AP-INT-06", needs=["http"])
def test_malformed_events_are_refused_over_http(owner, persona, slug):
    witness = owner.publish(persona(slug))
    statuses = {}
    for entry in MALFORMED:
        bad = changed(owner.signs(persona(slug)).to_json(), entry["change"], slug=slug)
        statuses[entry["name"]] = owner.http.publish_json(bad, "").status
    assert {name: one for name, one in statuses.items() if not 400 <= one < 500} == {}
    assert owner.personas(via=HTTP).ids == (witness.id,)
