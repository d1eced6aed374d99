"""The preflight: the first conversation with a relay, before any check runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from nip_ap.checking.actor import address
from nip_ap.checking.check import Check, Surface
from nip_ap.checking.greeting import counts_although, find_greeting, judges_in_order
from nip_ap.checking.probes import Probing, explore, relay_information, silent
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.deadline import NEVER, Deadline
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.nostr import SecretKey
from nip_ap.nostr.channel import Channel
from nip_ap.targets.url import is_loopback
from nip_ap.wire import Transcript, WireError
from nip_ap.wire.dialling import FarNetwork
from nip_ap.wire.pace import OnRest

_READS = 3
_FAR_REQUEST = 0.08
"""Seconds that a first request takes where the relay is far away: two round trips and some more."""

PREFLIGHT = "preflight"
"""What stands for a check's id where the preflight's transcript is meant."""


def probe(
    target_url: str,
    settings: Settings,
    keys: Mapping[str, SecretKey],
    transcript: Transcript | None = None,
    on_rest: OnRest | None = None,
    deadline: Deadline = NEVER,
    on_crowd: Callable[[str], None] | None = None,
) -> Capabilities:
    """Preflight and probes of one relay, noted down in a transcript. Raises Unreachable, OutOfTime.

    `on_rest` is told of waits for a rate limit, `on_crowd` of a relay that takes few connections.
    """
    subject = Subject("", target_url, Capabilities({}, settings.spec, ""))
    network = FarNetwork()
    context = Context(settings, (subject,), deadline=deadline)
    surface = Surface(context, network, keys, on_rest=on_rest, on_crowd=on_crowd)
    try:
        return preflight(surface, transcript or Transcript())
    finally:
        network.leave()


def _explored(check: Check, probing: Probing, settings: Settings) -> Capabilities:
    """Authentication first, for all the rest needs it; then the probes."""
    greeting = check.greeting = find_greeting(probing.owner)
    probing.greeting = greeting
    if greeting.fault and not counts_although(probing.owner, probing.persona("probe-greeting")):
        return silent(probing, settings.spec, greeting.fault)
    found = replace(explore(probing, spec=settings.spec), greeting=greeting)
    if not found.answers:
        return found
    found = replace(found, round_trip=_round_trip(probing))
    if not found.is_far or not (found.offers("auth-to-read") and found.offers("auth-to-write")):
        return found
    check.greeting = replace(greeting, in_order=True)
    if greeting.fault or not judges_in_order(probing.owner, probing.persona("probe-order")):
        return found
    return replace(found, greeting=check.greeting)


def _round_trip(probing: Probing) -> float:
    """Seconds that the fastest of a few reads took; 0 where the relay no longer serves them."""
    wanted = address(probing.owner, probing.slug)
    fastest = 60.0
    try:
        probing.owner.try_to_read(wanted)
        for _ in range(_READS):
            began = time.monotonic()
            probing.owner.try_to_read(wanted)
            fastest = min(fastest, probing.waited_since(began))
    except WireError:  # a probe before may have cost this connection its life
        probing.owner.reconnect()
        return 0.0
    return fastest


def preflight(surface: Surface, transcript: Transcript) -> Capabilities:
    """What the one relay of a surface offers. Raises Unreachable."""
    settings, (subject,) = surface.context.settings, surface.context.subjects
    check = Check(PREFLIGHT, (), "MUST", PREFLIGHT, subject, surface, transcript=transcript)
    try:
        now = check.clock.now()
        began = time.monotonic()
        information = relay_information(check.anonymous().http)
        if isinstance(surface.network, FarNetwork):
            surface.network.is_far = time.monotonic() - began > _FAR_REQUEST
        probing = Probing(
            owner=check.actor("owner"),
            stranger=check.actor("stranger"),
            anonymous=check.anonymous(),
            now=now,
            information=information,
            channel=Channel(check.channel_id(), now),
            transcript=transcript,
            slug=check.slug("probe"),
            may_load=settings.load or is_loopback(subject.url),
        )
        return _explored(check, probing, settings)
    finally:
        check.leave()
