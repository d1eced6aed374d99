"""What doors need of a network, and the real one: WebSocket connections and HTTP requests.

The other implementation plays a transcript back (playback.py).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Protocol
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from nip_ap.wire.answers import ConnectionLost, HttpResponse, Unreachable

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

    def dial(self, url: str, who: str, connection: int, *, deaf: bool, limit: float) -> Line:
        """Open a WebSocket connection. Raises Unreachable.

        A deaf one has next to no buffers, so that `stop_reading` is felt by the relay.
        """

    def http(self, who: str, connection: int) -> HttpLine:
        """Where an actor makes HTTP requests. Nothing is opened yet."""


class LiveNetwork:
    """The network of this machine."""

    def __init__(self, trust: Callable[[], ssl.SSLContext] | None = None) -> None:
        """`trust` makes what says whose certificates are believed; the machine's own by default."""
        self._trust = cache(trust or ssl.create_default_context)

    def dial(self, url: str, who: str, connection: int, *, deaf: bool, limit: float) -> Line:
        """See Network."""
        return self.dialled(url, who, deaf=deaf, limit=limit)

    def dialled(self, url: str, who: str, *, deaf: bool, limit: float) -> LiveLine:
        """As `dial`, for who needs to know that it is a real one."""
        return LiveLine(url, who, deaf=deaf, limit=limit, trust=self._trust)

    def http(self, who: str, connection: int) -> HttpLine:
        """See Network. The connection is the actor's own: nothing is shared with another's."""
        from nip_ap.wire.http_connection import HttpConnection  # a small migration needs none

        return HttpConnection(self._trust)


class LiveLine:
    """A socket and the thread that drains it always, so that no relay is held up by a check."""

    def __init__(
        self,
        url: str,
        who: str,
        *,
        deaf: bool,
        limit: float,
        trust: Callable[[], ssl.SSLContext],
    ) -> None:
        self.changed = threading.Condition()
        self._who = who
        self._deaf = deaf
        self._reading = threading.Event()
        self._reading.set()
        self._exit = contextlib.ExitStack()
        self._socket = self._connected(url, limit, trust)
        self._reader: threading.Thread | None = None

    def _connected(
        self, url: str, limit: float, trust: Callable[[], ssl.SSLContext]
    ) -> ClientConnection:
        try:
            opening = connect(
                url,
                ssl=trust() if url.lower().startswith("wss:") else None,
                compression=None,
                max_size=None,
                max_queue=1 if self._deaf else None,
                sock=_tight_socket(url, limit) if self._deaf else None,
                open_timeout=limit,
                close_timeout=1,
                ping_interval=None,
                proxy=None,
            )
            connection = self._exit.enter_context(opening)
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, EOFError) as error:
            raise Unreachable(f"{url} cannot be reached: {_reason(error)}") from error
        _acknowledge_quickly(connection.socket)
        return connection

    @property
    def is_open(self) -> bool:
        """Whether the relay still holds the connection, as far as is known here."""
        return self._socket.protocol.state is State.OPEN

    def listen(self, take: Take, lose: Take) -> None:
        """See Line."""
        self._reader = threading.Thread(
            target=self._drain, args=(take, lose), daemon=True, name=f"read {self._who}"
        )
        self._reader.start()

    def _drain(self, take: Take, lose: Take) -> None:
        reason = "the relay closed the connection"
        try:
            for message in self._socket:
                self._reading.wait()
                text = message if isinstance(message, str) else message.decode("utf-8", "replace")
                self._tell(take, text)
                _acknowledge_quickly(self._socket.socket)
        except ConnectionClosed as error:
            reason = f"the relay closed the connection: {error}"
        except OSError as error:
            reason = f"the connection broke: {error}"
        self._tell(lose, reason)

    def _tell(self, take: Take, text: str) -> None:
        with self.changed:
            take(text)
            self.changed.notify_all()

    def send(self, message: str | bytes, as_text: bool | None) -> None:
        """See Line."""
        try:
            self._socket.send(message, text=as_text)
            _acknowledge_quickly(self._socket.socket)
        except (ConnectionClosed, OSError) as error:
            raise ConnectionLost(f"the relay closed the connection: {error}") from error

    def wait(self, condition: Callable[[], bool], limit: float) -> bool:
        """See Line."""
        with self.changed:
            return self.changed.wait_for(condition, limit)

    def stop_reading(self) -> None:
        """See Line."""
        self._reading.clear()

    def abort(self) -> None:
        """See Line."""
        with contextlib.suppress(OSError):
            self._socket.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """See Line."""
        if self._deaf:
            self.abort()
            self._reading.set()
        with contextlib.suppress(ConnectionClosed, OSError, TimeoutError):
            self._exit.close()
        if self._reader is not None:
            self._reader.join(timeout=1)


def _tight_socket(url: str, limit: float) -> socket.socket:
    """A TCP connection to the relay that takes in a few kilobytes and then no more."""
    parts = urlsplit(url)
    tight = socket.socket()
    tight.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    tight.settimeout(limit)
    tight.connect((parts.hostname, parts.port or (443 if parts.scheme == "wss" else 80)))
    return tight


def _acknowledge_quickly(connection: socket.socket) -> None:
    """Do not delay ACKs: a relay with Nagle's algorithm would take 40 ms for each answer."""
    if hasattr(socket, "TCP_QUICKACK"):
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer to the opening handshake in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error) or type(error).__name__
