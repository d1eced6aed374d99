"""A relay that misbehaves on request: the stub against which somebody else's migrator is tested.

It can go away, stay silent, hold its answers back, cut the connection, refuse a slug, limit a
rate, forget everything and move its clock; and it records what came in. All of it is asked for
through a control door, which exists only where the environment names a Unix socket and a token:
no client of the relay can reach it. Requests and answers are JSON, one a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import orjson
import uvicorn

from nip_ap.nostr import DELETION, PERSONA, Event
from nip_ap_relay.couriers import HangUp
from nip_ap_relay.policy import Policy
from nip_ap_relay.store import Store

if TYPE_CHECKING:
    from nip_ap_relay.relay import Relay
    from nip_ap_relay.session import Session

SOCKET, TOKEN = "NIP_AP_RELAY_CONTROL", "NIP_AP_RELAY_TOKEN"

Answer = Callable[[bool, str], None]

_RATE_LIMITED = "rate-limited: too many events; retry in 0.2 s"


@dataclass
class Orders:
    """What the relay is told to do wrong. As it stands here, it does nothing wrong."""

    clock_offset: int = 0
    window: int = 900
    silent: bool = False
    withhold: bool = False
    hold: bool = False
    cut_after: int | None = None
    limit_every: int = 0
    refuse: Mapping[str, str] = field(default_factory=dict)


class Faults:
    """The orders in force, what they have done so far, and the record of what came in."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.log: list[dict[str, Any]] = []
        self.seen = 0
        self._changed = asyncio.Event()
        self._submitted = 0
        self._limited: set[str] = set()
        self._held: list[Callable[[], None]] = []
        self._numbers: WeakKeyDictionary[Session, int] = WeakKeyDictionary()
        self._connections = 0

    def reset(self) -> None:
        """Behave again, and forget what happened."""
        self.release()
        self.order(**{one.name: getattr(Orders(), one.name) for one in fields(Orders)})
        self.log.clear()
        self.seen = 0

    def order(self, **orders: Any) -> None:
        """Change some orders; counts start anew."""
        for name, value in orders.items():
            if name not in Orders.__dataclass_fields__:
                raise ValueError(f"there is no order {name!r}")
            setattr(self.orders, name, value)
        self._submitted = 0
        self._limited.clear()

    def release(self) -> None:
        """Give the answers that were held back, and hold no more."""
        self.orders.hold = False
        held, self._held = self._held, []
        for answer in held:
            answer()

    # -- the record ------------------------------------------------------------

    def connected(self, session: Session, headers: Mapping[str, str]) -> None:
        """Note an opening handshake."""
        self._connections += 1
        self._numbers[session] = self._connections
        self._note(connection=self._connections, door="ws", text="(connected)", headers=headers)

    def heard(self, session: Session, text: str) -> None:
        """Note a frame."""
        number = self._numbers.get(session, 0)
        self._note(connection=number, door="ws", text=text, pubkey=session.pubkey or "")

    def posted(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Note an HTTP request."""
        self._connections += 1
        text = body.decode("utf-8", "replace")
        if path.endswith("/events"):
            text = f'["EVENT",{text}]'
        self._note(connection=self._connections, door=f"http {path}", text=text, headers=headers)

    def _note(self, *, text: str, headers: Mapping[str, str] | None = None, **rest: Any) -> None:
        self.log.append({"at": time.time(), "text": text, "headers": dict(headers or {}), **rest})
        if text.startswith('["EVENT"'):
            self.seen += 1
        self._changed.set()

    async def wait_for(self, events: int, limit: float) -> bool:
        """Wait until that many EVENTs came since the last reset."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while self.seen < events:
                    self._changed.clear()
                    await self._changed.wait()
        return self.seen >= events

    # -- what an event meets ---------------------------------------------------

    def intercepted(self, event: Event, answer: Answer) -> Answer | None:
        """The answer to use for an event, or None where the relay goes no further with it.

        Raises HangUp where the connection is to be cut.
        """
        orders = self.orders
        if orders.silent:
            return None
        if orders.cut_after is not None and self._submitted >= orders.cut_after:
            raise HangUp("cut on request")
        self._submitted += 1
        if event.slug in orders.refuse:
            answer(False, orders.refuse[event.slug])
            return None
        if self._is_limited(event):
            answer(False, _RATE_LIMITED)
            return None
        if orders.withhold:
            return _unheard
        return self._later(answer) if orders.hold else answer

    def _is_limited(self, event: Event) -> bool:
        every = self.orders.limit_every
        if not every or self._submitted % every or event.id in self._limited:
            return False
        self._limited.add(event.id)
        return True

    def _later(self, answer: Answer) -> Answer:
        return lambda accepted, message: self._held.append(lambda: answer(accepted, message))


def _unheard(accepted: bool, message: str) -> None:
    """An answer that is never sent."""


class ControlledPolicy(Policy):
    """The rules of the relay, with a clock that can be set."""

    name = "stub"

    def __init__(self, spec: str, faults: Faults) -> None:
        super().__init__(spec)
        self.faults = faults

    def now(self) -> int:
        """The relay's clock, moved as ordered."""
        return super().now() + self.faults.orders.clock_offset

    def time_is_near(self, submission: Any) -> str | None:
        """The window is an order too."""
        self.clock_tolerance = self.faults.orders.window
        return super().time_is_near(submission)

    def auth_time_is_near(self, created_at: int, now: int) -> bool:
        """Who is there does not depend on the clock: its subject is the date of events."""
        return True

    def http_time_is_near(self, created_at: int, now: int) -> bool:
        """As for NIP-42."""
        return True

    def http_status(self, refusal: str) -> int:
        """A rate limit is 429."""
        return 429 if refusal.startswith("rate-limited:") else super().http_status(refusal)


class Listener:
    """The relay's port, which can be closed and opened again without losing it to others."""

    def __init__(self, host: str, port: int) -> None:
        self.first = self._bound(host, port)
        self.address = self.first.getsockname()[:2]
        # Bound and not listening: it keeps the port while the relay is "down".
        self._holder = socket.socket(self.first.family)
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._holder.bind(self.address)

    def _bound(self, host: str, port: int) -> socket.socket:
        made = socket.create_server((host, port), backlog=1024, reuse_port=True)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def close(self, server: uvicorn.Server) -> None:
        """Refuse connections, as a closed port does."""
        for one in server.servers:
            one.close()
        server.servers = []

    async def open(self, server: uvicorn.Server) -> None:
        """Take connections again on the same port."""
        if server.servers:
            return
        again = self._bound(*self.address)
        config = server.config

        def protocol() -> asyncio.Protocol:
            return config.http_protocol_class(  # type: ignore[call-arg]
                config=config, server_state=server.server_state, app_state=server.lifespan.state
            )

        made = await asyncio.get_running_loop().create_server(protocol, sock=again)
        server.servers = [made]


class Control:
    """The control door."""

    def __init__(self, path: Path, token: str, spec: str) -> None:
        self._path = path
        self._token = token
        self._spec = spec
        self.faults = Faults()

    @classmethod
    def from_environment(cls, spec: str) -> Control | None:
        """The door, where the environment has both its place and its token."""
        path, token = os.environ.pop(SOCKET, ""), os.environ.pop(TOKEN, "")
        return cls(Path(path), token, spec) if path and len(token) >= 16 else None

    def take_over(self, relay: Relay, host: str, port: int) -> socket.socket:
        """Give a relay the clock and faults of this door, and the listener it serves on."""
        self.relay = relay
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(self._path))
        self._path.chmod(0o600)
        self._door.listen()
        self.listener = Listener(host, port)
        relay.faults = self.faults
        return self.listener.first

    def policy(self) -> ControlledPolicy:
        """The policy of the relay that is to be taken over."""
        return ControlledPolicy(self._spec, self.faults)

    async def serve(self, server: uvicorn.Server, listener: socket.socket) -> None:
        """Serve the relay, and the door beside it."""
        self._server = server
        door = await asyncio.start_unix_server(self._converse, sock=self._door)
        try:
            await server.serve(sockets=[listener])
        finally:
            door.close()
            self._path.unlink(missing_ok=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(orjson.dumps(await self._answer(line)) + b"\n")
            await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = orjson.loads(line)
            given = str(request.pop("token", ""))
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                return {"error": "wrong token"}
            act = self._acts()[request.pop("do")]
            return {"answer": await act(**request)}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _acts(self) -> dict[str, Callable[..., Awaitable[Any]]]:
        return {
            "order": self.order,
            "reset": self.reset,
            "forget": self.forget,
            "release": self.release,
            "down": self.down,
            "up": self.up,
            "log": self.log,
            "wait": self.wait,
            "heads": self.heads,
            "put": self.put,
        }

    # -- what can be asked for -------------------------------------------------

    async def order(self, **orders: Any) -> None:
        """Change orders."""
        self.faults.order(**orders)

    async def reset(self) -> None:
        """A relay as new, empty and well behaved."""
        self.faults.reset()
        await self.up()
        await self.forget()

    async def forget(self) -> None:
        """Lose every event."""
        self.relay.flush()
        self.relay.store.close()
        self.relay.store = Store(None)

    async def release(self) -> None:
        """Give the answers that were held back."""
        self.relay.flush()
        self.faults.release()

    async def down(self) -> None:
        """Close the port."""
        self.listener.close(self._server)

    async def up(self) -> None:
        """Open the port."""
        await self.listener.open(self._server)

    async def log(self, since: int = 0) -> list[dict[str, Any]]:
        """What came in, from an entry on."""
        return self.faults.log[since:]

    async def wait(self, events: int, limit: float) -> bool:
        """Wait for a number of EVENTs."""
        return await self.faults.wait_for(events, limit)

    async def put(self, event: Any) -> bool:
        """Store an event as if its author had sent it from elsewhere; not part of the record."""
        given = Event.from_json(event)
        accepted: list[bool] = []
        self.relay.submit(given, self.relay.caller(given.pubkey), lambda ok, _: accepted.append(ok))
        self.relay.flush()
        return accepted == [True]

    async def heads(self) -> list[Any]:
        """Every live persona and deletion request."""
        self.relay.flush()
        rows = self.relay.store.select("kind IN (?, ?) AND gone = 0", (PERSONA, DELETION))
        return [orjson.loads(row.raw) for row in rows]


__all__ = ["SOCKET", "TOKEN", "Control", "Faults", "Orders"]
