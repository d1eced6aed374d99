"""What stands between the doors and the relay: nothing, in any relay but the controllable one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from nip_ap.nostr import Event

Answer = Callable[[bool, str], None]
"""Tells the author of an event whether it was accepted, and why not."""


class Door(Protocol):
    """A connection, as far as an interceptor tells it from others."""

    pubkey: str | None


class Interceptor:
    """Lets everything pass. The controllable relay (stub/) overrides this."""

    def connected(self, door: Door, headers: Mapping[str, str]) -> None:
        """A WebSocket connection opens."""

    def heard(self, door: Door, text: str) -> None:
        """A frame came in."""

    def posted(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """An HTTP request came in."""

    def intercepted(self, event: Event, answer: Answer) -> Answer | None:
        """The answer to use for an event, or None where the relay goes no further with it.

        Raises HangUp where the connection is to be cut.
        """
        return answer
