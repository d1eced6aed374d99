"""A connection that costs little: websockets' protocol without I/O, on an event loop's transport.

The WebSocket door has a thread and a full record for each connection, which is right for a check
that looks at a handful of frames and too dear for tens of thousands a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from typing import cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from nip_ap.nostr.message import RelayMessage, read_message
from nip_ap.wire.bounds import FLOODS, LARGEST_MESSAGE

Take = Callable[[RelayMessage, str, float], None]
"""Called with each message of the relay, its text and when it came."""

Record = Callable[[str, str, str, float], None]
"""Called with who, `sent` or `received`, the text, and when (time.monotonic)."""


class Refused(Exception):
    """No WebSocket could be opened."""


class Connection(asyncio.Protocol):
    """One WebSocket to a relay. All that comes goes to `take`, at once and in order."""

    def __init__(
        self,
        who: str,
        url: str,
        take: Take,
        record: Record | None = None,
        most: int | None = None,
    ) -> None:
        """`most` messages may come; after that the relay floods and is left."""
        self.who = who
        self._left = most
        self.lost: str | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._take = take
        self._record = record
        self._protocol = ClientProtocol(parse_uri(url), max_size=LARGEST_MESSAGE)
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pieces: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(
        cls,
        who: str,
        url: str,
        take: Take,
        *,
        record: Record | None = None,
        limit: float = 8.0,
        most: int | None = None,
    ) -> Connection:
        """Connect and shake hands within `limit` seconds. Raises Refused."""
        target = parse_uri(url)
        tls = ssl.create_default_context() if target.secure else None
        made = cls(who, url, take, record, most)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(limit):
                await loop.create_connection(lambda: made, target.host, target.port, ssl=tls)
                await made._opened
        except (OSError, TimeoutError, InvalidHandshake) as error:
            made.close()
            raise Refused(
                f"{who} could not connect: {str(error) or type(error).__name__}"
            ) from error
        return made

    # -- sending -----------------------------------------------------------------

    def send(self, text: str) -> float:
        """Send one text frame; gives when, in seconds of time.monotonic."""
        at = time.monotonic()
        if self._record is not None:
            self._record(self.who, "sent", text, at)
        if self.lost is None:
            self._protocol.send_text(text.encode())
            self._flush()
        return at

    def close(self) -> None:
        """End the connection without a closing handshake."""
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        assert self._transport is not None
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)

    def _acknowledge_quickly(self) -> None:
        """Do not delay ACKs: a relay with Nagle's algorithm would take 40 ms for each answer."""
        if hasattr(socket, "TCP_QUICKACK") and self._transport is not None:
            with contextlib.suppress(OSError):  # the relay may have ended it already
                self._transport.get_extra_info("socket").setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1
                )

    # -- what asyncio calls --------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP connection stands: ask for a WebSocket."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        at = time.monotonic()
        self._acknowledge_quickly()
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._on_frame(event, at)
            elif isinstance(event, Response):
                self._on_handshake()
        self._flush()
        problem = self._protocol.parser_exc
        if problem is not None:  # what follows may have no end
            what = FLOODS if isinstance(problem, PayloadTooBig) else "the relay breaks the framing"
            self.lost = self.lost or f"{what}: {problem}"
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        """The TCP connection is gone."""
        self.lost = self.lost or str(
            error or self._protocol.close_reason or "the relay closed the connection"
        )
        if not self._opened.done():
            self._opened.set_exception(ConnectionError(self.lost))
        if not self.ended.done():
            self.ended.set_result(None)

    def _on_handshake(self) -> None:
        if self._opened.done():
            return
        problem = self._protocol.handshake_exc
        if problem is None:
            self._opened.set_result(None)
        else:
            self._opened.set_exception(ConnectionError(str(problem)))

    def _on_frame(self, frame: Frame, at: float) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._pieces.append(bytes(frame.data))
            if frame.fin:
                message, self._pieces = b"".join(self._pieces), []
                self._on_message(message, at)

    def _on_message(self, message: bytes, at: float) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                self.lost = self.lost or f"{FLOODS} with messages that nobody asked for"
                self.close()
                return
        text = message.decode("utf-8", "replace")
        if self._record is not None:
            self._record(self.who, "received", text, at)
        self._take(read_message(message), text, at)
