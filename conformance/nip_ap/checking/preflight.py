"""The preflight: the first conversation with a relay, before any check runs."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from nip_ap.checking.check import Check, Surface
from nip_ap.checking.probes import Probing, explore, relay_information
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.nostr import SecretKey
from nip_ap.nostr.channel import Channel
from nip_ap.targets.url import is_loopback
from nip_ap.wire import LiveNetwork, Transcript

PREFLIGHT = "preflight"
"""What stands for a check's id where the preflight's transcript is meant."""


def new_client(*urls: str) -> httpx.Client:
    """An HTTP client for these relays; it minds no proxy.

    Loading certificates takes 30 ms, so it does that only where a relay speaks TLS.
    """
    return httpx.Client(
        trust_env=False,
        verify=any(url.startswith("wss:") for url in urls),
        limits=httpx.Limits(max_keepalive_connections=4),
    )


def probe(
    target_url: str,
    settings: Settings,
    keys: Mapping[str, SecretKey],
    transcript: Transcript | None = None,
) -> Capabilities:
    """Preflight and probes of one relay, noted down in a transcript. Raises Unreachable."""
    with new_client(target_url) as client:
        subject = Subject("", target_url, Capabilities({}, settings.spec, ""))
        surface = Surface(Context(settings, (subject,)), LiveNetwork(client), keys)
        return preflight(surface, transcript or Transcript())


def preflight(surface: Surface, transcript: Transcript) -> Capabilities:
    """What the one relay of a surface offers. Raises Unreachable."""
    settings, (subject,) = surface.context.settings, surface.context.subjects
    check = Check(PREFLIGHT, (), "MUST", PREFLIGHT, subject, surface, transcript=transcript)
    try:
        now = check.clock.now()
        information = relay_information(check.anonymous().http)
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
        return explore(probing, spec=settings.spec)
    finally:
        check.leave()
