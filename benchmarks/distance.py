"""A relay far away: a TCP proxy that holds every byte back for as long as a distance would.

`python -m benchmarks.distance ws://127.0.0.1:7175 --round-trip 150` prints the address to use in
place of the relay's. What it makes of a connection: opening takes a round trip before the first
byte may go out, each chunk takes half of one, more or less by the jitter, in order. A lost packet
is what TCP makes of it: that chunk, and all behind it, come a retransmission later.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

_CHUNK = 65_536
_LEAST_RETRANSMISSION = 0.2
"""Seconds that Linux waits at least before it sends a packet again."""


@dataclass(frozen=True)
class Distance:
    """Seconds there and back, seconds more or less in one direction, and the part that is lost."""

    round_trip: float
    jitter: float = 0.0
    loss: float = 0.0
    seed: int = 7

    def delay(self, chance: random.Random) -> float:
        """Seconds that one chunk is under way."""
        usual = max(0.0, self.round_trip / 2 + chance.uniform(-self.jitter, self.jitter))
        if chance.random() < self.loss:
            return usual + self.round_trip + _LEAST_RETRANSMISSION
        return usual


class _Direction:
    """Chunks on their way to one end, in their order, each not before its time."""

    def __init__(self, writer: asyncio.StreamWriter, distance: Distance, seed: int) -> None:
        self._writer = writer
        self._distance = distance
        self._chance = random.Random(seed)
        self._on_the_way: deque[tuple[float, bytes]] = deque()
        self._more = asyncio.Event()
        self._arrival = 0.0

    def hold_until(self, moment: float) -> None:
        """Let nothing arrive before a moment of the loop's clock."""
        self._arrival = max(self._arrival, moment)

    async def take(self, reader: asyncio.StreamReader) -> None:
        """Put on the way what is read; at its end the end of the stream."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                chunk = await reader.read(_CHUNK)
            except ConnectionError:
                chunk = b""
            self._arrival = max(self._arrival, loop.time() + self._distance.delay(self._chance))
            self._on_the_way.append((self._arrival, chunk))
            self._more.set()
            if not chunk:
                return

    async def deliver(self) -> None:
        """Hand over what arrives, until the end of the stream."""
        loop = asyncio.get_running_loop()
        while True:
            await self._more.wait()
            self._more.clear()
            while self._on_the_way:
                arrival, chunk = self._on_the_way.popleft()
                await asyncio.sleep(max(0.0, arrival - loop.time()))
                with contextlib.suppress(ConnectionError):
                    if not chunk:
                        self._writer.close()
                        return
                    self._writer.write(chunk)
                    await self._writer.drain()


class Proxy:
    """Listens, and forwards each connection over the distance to one relay."""

    def __init__(self, url: str, distance: Distance) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._distance = distance
        self._number = 0
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> tuple[asyncio.Server, str]:
        """The server and its address."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        return server, f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._number += 1
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        seed = self._distance.seed * 1_000_003 + 2 * self._number
        try:
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.close()
            return
        for one in (writer, far_writer):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        there = _Direction(far_writer, self._distance, seed)
        back = _Direction(writer, self._distance, seed + 1)
        # The client's SYN and the relay's answer to it: a round trip before the first byte leaves.
        now = asyncio.get_running_loop().time()
        there.hold_until(now + 1.5 * self._distance.round_trip)
        await asyncio.gather(
            there.take(reader), there.deliver(), back.take(far_reader), back.deliver()
        )


@contextmanager
def far_away(url: str, distance: Distance) -> Iterator[str]:
    """The address of a relay as seen from a distance, for as long as the context lasts."""
    loop = asyncio.new_event_loop()
    server, address = loop.run_until_complete(Proxy(url, distance).start())
    thread = threading.Thread(target=loop.run_forever, daemon=True, name="distance")
    thread.start()
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


async def _serve(url: str, distance: Distance, port: int) -> None:
    server, address = await Proxy(url, distance).start(port)
    print(f"listening on {address}", flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve in the foreground."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distance", description=__doc__)
    parser.add_argument("url", help="the relay, ws://HOST:PORT")
    parser.add_argument("--round-trip", type=float, default=150, metavar="MS")
    parser.add_argument("--jitter", type=float, default=0, metavar="MS")
    parser.add_argument("--loss", type=float, default=0, metavar="PERCENT")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    distance = Distance(given.round_trip / 1000, given.jitter / 1000, given.loss / 100)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(given.url, distance, given.port))


if __name__ == "__main__":
    main()
