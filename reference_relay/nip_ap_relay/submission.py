"""An event at the door: who sends it, when, and into which store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nip_ap.nostr import Event
from nip_ap_relay.kinds import ALL_SCOPES
from nip_ap_relay.store import Store


@dataclass(frozen=True)
class Caller:
    """Who is at the door: the authenticated key, if any, and what its credential may write."""

    pubkey: str | None
    scopes: frozenset[str] = ALL_SCOPES


@dataclass(frozen=True)
class Submission:
    """One event at the door, with all that a rule may look at."""

    event: Event
    caller: Caller
    now: int
    store: Store


Rule = Callable[[Submission], "str | None"]
"""Gives the text of a refusal, or None where it has no objection."""
