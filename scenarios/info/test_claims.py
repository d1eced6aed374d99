"""INFO: what a relay announces in NIP-11 beside what it does (NIP-11, "Server Limitations").

Announced limits are judged up to the limit: a client that keeps to them has to be served. What a
relay announces nothing about is not judged, and what it does beyond a limit is reported.
"""

from nip_ap.scenario import (
    Broken,
    ConnectionLost,
    NoAnswer,
    NotApplicable,
    address,
    all_of,
    clause,
    delivered,
    same_events,
)

PAGE, SUBSCRIPTIONS, FILTERS, ID_LENGTH, FRAME = 60, 40, 50, 256, 1_048_576
"""The most that is tried of each; what is announced may be far more."""


def announced(relay, name):
    """A number of NIP-11's `limitation`. Raises NotApplicable where there is none."""
    limit = relay.limit(name)
    if limit is None:
        raise NotApplicable(f"NIP-11 announces no {name}")
    if limit < 1:
        raise NotApplicable(f"NIP-11 announces {name} {limit}, within which nothing can be asked")
    return limit


@clause("AP-INFO-01")
def test_a_limit_up_to_the_announced_one_is_kept(owner, persona, check, clock, relay):
    number = min(announced(relay, "max_limit"), PAGE)
    events = owner.publish_all(
        persona(check.slug(str(one)), at=clock.now() - one) for one in range(number)
    )
    same_events(owner.read_one_answer(all_of(owner).changed(limit=number)).events, events)


@clause("AP-INFO-02")
def test_as_many_subscriptions_as_announced_are_served(owner, persona, slug, relay):
    number = min(announced(relay, "max_subscriptions"), SUBSCRIPTIONS)
    listener = owner.another_connection()
    first = listener.watch(all_of(owner))
    others = [listener.ws.subscribe([all_of(owner)]) for _ in range(number - 2)]
    for place, one in enumerate(others, 2):
        one.wait_for_answer()
        if not one.ended:
            raise Broken(f"{number} open subscriptions", f"number {place} closed: {one.closed!r}")
    last = listener.try_to_watch(all_of(owner)) if number > 1 else first
    if last is None:
        raise Broken(f"{number} open subscriptions", "the last was closed")
    event = owner.publish(persona(slug))
    for watch in (first, last):
        delivered(event, on=watch)


@clause("AP-INFO-03")
def test_as_many_filters_as_announced_are_heeded(owner, persona, slug, relay):
    number = min(announced(relay, "max_filters"), FILTERS)
    event = owner.publish(persona(slug))
    nothing = [address(owner, f"nothing-{one}") for one in range(number - 1)]
    for filters in ([*nothing, address(owner, slug)], [address(owner, slug), *nothing]):
        subscription = answered(owner, filters, f"a REQ of {number} filters")
        same_events(subscription.stored, [event])
        subscription.close()


def answered(owner, filters, what, identifier=""):
    """Claim: a REQ is answered with EOSE."""
    heard = len(owner.ws.notices)
    subscription = owner.ws.subscribe(filters, identifier)
    try:
        owner.ws.wait(
            lambda: subscription.is_answered or len(owner.ws.notices) > heard, "EOSE or a refusal"
        )
        if not subscription.is_answered:  # a NOTICE names nothing: small talk, or the answer
            owner.read(all_of(owner).changed(limit=1))
    except (ConnectionLost, NoAnswer) as error:
        raise Broken(f"EOSE for {what}", str(error)) from error
    if not subscription.ended:
        owner.read(filters[-1])  # what is refused by itself says nothing of a limit
        seen = subscription.closed if subscription.closed is not None else owner.ws.notices[-1]
        raise Broken(f"EOSE for {what}", repr(seen))
    return subscription


@clause("AP-INFO-04", needs=["load"])
def test_a_frame_of_the_announced_size_is_answered(owner, persona, slug, relay):
    limit = announced(relay, "max_message_length")
    if limit > FRAME:
        raise NotApplicable(f"NIP-11 announces frames of {limit} bytes, more than is tried")

    def padded(number):
        return owner.signs(persona(slug, tags=[("padding", "x" * number)]))

    without = len(owner.ws.frame_of(padded(0)))
    if without > limit:
        raise NotApplicable(f"NIP-11 announces max_message_length {limit}: no persona fits")
    try:
        owner.send(padded(limit - without))
    except (ConnectionLost, NoAnswer) as error:
        raise Broken(f"an answer to a frame of {limit} bytes, as announced", str(error)) from error


@clause("AP-INFO-05")
def test_a_subscription_id_of_the_announced_length_is_taken(owner, persona, slug, relay):
    length = min(announced(relay, "max_subid_length"), ID_LENGTH)
    event = owner.publish(persona(slug))
    what = f"a subscription id of {length} characters"
    subscription = answered(owner, [address(owner, slug)], what, "s" * length)
    same_events(subscription.stored, [event])


BEYOND = ("max_filters", "max_subid_length")


@clause("AP-INFO-06")
def test_what_is_answered_beyond_the_announced_limits(owner, persona, slug, relay, check):
    limits = {name: relay.limit(name) for name in BEYOND if relay.limit(name)}
    if not limits:
        raise NotApplicable("NIP-11 announces neither a number of filters nor a length of ids")
    event = owner.publish(persona(slug))
    for name, limit in limits.items():
        asker = owner.another_connection()
        filters = [address(owner, slug)] * (limit + 1 if name == "max_filters" else 1)
        identifier = "s" * (limit + 1) if name == "max_subid_length" else ""
        try:
            answered(asker, filters, "one more than announced", identifier)
            check.fact(f"beyond {name} {limit}", "answered all the same")
        except Broken as refusal:
            check.fact(f"beyond {name} {limit}", f"refused: {refusal.seen}")
    assert owner.head(slug) == event
