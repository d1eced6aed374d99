"""A relay that does next to nothing, on this machine: what the load generator is measured against.

Each EVENT gets its OK and goes to every connection that has subscribed; nothing is verified or
kept. It can misbehave on request, so that tests see the generator notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

OK = b'["OK","%s",true,""]'


class Sink(asyncio.Protocol):
    """One connection of the relay."""

    def __init__(self, subscribers: set[Sink], swallow: int = 0, mute: int = 0) -> None:
        """`subscribers` is shared by all connections.

        Of a connection's events every `swallow`-th is answered and not delivered, every `mute`-th
        is not answered; 0 for none.
        """
        self.subscribers = subscribers
        self._swallow, self._mute = swallow, mute
        self._protocol = ServerProtocol(max_size=None)
        self._seen = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.subscribers.discard(self)

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._protocol.send_response(self._protocol.accept(event))
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._answer(bytes(event.data))
        self.flush()

    def flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._transport.write(data)

    def send(self, message: bytes) -> None:
        self._protocol.send_text(message)
        self.flush()

    def _answer(self, message: bytes) -> None:
        if message.startswith(b'["EVENT"'):
            self._take(message)
        elif message.startswith(b'["REQ"'):
            name = message.split(b'"', 4)[3]
            if b'"since"' in message:
                self.subscribers.add(self)
            self._protocol.send_text(b'["EOSE","%s"]' % name)

    def _take(self, message: bytes) -> None:
        self._seen += 1
        if not self._mute or self._seen % self._mute:
            at = message.index(b'"id":"') + 6
            self._protocol.send_text(OK % message[at : at + 64])
        if not self._swallow or self._seen % self._swallow:
            delivery = b'["EVENT","load",' + message[9:]
            for one in self.subscribers:
                one.send(delivery)


async def serve(kind: Callable[[], Sink], port: int = 0) -> asyncio.Server:
    """Listen; the port is that of `sockets[0]`."""
    return await asyncio.get_running_loop().create_server(kind, "127.0.0.1", port, backlog=512)


@contextlib.contextmanager
def sink(*, swallow: int = 0, mute: int = 0) -> Iterator[str]:
    """A sink on a thread of its own; gives its URL."""
    kind = partial(Sink, set(), swallow, mute)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(serve(kind))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()


async def main() -> None:
    """Serve until standard input closes; the first line says where."""
    server = await serve(partial(Sink, set()))
    print(f"listening on ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
