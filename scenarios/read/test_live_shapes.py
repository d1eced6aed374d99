"""READ: live delivery, whatever else a filter says, and on every subscription (NIP-01)."""

from itertools import cycle

from nip_ap.scenario import (
    NOTE,
    PERSONA,
    Broken,
    Filter,
    NoAnswer,
    address,
    all_of,
    clause,
    delivered,
)

AHEAD = 600
LIMIT, MORE = 2, 5
CONNECTIONS = 3
"""To share the shapes: few relays hold many subscriptions on one, and a dial takes its time."""


def shapes(owner, slug, now):
    """Requests that a persona of now matches, each in another way."""
    own = all_of(owner)
    return {
        "`since`": [own.changed(since=now - 60)],
        "`until` ahead": [own.changed(until=now + AHEAD)],
        "`since` and `until`": [own.changed(since=now - 60, until=now + AHEAD)],
        "`limit`": [own.changed(limit=3)],
        "`since` and `limit`": [own.changed(since=now - 60, limit=3)],
        "two kinds": [own.changed(kinds=(NOTE, PERSONA))],
        "two authors": [own.changed(authors=("f" * 64, owner.pubkey))],
        "two slugs": [address(owner, "nothing-of-that-name", slug)],
        "a tag": [own.changed(tags={"t": ("live", "other")})],
        "the second of two filters": [address(owner, "nothing-of-that-name"), own],
        "the first of two filters": [own, Filter.of(kinds=[NOTE], authors=[owner.pubkey])],
    }


@clause("AP-READ-10")
def test_a_new_head_is_delivered_live_whatever_the_filter_says(owner, persona, slug, clock):
    event = owner.signs(persona(slug, tags=[("t", "live")]))
    listeners = cycle([owner.another_connection() for _ in range(CONNECTIONS)])
    watches = {
        shape: listener.watch(*filters)
        for listener, (shape, filters) in zip(
            listeners, shapes(owner, slug, clock.now()).items(), strict=False
        )
    }
    plain = owner.another_connection().watch(all_of(owner))
    owner.publish(event)
    plain.wait_for(event)
    missed = [shape for shape, watch in watches.items() if not reached(watch, event)]
    if missed:
        raise Broken("a new head on each subscription that matches it", f"nothing with {missed}")


def reached(watch, event):
    """Whether a live subscription gets an event in time."""
    try:
        watch.wait_for(event)
    except NoAnswer:
        return False
    return True


@clause("AP-READ-10")
def test_every_subscription_of_a_connection_gets_a_new_head(owner, persona, slug, clock):
    listener = owner.another_connection()
    watches = {
        "the first": listener.watch(all_of(owner)),
        "the second": listener.watch(address(owner, slug)),
        "the third": listener.watch(all_of(owner)),
    }
    event = owner.publish(persona(slug))
    missed = [name for name, watch in watches.items() if not reached(watch, event)]
    if missed:
        raise Broken("a new head on three subscriptions of one connection", f"not on {missed}")


@clause("AP-READ-10")
def test_live_delivery_goes_on_beyond_a_limit(owner, persona, check, clock):
    owner.publish_all(
        [persona(check.slug(f"stored-{n}"), at=clock.now() - 9) for n in range(LIMIT)]
    )
    watch = owner.another_connection().watch(all_of(owner).changed(limit=LIMIT))
    for number in range(MORE):
        delivered(owner.publish(persona(check.slug(f"live-{number}"))), on=watch)
