"""The port of the controllable relay, which can be closed and opened again.

A server of its own that passes bytes on to the relay behind it: while the port is closed the relay
runs on, with the connections that it has, and no other process can take the port.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

_CHUNK = 65_536


class Front:
    """The public side of a relay that listens on the Unix socket `behind`."""

    def __init__(self, host: str, port: int, behind: Path) -> None:
        self._behind = behind
        self._server: asyncio.Server | None = None
        self._listener: socket.socket | None = _listening(host, port)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        # Bound and not listening: it keeps the port while the relay is "down".
        self._holder = socket.socket(self._listener.family)
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._holder.bind(self.address)

    async def open(self) -> None:
        """Take connections."""
        if self._server is None:
            listener, self._listener = self._listener or _listening(*self.address), None
            self._server = await asyncio.start_server(self._pass_on, sock=listener)

    def close(self) -> None:
        """Refuse connections, as a closed port does; those that are open stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_unix_connection(self._behind)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))


def _listening(host: str, port: int) -> socket.socket:
    made = socket.create_server((host, port), backlog=1024, reuse_port=True)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until one side ends; the other ends then, too."""
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()
