"""What one relay does in a second: the same driver for all, on an event loop of its own.

The driver costs a few microseconds a frame. It is measured too, against a relay that does nothing
(sink.py), and what it reaches stands in the results.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.events import Signed
from nip_ap.load.connection import Connection, Take
from nip_ap.nostr import PERSONA, Filter
from nip_ap.nostr.message import (
    ClosedMessage,
    EoseMessage,
    EventMessage,
    OkMessage,
    RelayMessage,
    subscription_of,
)

_ON_ONE_CONNECTION = 5_000
"""Events after which a new connection is taken: the relay of nostr-sdk cuts one at 6,000."""

_ANSWER_LIMIT = 30.0


class RelayFailed(RuntimeError):
    """The relay refused, dropped or ignored what it was sent; the message says which."""


@dataclass(frozen=True)
class Latencies:
    """Milliseconds of single requests, one after the other."""

    median: float
    p99: float
    count: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latencies:
        """From durations in seconds."""
        ordered = sorted(1000 * one for one in seconds)
        p99 = ordered[max(0, round(len(ordered) * 0.99) - 1)]
        return cls(round(statistics.median(ordered), 3), round(p99, 3), len(ordered))


class _Client:
    """One connection; frames that come go to whoever waits."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self._inbox: deque[tuple[RelayMessage, float]] = deque()
        self._came = asyncio.Event()

    async def open(self, url: str) -> _Client:
        self.connection = await Connection.open("driver", url, self._take, limit=30)
        return self

    def send(self, text: str) -> float:
        assert self.connection is not None
        return self.connection.send(text)

    async def ok(self) -> tuple[OkMessage, float]:
        """The next OK, and when it came."""
        while True:
            message, at = await self._next()
            if isinstance(message, OkMessage):
                return message, at

    async def end_of(self, subscription: str) -> tuple[int, float]:
        """Events of a subscription until its EOSE or CLOSED, and when that came."""
        events = 0
        while True:
            message, at = await self._next()
            if subscription_of(message) != subscription:
                continue
            if isinstance(message, (EoseMessage, ClosedMessage)):
                return events, at
            events += isinstance(message, EventMessage)

    async def _next(self) -> tuple[RelayMessage, float]:
        async with asyncio.timeout(_ANSWER_LIMIT):
            while not self._inbox:
                self._came.clear()
                await self._came.wait()
        return self._inbox.popleft()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()

    def _take(self, message: RelayMessage, text: str, at: float) -> None:
        self._inbox.append((message, at))
        self._came.set()


async def publish_one_by_one(url: str, events: Sequence[Signed], seconds: float) -> Latencies:
    """Publish, wait for OK, publish the next."""
    client = await _Client().open(url)
    took: list[float] = []
    until = time.monotonic() + seconds
    for event in events:
        sent = client.send(event.frame)
        answer, at = await client.ok()
        _require_accepted(answer)
        took.append(at - sent)
        if at > until:
            break
    client.close()
    return Latencies.of(took)


class _Pipeline:
    """Events on one connection, so many of them in flight."""

    def __init__(self, events: Sequence[Signed], window: int, until: float) -> None:
        self.answered: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._events = events
        self._window = window
        self._until = until
        self._sent = 0
        self._problem: str | None = None

    async def run(self, url: str) -> None:
        self._connection = await Connection.open("driver", url, self._take, limit=30)
        for _ in range(min(self._window, len(self._events))):
            self._send()
        while not self.done.done() and not self._connection.ended.done():
            before = len(self.answered)
            await asyncio.wait(
                (self.done, self._connection.ended),
                timeout=_ANSWER_LIMIT,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if len(self.answered) == before:
                self._connection.close()
                raise RelayFailed(f"no OK within {_ANSWER_LIMIT:g} s, {before} came before")
        self._connection.close()
        if not self.done.done():
            raise RelayFailed(f"the relay cut the connection: {self._connection.lost}")
        if self._problem is not None:
            raise RelayFailed(self._problem)

    def _send(self) -> None:
        self._connection.send(self._events[self._sent].frame)
        self._sent += 1

    def _take(self, message: RelayMessage, text: str, at: float) -> None:
        if not isinstance(message, OkMessage) or self.done.done():
            return
        if not message.accepted:
            self._problem = f"an event was refused: {text}"
        self.answered.append(at)
        if self._sent < len(self._events) and at < self._until and self._problem is None:
            self._send()
        elif len(self.answered) == self._sent:
            self.done.set_result(None)


async def publish_pipelined(
    url: str, events: Sequence[Signed], *, window: int, seconds: float
) -> list[float]:
    """Publish on one connection at a time with `window` events in flight; when each OK came.

    Times are seconds since the first event was sent; taking a new connection is not counted.
    Ends after so many seconds, if events are left then.
    """
    answered: list[float] = []
    spent = 0.0
    for start in range(0, len(events), _ON_ONE_CONNECTION):
        if spent >= seconds:
            break
        began = time.monotonic()
        pipeline = _Pipeline(
            events[start : start + _ON_ONE_CONNECTION], window, began + seconds - spent
        )
        await pipeline.run(url)
        answered += [spent + at - began for at in pipeline.answered]
        spent = answered[-1]
    return answered


async def read_one_by_one(
    url: str, events: Sequence[Signed], seconds: float
) -> tuple[Latencies, int]:
    """REQ for one address, wait for EOSE, CLOSE, the next; and how many answers were empty."""
    client = await _Client().open(url)
    took: list[float] = []
    empty = 0
    until = time.monotonic() + seconds
    for number, event in enumerate(events):
        name = f"read-{number}"
        wanted = Filter.of(kinds=[PERSONA], authors=[event.pubkey], d=[event.slug])
        sent = client.send(orjson.dumps(["REQ", name, wanted.to_json()]).decode())
        found, at = await client.end_of(name)
        empty += not found
        took.append(at - sent)
        client.send(orjson.dumps(["CLOSE", name]).decode())
        if at > until:
            break
    client.close()
    return Latencies.of(took), empty


async def fan_out(url: str, events: Sequence[Signed], *, listeners: int, window: int) -> float:
    """Deliveries a second to so many subscribers, from the first EVENT to the last delivery."""
    wanted = len(events)
    left = listeners
    ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    ready = [asyncio.Event() for _ in range(listeners)]
    counts = [0] * listeners

    def taker(number: int) -> Take:
        def take(message: RelayMessage, text: str, at: float) -> None:
            nonlocal left
            if isinstance(message, EoseMessage):
                ready[number].set()
            elif isinstance(message, EventMessage) and ready[number].is_set():
                counts[number] += 1
                if counts[number] == wanted:
                    left -= 1
                    if not left:
                        ended.set_result(at)

        return take

    request = orjson.dumps(["REQ", "live", Filter.of(kinds=[PERSONA], limit=1).to_json()]).decode()
    connections = []
    for number in range(listeners):
        connection = await Connection.open("listener", url, taker(number), limit=30)
        connection.send(request)
        connections.append(connection)
    for one in ready:
        async with asyncio.timeout(_ANSWER_LIMIT):
            await one.wait()
    began = time.monotonic()
    await publish_pipelined(url, events, window=window, seconds=_ANSWER_LIMIT)
    try:
        async with asyncio.timeout(_ANSWER_LIMIT):
            last = await ended
    except TimeoutError:
        raise RelayFailed(f"{sum(counts)} of {wanted * listeners} live deliveries came") from None
    finally:
        for connection in connections:
            connection.close()
    return wanted * listeners / (last - began)


def _require_accepted(answer: OkMessage) -> None:
    if not answer.accepted:
        raise RelayFailed(f"an event was refused: {answer.message!r}")


def memory_of_children(pid: int) -> float:
    """Resident memory of all processes below one, MiB, from /proc."""
    return round(sum(map(_resident, _children(pid))), 1)


def memory_of_tree(pid: int) -> float:
    """Resident memory of a process and of all below it, MiB, from /proc."""
    return round(_resident(pid) + memory_of_children(pid), 1)


def shared_memory_of_tree(pid: int) -> float:
    """As `memory_of_tree`, with what several processes share counted once, MiB.

    Forks share most of what they hold, so the sum of what each has resident is more than is there.
    """
    return round(sum(map(_proportional, (pid, *_children(pid)))), 1)


def _proportional(pid: int) -> float:
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended since
        return 0.0
    return sum(int(line.split()[1]) for line in told if line.startswith("Pss:")) / 1024


def _resident(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has ended since
        return 0.0
    return sum(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def processor_time_of_children(pid: int) -> float:
    """Seconds that all processes below one have computed, from /proc."""
    ticks = 0
    for child in _children(pid):
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):  # a glob fails where one ends meanwhile
        try:
            fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended since
            continue
        parents.setdefault(int(fields[1]), []).append(int(name))
    found, waiting = [], list(parents.get(pid, ()))
    while waiting:
        found.append(waiting.pop())
        waiting += parents.get(found[-1], ())
    return found
