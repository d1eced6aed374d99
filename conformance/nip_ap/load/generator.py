"""One process of the load: its publishers and subscribers on one event loop. It judges nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from nip_ap.load.connection import Connection, Record, Refused
from nip_ap.load.entrance import Entrance
from nip_ap.load.script import Write, fence, writes
from nip_ap.load.shape import Shape
from nip_ap.model.greeting import Greeting
from nip_ap.nostr import PERSONA, Event, Filter, MalformedEvent, SecretKey
from nip_ap.nostr.message import (
    ClosedMessage,
    EoseMessage,
    EventMessage,
    OkMessage,
    RelayMessage,
    subscription_of,
)

_OPENING_LIMIT = 15.0
"""Seconds to open, authenticate or subscribe: of that no check judges the time."""
_LOOK_EVERY = 0.05
_READ_EVERY = 8
_MOST_BESIDE = 10_000
_SUBSCRIPTION = "load"

Conduct = Callable[[str, int], Awaitable[int]]
"""Reports that this process came to a stage, with a number; gives the sum of all processes."""

READY, PUBLISHED = "ready", "published"


@dataclass(frozen=True)
class Task:
    """What one process has to do. Travels over a pipe: it holds a secret key."""

    url: str
    secret: str
    base: str
    now: int
    shape: Shape
    publishers: tuple[int, ...]
    subscribers: tuple[int, ...]
    greeting: Greeting
    answer_limit: float

    @property
    def time_limit(self) -> float:
        """Seconds that any stage may take, whatever the relay does."""
        members = len(self.publishers) + len(self.subscribers)
        return members * _OPENING_LIMIT + 4 * self.shape.seconds + 2 * self.answer_limit

    @property
    def most_messages(self) -> int:
        """Messages on one connection after which the relay floods: thrice what is asked for."""
        return 3 * self.shape.events + _MOST_BESIDE

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Task:
        """What `to_json` gave."""
        lists = {name: tuple(value[name]) for name in ("publishers", "subscribers")}
        parts = {
            "shape": Shape(**value["shape"]),
            "greeting": Greeting.from_json(value["greeting"]),
        }
        return cls(**{**value, **lists, **parts})


@dataclass(frozen=True)
class Read:
    """One read of an address right after a write there was acknowledged.

    `head` is the id of the event that a client takes for the head of what came; "" where none did.
    """

    write: str
    asked: float
    ended: float
    is_timed: bool
    head: str


@dataclass(frozen=True)
class Share:
    """What one process saw. Times are seconds of time.monotonic, the same on all of a machine.

    `deliveries` holds, for each subscriber, the ids that came live and when.
    """

    writes: tuple[Write, ...]
    reads: tuple[Read, ...]
    deliveries: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    lost: Mapping[str, str]
    frames: tuple[tuple[str, str, str, float], ...]

    def to_bytes(self) -> bytes:
        """As JSON, for a pipe."""
        return orjson.dumps(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Share:
        """What `to_bytes` gave."""
        value = orjson.loads(data)
        return cls(
            writes=tuple(Write(**one) for one in value["writes"]),
            reads=tuple(Read(**one) for one in value["reads"]),
            deliveries=tuple(
                (who, tuple((id_, at) for id_, at in came)) for who, came in value["deliveries"]
            ),
            lost=value["lost"],
            frames=tuple((who, way, text, at) for who, way, text, at in value["frames"]),
        )


class _Member:
    """A connection with a part to play; `done` is set when it has played it."""

    def __init__(self, who: str, task: Task, key: SecretKey, record: Record | None) -> None:
        self.who = who
        self.task = task
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._key = key
        self._record = record
        self._entrance = Entrance(who, task.url, key, task.greeting)
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        assert self._connection is not None
        return self._connection

    async def enter(self) -> None:
        """Connect, and authenticate where the relay asks for it. Raises Refused."""
        self._connection = await Connection.open(
            self.who,
            self.task.url,
            self._take,
            record=self._record,
            limit=_OPENING_LIMIT,
            most=self.task.most_messages,
        )
        await self._entrance.pass_through(self.connection.send, _OPENING_LIMIT)

    def finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _take(self, message: RelayMessage, text: str, at: float) -> None:
        if self._entrance.is_over:
            self.take(message, text, at)
        else:
            self._entrance.take(message)

    def take(self, message: RelayMessage, text: str, at: float) -> None:
        """One message of the relay."""
        raise NotImplementedError

    def is_stuck(self, now: float) -> bool:
        """Whether it has waited longer than a relay may take for an answer."""
        raise NotImplementedError


class Publisher(_Member):
    """Sends its events one after the other, each when the one before was answered."""

    def __init__(
        self, number: int, task: Task, key: SecretKey, record: Record | None, script: list[Write]
    ) -> None:
        super().__init__(f"publisher {number + 1}", task, key, record)
        self.number = number
        self.script = script
        self.reads: list[Read] = []
        self._position = -1
        self._until = float("inf")
        self._asked = 0.0
        self._found: list[Event] = []

    def start(self) -> None:
        """Send the first event; the rest follows from the answers."""
        self._advance()

    def _advance(self) -> None:
        self._position += 1
        if self._position == self.task.shape.warm_up:
            self._until = time.monotonic() + self.task.shape.seconds
        is_over = self._position == len(self.script) or time.monotonic() > self._until
        if is_over or self.connection.lost is not None:
            self.finish()
            return
        write = self.script[self._position]
        write.sent = self.connection.send(write.frame)

    @property
    def _current(self) -> Write:
        return self.script[self._position]

    def take(self, message: RelayMessage, text: str, at: float) -> None:
        """OK: the next event, or first a read of what was just written."""
        if self.done.done():
            return
        match message:
            case OkMessage(self._current.id, accepted) if not self._current.answered:
                self._on_ok(accepted, text, at)
            case EventMessage(subscription) if subscription == _SUBSCRIPTION:
                self._on_found(message)
            case EoseMessage() | ClosedMessage() if self._asked and _is_ours(message):
                self._on_end_of_read(at)

    def _on_ok(self, accepted: bool, text: str, at: float) -> None:
        write = self._current
        write.answered, write.accepted, write.answer = at, accepted, text
        if write.accepted and self._position % _READ_EVERY == self.number % _READ_EVERY:
            self._read(write)
        else:
            self._advance()

    def _read(self, write: Write) -> None:
        wanted = Filter.of(kinds=[PERSONA], authors=[self._key.pubkey], d=[write.slug])
        request = orjson.dumps(["REQ", _SUBSCRIPTION, wanted.to_json()]).decode()
        self._asked = self.connection.send(request)

    def _on_found(self, message: EventMessage) -> None:
        with contextlib.suppress(MalformedEvent):
            event = message.event()
            if (event.pubkey, event.slug) == (self._key.pubkey, self._current.slug):
                self._found.append(event)

    def _on_end_of_read(self, at: float) -> None:
        write = self._current
        head = min(self._found, key=lambda event: event.order).id if self._found else ""
        self.reads.append(Read(write.id, self._asked, at, write.is_timed, head))
        self._asked, self._found = 0.0, []
        self.connection.send(orjson.dumps(["CLOSE", _SUBSCRIPTION]).decode())
        self._advance()

    def is_stuck(self, now: float) -> bool:
        """Whether an OK or an EOSE is overdue."""
        return now - max(self._current.sent, self._asked) > self.task.answer_limit


class Subscriber(_Member):
    """Takes down what is delivered live, and when."""

    def __init__(self, number: int, task: Task, key: SecretKey, record: Record | None) -> None:
        super().__init__(f"subscriber {number + 1}", task, key, record)
        self.came: list[tuple[str, float]] = []
        self._distinct: set[str] = set()
        self._is_live: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._expected = -1
        self._fence = ""
        self._latest = 0.0

    async def listen(self) -> None:
        """Subscribe to the author's personas and wait for EOSE. Raises Refused."""
        wanted = Filter.of(kinds=[PERSONA], authors=[self._key.pubkey], since=self.task.now - 60)
        self.connection.send(orjson.dumps(["REQ", _SUBSCRIPTION, wanted.to_json()]).decode())
        try:
            async with asyncio.timeout(_OPENING_LIMIT):
                await self._is_live
        except TimeoutError:
            raise Refused(f"{self.who} got no EOSE") from None

    def expect(self, number: int, fence_id: str) -> None:
        """Be done once so many different events and the fence are there."""
        self._expected, self._fence, self._latest = number, fence_id, time.monotonic()
        self._see_whether_done()

    def take(self, message: RelayMessage, text: str, at: float) -> None:
        """EVENT: one delivery."""
        if not _is_ours(message):
            return
        if isinstance(message, EventMessage) and self._is_live.done():
            self._latest = at
            self.came.append((message.event_id, at))
            self._distinct.add(message.event_id)
            if self._expected >= 0:
                self._see_whether_done()
        elif isinstance(message, EoseMessage) and not self._is_live.done():
            self._is_live.set_result(None)
        elif isinstance(message, ClosedMessage) and not self._is_live.done():
            self._is_live.set_exception(
                Refused(f"{self.who} could not subscribe: {message.reason!r}")
            )

    def _see_whether_done(self) -> None:
        if self._fence in self._distinct and len(self._distinct) > self._expected:
            self.finish()

    def is_stuck(self, now: float) -> bool:
        """Whether nothing came for as long as a relay may take."""
        return self._expected >= 0 and now - self._latest > self.task.answer_limit


def _is_ours(message: RelayMessage) -> bool:
    return subscription_of(message) == _SUBSCRIPTION


@dataclass
class Generator:
    """The connections of one process, from their opening to their end."""

    task: Task
    conduct: Conduct
    frames: list[tuple[str, str, str, float]] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)

    async def run(self) -> Share:
        """Play the task; gives what was seen. Raises Refused where a connection cannot be had."""
        task, key = self.task, SecretKey.from_hex(self.task.secret)
        record = self._record if task.shape.is_recorded else None
        publishers = [
            Publisher(
                one, task, key, record, list(writes(key, task.shape, task.base, one, task.now))
            )
            for one in task.publishers
        ]
        subscribers = [Subscriber(one, task, key, record) for one in task.subscribers]
        members: list[_Member] = [*publishers, *subscribers]
        try:
            await self._play(publishers, subscribers, key)
        finally:
            for one in members:
                if one._connection is not None:
                    one.connection.close()
        return Share(
            writes=tuple(w for one in publishers for w in one.script if w.sent),
            reads=tuple(read for one in publishers for read in one.reads),
            deliveries=tuple((one.who, tuple(one.came)) for one in subscribers),
            lost=dict(self.lost),
            frames=tuple(self.frames),
        )

    async def _play(
        self, publishers: Sequence[Publisher], subscribers: Sequence[Subscriber], key: SecretKey
    ) -> None:
        for one in (*publishers, *subscribers):
            await one.enter()
        for listener in subscribers:
            await listener.listen()
        await self.conduct(READY, 0)
        for publisher in publishers:
            publisher.start()
        await self._until_done(publishers)
        last = fence(key, self.task.base, self.task.now)
        mine = {w.id for one in publishers for w in one.script if w.accepted}
        expected = await self.conduct(PUBLISHED, len(mine))
        if 0 in self.task.publishers:
            self._send_fence(publishers, orjson.dumps(["EVENT", last.to_json()]).decode())
        for listener in subscribers:
            listener.expect(expected, last.id)
        await self._until_done(subscribers)

    async def _until_done(self, members: Sequence[_Member]) -> None:
        """Wait until each member is done, lost its connection or waited too long."""
        waiting = list(members)
        deadline = time.monotonic() + self.task.time_limit
        while waiting:
            futures = [one.done for one in waiting]
            await asyncio.wait(futures, timeout=_LOOK_EVERY)
            now = time.monotonic()
            for one in waiting:
                if one.done.done():
                    continue
                if one.connection.lost is not None:
                    self.lost[one.who] = one.connection.lost
                    one.finish()
                elif one.is_stuck(now) or now > deadline:
                    one.finish()
            waiting = [one for one in waiting if not one.done.done()]

    def _send_fence(self, publishers: Sequence[Publisher], frame: str) -> None:
        """Over any connection that is still there."""
        for one in publishers:
            if one.connection.lost is None:
                one.connection.send(frame)
                return

    def _record(self, who: str, way: str, text: str, at: float) -> None:
        self.frames.append((who, way, text, at))
