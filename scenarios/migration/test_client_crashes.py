"""MIG, side (b): crashes, partial runs and refusals.

A migrator runs as a process against a stub relay that misbehaves on request. What is judged is the
stub's state and what came over its wire, never the inside of a store.
"""

import random

from nip_ap.clients.claims import (
    heads_are_there,
    many,
    reported,
)
from nip_ap.clients.device import published_of
from nip_ap.clients.launch import clock_passes
from nip_ap.scenario import (
    Broken,
    Inconclusive,
    clause,
)

MIGRATOR = ["migrator"]
WINDOW = 2


# -- crashes and partial runs --------------------------------------------------------


@clause("AP-MIG-04", needs=MIGRATOR)
def test_a_crash_after_signing_loses_nothing(working, laptop, stub, personas):
    laptop.has(personas)
    stub.order(silent=True)
    running = laptop.starts()
    stub.waits_for_events(1)
    laptop.recorded(running.killed())
    seen = {one.slugs[0]: one.event["id"] for one in stub.heard() if one.slugs}
    stub.order(silent=False)
    laptop.runs()
    heads_are_there(laptop, published_of(personas))
    anew = [slug for slug, head in laptop.heads().items() if seen.get(slug, head.id) != head.id]
    if anew:
        raise Broken("the ids that were on the wire before the crash", f"others for {anew}")


@clause("AP-MIG-05", needs=MIGRATOR)
def test_a_crash_at_any_moment_can_be_finished(working, laptop, phone, check, seed):
    load = check.surface.context.settings.migrator_load
    records = many(load // 5, check.seed)
    kills, moments = max(4, load // 50), random.Random(seed)
    phone.has(records)
    undisturbed = phone.runs().seconds
    laptop.stub.reset()
    laptop.has(records)
    for step in range(kills):
        moment = undisturbed * (step + moments.random()) / kills
        laptop.starts().killed(after=moment)
    laptop.runs()
    heads_are_there(laptop, records)
    with laptop.publishes_nothing_new(after=" after the run that finished"):
        laptop.runs()


@clause("AP-MIG-06", needs=MIGRATOR)
def test_a_partial_run_is_completed(working, laptop, stub, check):
    records = many(10, check.seed)
    laptop.has(records)
    stub.order(cut_after=4)
    laptop.runs()
    taken = laptop.heads()
    if not 0 < len(taken) < 10:
        raise Inconclusive(f"the relay cut after 4 events, but holds {len(taken)} of 10")
    stub.order(cut_after=None)
    laptop.runs()
    heads_are_there(laptop, records)
    replaced = [slug for slug, head in taken.items() if laptop.heads()[slug].id != head.id]
    if replaced:
        raise Broken("the ids that were accepted before the cut", f"new ones for {replaced}")


@clause("AP-MIG-07", needs=MIGRATOR)
def test_a_relay_that_is_down_at_first_is_served_later(working, laptop, stub, personas):
    laptop.has(personas)
    stub.goes_down()
    outcome = laptop.runs()
    if outcome.says_synced:
        raise Broken("no claim that all is synced while the port is closed", str(outcome))
    stub.comes_up()
    laptop.runs()
    heads_are_there(laptop, published_of(personas))


@clause("AP-MIG-08", needs=MIGRATOR)
def test_events_grown_too_old_are_signed_once_more(working, laptop, stub, personas):
    laptop.has(personas)
    stub.order(window=WINDOW)
    stub.goes_down()
    laptop.runs()
    clock_passes(WINDOW + 1.5)
    stub.comes_up()
    laptop.runs()
    laptop.runs()
    heads_are_there(laptop, published_of(personas))
    for slug in laptop.heads():
        if len(stub.ids(slug)) > 2:
            raise Broken("one new id a slug at most", f"{len(stub.ids(slug))} ids for {slug}")
    with laptop.publishes_nothing_new(after=" once it has converged"):
        laptop.runs()


# -- refusals ------------------------------------------------------------------------


@clause("AP-MIG-09", needs=MIGRATOR)
def test_one_refused_persona_does_not_stop_the_others(working, laptop, stub, check):
    records = many(5, check.seed)
    laptop.has(records)
    refused = records[0]["id"]
    stub.order(refuse={refused: "invalid: not today"})
    outcome = laptop.runs()
    if refused not in [slug for one in stub.heard() for slug in one.slugs]:
        raise Inconclusive(f"slug {refused} was not tried, so nothing was refused")
    left = [one for one in records[1:] if one["id"] not in laptop.heads()]
    if left:
        raise Broken("the other four to be published", f"{len(left)} of them missing: {outcome}")
    reported(outcome, records[0], "the refused persona")
    tries = [one.at for one in stub.heard() if refused in one.slugs]
    if len(tries) > 5 * (outcome.seconds + 1):
        raise Broken("at most 5 tries a second", f"{len(tries)} in {outcome.seconds:.1f} s")
    stub.order(refuse={})
    laptop.runs()
    heads_are_there(laptop, records)


@clause("AP-MIG-10", needs=MIGRATOR)
def test_a_rate_limit_delays_and_loses_nothing(working, laptop, stub, check):
    records = many(10, check.seed)
    laptop.has(records)
    stub.order(limit_every=5)
    laptop.runs()
    if len(stub.heard()) < 5:
        raise Inconclusive("fewer than five events came, so none was put off")
    laptop.runs()
    laptop.runs()
    heads_are_there(laptop, records)


@clause("AP-MIG-11", needs=MIGRATOR)
def test_an_event_that_is_already_there_counts_as_published(working, laptop, stub, personas):
    laptop.has(personas)
    stub.order(withhold=True)
    running = laptop.starts()
    stub.waits_for_events(3)
    laptop.recorded(running.killed())
    before = laptop.heads()
    if len(before) < 3:
        raise Inconclusive(f"{len(before)} of 3 events were stored while the OK was withheld")
    stub.order(withhold=False)
    outcome = laptop.runs()
    if not outcome.says_synced:
        raise Broken("what the relay has already to count as published", str(outcome))
    assert laptop.heads() == before
