"""What doors need of a network, and the real one: WebSocket connections and HTTP requests.

The other implementation plays a transcript back (playback.py).
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Protocol

from nip_ap.wire.answers import HttpResponse
from nip_ap.wire.line import LiveLine

Take = Callable[[str], None]


class Line(Protocol):
    """One WebSocket connection."""

    changed: threading.Condition
    """Held by whoever tells the door of a message; notified after each."""

    def listen(self, take: Take, lose: Take) -> None:
        """Begin to hand over messages, and at last the reason why no more will come."""

    def send(self, message: str | bytes, as_text: bool | None) -> None:
        """Send a frame. Raises ConnectionLost."""

    def wait(self, condition: Callable[[], bool], limit: float) -> bool:
        """Wait until a condition holds, for so many seconds at most; whether it does."""

    def stop_reading(self) -> None:
        """Leave everything that comes from now on where it is."""

    def abort(self) -> None:
        """Cut the connection without a closing handshake."""

    def close(self) -> None:
        """End the connection; never raises."""


class HttpLine(Protocol):
    """The HTTP connections of one actor."""

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        limit: float,
        fresh: bool = False,
    ) -> HttpResponse:
        """Make a request. Raises NoAnswer, Unreachable, StaleConnection, Flooded."""

    def close(self) -> None:
        """End the connection that is open, if one is; never raises."""


class Network(Protocol):
    """How doors reach a relay. `who` and `connection` are those of the transcript."""

    def dial(self, url: str, who: str, connection: int, *, can_pause: bool, limit: float) -> Line:
        """Open a WebSocket connection. Raises Unreachable.

        One that can pause has hardly any buffers: the relay feels it when it stops reading.
        """

    def http(self, who: str, connection: int) -> HttpLine:
        """Where an actor makes HTTP requests. Nothing is opened yet."""


class LiveNetwork:
    """The network of this machine."""

    def __init__(self, trust: Callable[[], ssl.SSLContext] | None = None) -> None:
        """`trust` makes what says whose certificates are believed; the machine's own by default."""
        self._trust = cache(trust or ssl.create_default_context)

    def dial(self, url: str, who: str, connection: int, *, can_pause: bool, limit: float) -> Line:
        """See Network."""
        return self.dialled(url, who, can_pause=can_pause, limit=limit)

    def dialled(self, url: str, who: str, *, can_pause: bool, limit: float) -> LiveLine:
        """As `dial`, for who needs to know that it is a real one."""
        return LiveLine(url, who, can_pause=can_pause, limit=limit, trust=self._trust)

    def http(self, who: str, connection: int) -> HttpLine:
        """See Network. The connection is the actor's own: nothing is shared with another's."""
        from nip_ap.wire.http_connection import HttpConnection  # a small migration needs none

        return HttpConnection(self._trust)
