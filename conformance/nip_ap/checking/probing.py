"""A probe, how it is registered, and what probes share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nip_ap.checking.actor import Actor
from nip_ap.model.capabilities import YES, Capability
from nip_ap.model.frame import RECEIVED
from nip_ap.model.greeting import SILENT, Greeting
from nip_ap.nostr import PERSONA, Draft
from nip_ap.nostr.channel import Channel
from nip_ap.wire import Transcript


@dataclass
class Probing:
    """What probes share: actors, the NIP-11 document, and one persona that was accepted.

    `may_load` says whether requests of a megabyte are in place.
    """

    owner: Actor
    stranger: Actor
    anonymous: Actor
    now: int
    information: Mapping[str, Any]
    channel: Channel
    transcript: Transcript
    greeting: Greeting = SILENT
    slug: str = "probe"
    may_load: bool = False
    found: dict[str, Capability] = field(default_factory=dict)

    def persona(self, slug: str, *, at: int | None = None) -> Draft:
        """An unshared persona, as every revision accepts it."""
        when = self.now if at is None else at
        return Draft(PERSONA, when, (("d", slug),), BODY % "")

    @property
    def seen(self) -> list[str]:
        """What the relay said so far, word for word."""
        return [one.text for one in self.transcript.frames if one.direction == RECEIVED]

    def offers(self, name: str) -> bool:
        """Whether an earlier probe found it."""
        return name in self.found and self.found[name].offered == YES

    def claims(self, nip: int) -> bool:
        """Whether NIP-11 names a NIP: then the relay is given time to show that it means it."""
        nips = self.information.get("supported_nips")
        return isinstance(nips, list) and nip in nips

    def waited_since(self, began: float) -> float:
        """Seconds since a moment of the monotonic clock."""
        return self.transcript.reading("lag", lambda: round(time.monotonic() - began, 6))


# A body that also a relay accepts which minds the fields that June required.
BODY = '{"display_name":"Probe %s","system_prompt":"You are a probe."}'


Probe = Callable[[Probing], tuple[str, str]]


Claim = Callable[[Mapping[str, Any]], "bool | None"]


PROBES: dict[str, tuple[Probe, Claim]] = {}
"""Each probe by the name of its capability, with what NIP-11 claims about it; in order."""


def probe(
    name: str, *, nip: int | None = None, limitation: str | None = None
) -> Callable[[Probe], Probe]:
    """Register a probe; it gives (yes, no or unknown, what it did and saw).

    `nip` or `limitation` says where NIP-11 would claim the capability.
    """

    def claimed(information: Mapping[str, Any]) -> bool | None:
        if nip is not None:
            nips = information.get("supported_nips")
            return nip in nips if isinstance(nips, list) else None
        limits = information.get("limitation")
        if limitation is None or not isinstance(limits, Mapping):
            return None
        value = limits.get(limitation)
        return value if isinstance(value, bool) else (None if value is None else True)

    def register(function: Probe) -> Probe:
        PROBES[name] = (function, claimed)
        return function

    return register
