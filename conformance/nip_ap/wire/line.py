"""A WebSocket connection over a socket, drained by a thread of its own, within bounds.

A relay may send and may not read as it likes; neither makes the suite wait or grow without limit.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from nip_ap.wire.answers import ConnectionLost, Unreachable
from nip_ap.wire.bounds import FLOODS, LARGEST_MESSAGE, MOST_CONTROL_FRAMES, MOST_FRAMES

_Take = Callable[[str], None]

_BREAKS = (OSError, WebSocketException, EOFError, AssertionError)
"""What the library raises where the other end breaks off, or breaks the rules at an odd moment.

Its assertions are about its own state, which a relay that speaks out of turn upsets. One that got
through would look like the failed assertion of a check.
"""

_SEND_LIMIT = 5.0
"""Seconds within which the relay has to take in something of what is sent to it."""
_CLOSE_LIMIT = 1.0
_QUEUE = 32
"""Messages that wait to be taken in: of the largest ones these are 64 MiB."""
_TOO_BIG = 1009

_SILENT = logging.getLogger("nip_ap.wire.line")
"""What goes wrong on a connection is in its transcript, and not on anybody's terminal."""
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class LiveLine:
    """A socket and the thread that drains it always, so that no relay is held up by a check."""

    def __init__(
        self,
        url: str,
        who: str,
        *,
        can_pause: bool,
        limit: float,
        trust: Callable[[], ssl.SSLContext],
    ) -> None:
        """Connect. Raises Unreachable."""
        self.changed = threading.Condition()
        self._who = who
        self._can_pause = can_pause
        self._reading = threading.Event()
        self._reading.set()
        self._exit = contextlib.ExitStack()
        self._socket = self._connected(url, limit, trust)
        self._reader: threading.Thread | None = None

    def _connected(
        self, url: str, limit: float, trust: Callable[[], ssl.SSLContext]
    ) -> _BoundedConnection:
        try:
            opening = connect(
                url,
                ssl=trust() if url.lower().startswith("wss:") else None,
                compression=None,
                max_size=LARGEST_MESSAGE,
                max_queue=1 if self._can_pause else _QUEUE,
                sock=_tight_socket(url, limit) if self._can_pause else None,
                open_timeout=limit,
                close_timeout=_CLOSE_LIMIT,
                ping_interval=None,
                proxy=None,
                logger=_SILENT,
                create_connection=_BoundedConnection,
            )
            connection = self._exit.enter_context(opening)
        except (*_BREAKS, ValueError) as error:
            raise Unreachable(f"{url} cannot be reached: {_reason(error)}") from error
        assert isinstance(connection, _BoundedConnection)
        _limit_sending(connection.socket)
        _acknowledge_quickly(connection.socket)
        return connection

    @property
    def is_open(self) -> bool:
        """Whether the relay still holds the connection, as far as is known here."""
        return self._socket.protocol.state is State.OPEN

    def listen(self, take: _Take, lose: _Take) -> None:
        """See Line."""
        self._reader = threading.Thread(
            target=self._drain, args=(take, lose), daemon=True, name=f"read {self._who}"
        )
        self._reader.start()

    def _drain(self, take: _Take, lose: _Take) -> None:
        reason = "the relay closed the connection"
        try:
            for message in self._socket:
                self._reading.wait()
                text = message if isinstance(message, str) else message.decode("utf-8", "replace")
                self._tell(take, text)
                _acknowledge_quickly(self._socket.socket)
        except ConnectionClosed as error:
            reason = _reason_of_the_end(error)
        except _BREAKS as error:
            reason = f"the connection broke: {error}"
        self._tell(lose, self._socket.flood or reason)

    def _tell(self, take: _Take, text: str) -> None:
        with self.changed:
            take(text)
            self.changed.notify_all()

    def send(self, message: str | bytes, as_text: bool | None) -> None:
        """See Line."""
        try:
            self._socket.send(message, text=as_text)
            _acknowledge_quickly(self._socket.socket)
        except _BREAKS as error:
            raise ConnectionLost(_reason_of_the_end(error)) from error

    def wait(self, condition: Callable[[], bool], limit: float) -> bool:
        """See Line."""
        with self.changed:
            return self.changed.wait_for(condition, limit)

    def stop_reading(self) -> None:
        """See Line."""
        self._reading.clear()

    def abort(self) -> None:
        """See Line."""
        _cut(self._socket.socket)

    def close(self) -> None:
        """See Line."""
        if self._can_pause:
            self.abort()
            self._reading.set()
        with contextlib.suppress(*_BREAKS):
            self._exit.close()
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join(timeout=_CLOSE_LIMIT)


class _BoundedConnection(ClientConnection):
    """Ends where the relay breaks the framing, or sends more frames than anybody reads."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.flood = ""
        self._frames = 0
        self._control_frames = 0

    def process_event(self, event: Any) -> None:
        """Count what comes; pings and empty fragments show up nowhere else."""
        with contextlib.suppress(EOFError):  # of a connection that was cut meanwhile
            super().process_event(event)
        if not isinstance(event, Frame):
            return
        self._frames += 1
        self._control_frames += event.opcode not in DATA_OPCODES
        if self._control_frames > MOST_CONTROL_FRAMES:
            self._end(f"{FLOODS} with over {MOST_CONTROL_FRAMES} pings on one connection")
        elif self._frames > MOST_FRAMES:
            self._end(f"{FLOODS} with over {MOST_FRAMES} frames on one connection")

    def send_data(self) -> None:
        """After a frame that cannot be read nothing more is read: it may not have an end."""
        super().send_data()
        if self.protocol.parser_exc is not None:
            _cut(self.socket)

    def _end(self, flood: str) -> None:
        self.flood = self.flood or flood
        _cut(self.socket)


def _reason_of_the_end(error: Exception) -> str:
    if isinstance(error, ConnectionClosed):
        if _refuses_a_frame(error):
            return f"the relay takes no frame that large: {error}"
        if error.sent and error.sent.code == _TOO_BIG:
            return f"{FLOODS} with a message of more than {LARGEST_MESSAGE} bytes"
    if isinstance(error.__cause__, (BlockingIOError, ssl.SSLWantWriteError)):
        return f"the relay took in nothing of what was sent for {_SEND_LIMIT:g} s"
    return f"the relay closed the connection: {error}"


def _refuses_a_frame(closed: ConnectionClosed) -> bool:
    """Whether the relay said 1009 first: then what was sent to it is too large, nothing it sent."""
    if closed.rcvd is None or closed.rcvd.code != _TOO_BIG:
        return False
    return closed.sent is None or bool(closed.rcvd_then_sent)


def _tight_socket(url: str, limit: float) -> socket.socket:
    """A TCP connection to the relay that takes in a few kilobytes and then no more."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, address = found[0]
    tight = socket.socket(family, kind, protocol)
    tight.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    tight.settimeout(limit)
    try:
        tight.connect(address)
    except OSError:
        tight.close()
        raise
    return tight


def _limit_sending(connection: socket.socket) -> None:
    """A relay that does not read must not hold up whoever sends, be it a pong or a farewell."""
    if hasattr(socket, "SO_SNDTIMEO"):
        seconds, rest = divmod(_SEND_LIMIT, 1)
        value = struct.pack("ll", int(seconds), int(rest * 1_000_000))
        with contextlib.suppress(OSError):  # the relay may have ended it already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)


def _cut(connection: socket.socket) -> None:
    """End a connection without a word; whoever reads it learns of it at once."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


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
    if isinstance(error, AssertionError):
        return "it spoke before it was spoken to, or out of turn"
    return str(error) or type(error).__name__
