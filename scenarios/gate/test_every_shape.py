"""GATE-15: strangers ask in every filter shape, at every surface, after every kind of write."""

from nip_ap.checking import gate_plans, plans
from nip_ap.checking.findings import Theme
from nip_ap.scenario import (
    PERSONA,
    Filter,
    NotApplicable,
    address,
    all_of,
    clause,
    undelivered,
    withheld,
)

SIZES = (60_000, 24_000)
"""Bytes of content beyond those of generated traffic; the second where the first is refused."""
ENVELOPE = 1_000


@clause("AP-GATE-15")
def test_stored_answers_are_gated_in_every_shape(traffic):
    traffic.holds(gate_plans.stored, Theme.GATE)


@clause("AP-GATE-15")
def test_live_delivery_is_gated_in_every_shape(traffic):
    traffic.holds(gate_plans.live, Theme.GATE)


@clause("AP-GATE-15", needs=["count"])
def test_counts_are_gated_in_every_shape(traffic):
    traffic.holds(gate_plans.counts, Theme.GATE)


@clause("AP-GATE-15", needs=["http"])
def test_the_http_door_is_gated_in_every_shape(traffic):
    traffic.holds(gate_plans.http, Theme.GATE)


@clause("AP-GATE-15")
def test_large_personas_are_gated_in_plain_shapes(
    owner, stranger, persona, slug, other_slug, relay
):
    fence = owner.signs(persona(other_slug, shared=True))
    watch = stranger.watch(all_of(owner))
    large = largest_taken(owner, persona, slug, relay)
    owner.publish(fence)
    undelivered(large, on=watch, fence=fence)
    for wanted in (
        all_of(owner),
        address(owner, slug),
        Filter.of(kinds=[PERSONA], ids=[large.id]),
        Filter.of(kinds=[PERSONA], tags={"t": (slug,)}),
        all_of(owner).changed(since=large.created_at),
    ):
        withheld(large, wanted, from_=stranger, seen_by=owner)


def largest_taken(owner, persona, slug, relay):
    """An unshared persona of the largest size that the relay takes."""
    frame = relay.limit("max_message_length")
    answer = f"NIP-11 announces frames of {frame} bytes"
    for size in SIZES:
        if frame is not None and size + ENVELOPE > frame:
            continue
        event = owner.signs(persona(slug, content="0123456789" * (size // 10), tags=[("t", slug)]))
        answer = owner.another_connection().submit([event])[0]
        if answer is not None and answer.accepted:
            return event
    raise NotApplicable(f"the relay takes no content of {min(SIZES)} bytes: {answer}")


@clause("AP-GATE-15")
def test_strangers_among_other_readers_get_nothing_that_is_withheld(traffic):
    traffic.holds(plans.limits, Theme.GATE, share=0.5)
