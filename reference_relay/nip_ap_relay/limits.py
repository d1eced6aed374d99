"""What the relay can be set to, and announces in its NIP-11 document: numbers, not rules."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from nip_ap_relay.manners import CONNECT, PLAIN, Manners

JUNE = "2026-06"
JULY = "2026-07"
NOVEMBER = "2026-11"

_KIB = 1024


class Limits:
    """Sizes in bytes, times in seconds: those of the real relay."""

    only_a_run_shows: ClassVar[frozenset[str]] = frozenset(
        [
            "auth_to_read",
            "authorizations_remembered",
            "auth_to_write",
            "challenge_moment",
            "manners",
            "x_pubkey_accepted",
            "body_limit",
            "body_seconds",
        ]
    )
    """Those of which no answer in memory shows a change: they act before a request is read."""

    clock_tolerance = 900
    longest_content = 256 * _KIB
    filters_at_once = 10
    subscriptions_at_once = 1024
    longest_subscription_id = 256
    largest_limit = 5000
    words_searched = 100
    """So many different words a search has at most: each is looked up while everybody waits."""
    auth_window = 60
    authorizations_remembered = 100_000
    auth_to_read = True
    auth_to_write = True
    challenge_moment = CONNECT
    manners: Manners = PLAIN
    announced_limits: Mapping[str, int] = MappingProxyType({})
    """What NIP-11 says in place of the limit that is enforced."""
    x_pubkey_accepted = False
    """Whether a bare X-Pubkey header names the sender; it proves nothing."""
    body_limit = 1024 * _KIB
    body_seconds = 20.0
    """The time in which a body has to come; headers have as long (http_protocol.py)."""

    @property
    def auth_required(self) -> bool:
        """What NIP-11 calls so: a connection that did not authenticate can do nothing."""
        return self.auth_to_read and self.auth_to_write

    def announced(self, name: str) -> int:
        """A limit as NIP-11 has it."""
        return self.announced_limits.get(name, getattr(self, name))
