"""ROB: bad input and rude clients cost one connection at most, and nothing that was written."""

from itertools import islice
from random import Random

from nip_ap.checking import fuzz
from nip_ap.scenario import (
    ANY,
    NOTE,
    PERSONA,
    Broken,
    ConnectionLost,
    Filter,
    Inconclusive,
    NoAnswer,
    NotApplicable,
    RateLimited,
    WireError,
    all_of,
    clause,
    delivered,
    destructive,
    outlives_the_relay,
)

FUZZED_FRAMES, FUZZED_BODIES = 300, 60
EVENTS, AWAITED = 1_000, 400
LARGEST_FRAME = 16_777_216
LOUD_EVENTS, LOUDNESS = 300, 16_000
ROUNDS, LISTENERS = 2, 20


def is_dealt_with(sender, payload, *, as_text=True):
    """Send anything, and wait until the relay has answered a request after it or hung up."""
    try:
        sender.ws.send_text(payload, as_text=as_text)
        sender.ws.query([all_of(sender, kinds=[NOTE])])
    except ConnectionLost:
        return
    except NoAnswer as error:
        sender.ledger.notes.append(f"no word on {payload[:40]!r}: {error}")


def still_serves(reader, witness, after):
    """A connection that had no part in it reads what was written before."""
    try:
        head = reader.head(witness.slug)
    except RateLimited:
        raise  # "later" is an answer, and no sign of harm
    except WireError as error:
        raise Broken(f"another connection to be served after {after}", str(error)) from error
    assert head == witness, after


def is_intact(owner, witness, after):
    """Connections open all the time and fresh ones read what was written before."""
    still_serves(owner, witness, after)
    fresh = owner.another_connection()
    still_serves(fresh, witness, after)
    fresh.leave()


def served_before(owner, draft):
    """The control of all that follows: the relay served this before anybody was rude."""
    witness = owner.publish(draft)
    if owner.head(witness.slug) != witness:
        raise Inconclusive("the relay did not serve a persona before either")
    return witness


# -- garbage -----------------------------------------------------------------------------


@destructive
@clause("AP-ROB-01", needs=["load"])
def test_garbage_does_not_kill_the_relay(owner, stranger, persona, slug):
    witness = served_before(owner, persona(slug))
    for name, payload, as_text in fuzz.corpus():
        sender = stranger.unauthenticated()
        is_dealt_with(sender, payload, as_text=as_text)
        sender.leave()
        still_serves(owner, witness, after=name)
    is_intact(owner, witness, after="all of it")


@destructive
@clause("AP-ROB-01", needs=["load"])
def test_mutated_frames_do_not_kill_the_relay(owner, stranger, persona, slug, other_slug, seed):
    witness = served_before(owner, persona(slug))
    material = stranger.signs(persona(other_slug))
    sender = stranger.another_connection()
    for frame in islice(fuzz.frames(Random(seed), material), FUZZED_FRAMES):
        try:
            sender.ws.send_text(frame)
        except ConnectionLost:
            sender.reconnect()
    is_dealt_with(sender, "[]")
    is_intact(owner, witness, after=f"{FUZZED_FRAMES} mutated frames")


@destructive
@clause("AP-HTTP-03", needs=["load"])
def test_mutated_bodies_are_answered_without_a_server_error(
    owner, stranger, persona, slug, other_slug, seed
):
    witness = owner.publish(persona(slug))
    material = stranger.signs(persona(other_slug))
    for path, body in islice(fuzz.bodies(Random(seed), material), FUZZED_BODIES):
        status = stranger.http.post(path, body).status_code
        assert status < 500, f"POST {path} {body!r}"
    is_intact(owner, witness, after=f"{FUZZED_BODIES} mutated bodies")


def _announced(limit):
    return "no max_message_length" if limit is None else f"max_message_length {limit}"


@destructive
@clause("AP-ROB-02", needs=["load"])
def test_a_frame_over_the_limit_costs_one_connection_at_most(
    owner, stranger, persona, slug, other_slug, relay
):
    limit = relay.limit("max_message_length")
    if limit is None or limit > LARGEST_FRAME:
        raise NotApplicable(f"NIP-11 announces {_announced(limit)}: nothing to exceed")
    witness = owner.publish(persona(slug))
    too_large = stranger.signs(persona(slug, content="x" * limit))
    try:
        answer = stranger.send(too_large)
        if answer.accepted:
            raise Broken(f"a frame over {limit} bytes not to be taken", str(answer))
    except ConnectionLost:
        stranger.reconnect()
    except NoAnswer as error:
        if not stranger.ws.notices:
            raise Broken("a notice, a refusal or a close", str(error)) from error
    assert stranger.head(slug) is None
    is_intact(owner, witness, after="a frame over the limit")
    event = owner.publish(persona(other_slug))
    assert owner.head(other_slug) == event


@destructive
@clause("AP-ROB-02", needs=["load"])
def test_a_frame_of_just_the_limit_is_read(owner, persona, slug, relay):
    limit = relay.limit("max_message_length")
    if limit is None or limit > LARGEST_FRAME:
        raise NotApplicable(f"NIP-11 announces {_announced(limit)}: nothing to reach")

    def padded(number):
        return owner.signs(persona(slug, tags=[("padding", "x" * number)]))

    without = len(owner.ws.frame_of(padded(0)))
    if without > limit:
        raise NotApplicable(f"NIP-11 announces max_message_length {limit}: no persona fits")
    try:
        owner.ws.publish(padded(limit - without))  # whatever the answer is: it is the proof
    except (ConnectionLost, NoAnswer) as error:
        raise Broken(f"an answer to a frame of {limit} bytes, as announced", str(error)) from error


# -- unusual filters -----------------------------------------------------------------------


def unusual_filters(owner, most):
    """Requests that NIP-01 allows or nearly allows, by name."""
    own = all_of(owner)
    return {
        "no filter": [],
        "more filters than announced": [own] * (most + 1),
        "no ids": [own.changed(ids=())],
        "no authors": [own.changed(authors=())],
        "no kinds": [own.changed(kinds=())],
        "no values of a tag": [own.changed(tags={"d": ()})],
        "a huge limit": [own.changed(limit=2**31)],
        "a limit beyond 64 bits": [own.changed(limit=2**63)],
        "since after until": [own.changed(since=2_000_000_000, until=1)],
        "the end of time": [own.changed(until=2**53 - 1)],
        "unknown keys": [own.changed(extension={"color": "red", "#long": ["x"], "#": ["x"]})],
        "a thousand values": [own.changed(tags={"d": tuple(map(str, range(1_000)))})],
        "many kinds": [own.changed(kinds=tuple(range(1_000, 2_000)))],
    }


@destructive
@clause("AP-ROB-03")
def test_unusual_filters_are_answered(owner, persona, slug, relay):
    witness = owner.publish(persona(slug))
    for name, filters in unusual_filters(owner, relay.limit("max_filters") or 10).items():
        heard, subscription = len(owner.ws.notices), owner.ws.subscribe(filters)
        try:
            owner.ws.wait(
                lambda one=subscription, heard=heard: (
                    one.ended or one.closed is not None or len(owner.ws.notices) > heard
                ),
                "EOSE, CLOSED or a NOTICE",
            )
        except NoAnswer as error:
            raise Broken(f"an answer to a REQ with {name}", str(error)) from error
        except ConnectionLost:
            owner.reconnect()
        else:
            subscription.close()
    assert owner.head(slug) == witness


# -- rude clients --------------------------------------------------------------------------


@destructive
@clause("AP-ROB-04", needs=["load"])
def test_a_cut_connection_loses_nothing_that_was_acknowledged(owner, persona, check, clock):
    events = [
        owner.signs(persona(check.slug(f"cut-{number}"), at=clock.now() - number % 60))
        for number in range(EVENTS)
    ]
    by_id = {event.id: event for event in events}
    writer = owner.another_connection()
    acknowledged = writer.ws.cut_off_in_the_middle_of(events, after=AWAITED)
    check.fact("acknowledged before the cut", len(acknowledged))
    owner.catch_up([by_id[one] for one in acknowledged[-1:]])
    there = {}
    for start in range(0, EVENTS, 250):
        ids = [event.id for event in events[start : start + 250]]
        reading = owner.read(Filter.of(kinds=[PERSONA], ids=ids, limit=250))
        there |= {event.id: event for event in reading.events}
    assert [one for one in acknowledged if one not in there] == []
    for identifier, event in there.items():
        assert event.same_bytes_as(by_id[identifier])


@destructive
@clause("AP-ROB-05", needs=["load"])
def test_a_subscriber_that_stops_reading_stops_nobody_else(
    owner, other_owner, persona, slug, check
):
    idle = owner.another_connection(can_pause=True)
    idle.ws.open([all_of(owner)])
    idle.ws.stop_reading()
    watch = owner.another_connection().watch(all_of(owner))
    loud = "x" * LOUDNESS
    drafts = [persona(check.slug(str(number)), name=loud) for number in range(LOUD_EVENTS)]
    try:
        for start in range(0, LOUD_EVENTS, 50):
            for event in owner.publish_all(drafts[start : start + 50]):
                delivered(event, on=watch)
        other = other_owner.publish(persona(slug))
        assert other_owner.head(slug) == other
    except NoAnswer as error:
        raise Broken("other connections to be served in time", str(error)) from error


@destructive
@clause("AP-ROB-07", needs=["load"])
def test_many_who_come_listen_and_go_do_not_stop_the_relay(owner, persona, slug, check, falls):
    witness = served_before(owner, persona(slug))
    for number in range(ROUNDS):
        try:
            listeners = [owner.another_connection() for _ in range(LISTENERS)]
            watches = [listener.watch(all_of(owner)) for listener in listeners]
            event = owner.publish(persona(check.slug(f"round-{number}")), expect=ANY)
            watches[0].wait_for(event)
        except WireError:
            break
        for listener in listeners:
            listener.leave()
    silence = falls()
    if silence:
        raise Broken("the relay to go on serving after listeners came and went", silence)
    fresh = owner.another_connection()
    still_serves(fresh, witness, after="listeners came and went")
    fresh.leave()


@outlives_the_relay
@clause("AP-ROB-07")
def test_the_relay_serves_to_the_end(falls):
    fallen = falls()
    if fallen:
        raise Broken("a relay that goes on serving, whatever its clients do", fallen)
