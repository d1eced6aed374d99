"""The control door of a relay that misbehaves on request.

It can go away, stay silent, hold its answers back, cut the connection, refuse a slug, limit a
rate, forget everything and move its clock; and it records what came in. All of it is asked for
through this door, which exists only where the environment names a Unix socket and a token: no
client of the relay can reach it. Requests and answers are JSON, one per line.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson

from nip_ap.nostr import (
    DELETION,
    INSTRUCTIONS,
    MANAGED_AGENT,
    PERSONA,
    TEAM,
    TEAM_CATALOG,
    Event,
)
from nip_ap_relay.relay import Relay
from nip_ap_relay.store import Store
from nip_ap_relay.stub.faults import Faults
from nip_ap_relay.stub.front import Front
from nip_ap_relay.stub.policy import ControlledPolicy
from nip_ap_relay.stub.script import ScriptedRelay

_LONGEST_REQUEST = 64 * 2**20
"""Bytes; a script of ten thousand personas is one line."""

_FAMILY = (PERSONA, TEAM, MANAGED_AGENT, TEAM_CATALOG, INSTRUCTIONS, DELETION)

SOCKET, TOKEN = "NIP_AP_RELAY_CONTROL", "NIP_AP_RELAY_TOKEN"


class Control:
    """The control door."""

    def __init__(self, path: Path, token: str, spec: str) -> None:
        self._path = path
        self._token = token
        self._spec = spec
        self.faults = Faults()
        self.scripted = ScriptedRelay()

    @classmethod
    def from_environment(cls, spec: str) -> Control | None:
        """The door, where the environment has both its place and its token."""
        path, token = os.environ.pop(SOCKET, ""), os.environ.pop(TOKEN, "")
        return cls(Path(path), token, spec) if path and len(token) >= 16 else None

    def take_over(self, relay: Relay, host: str, port: int) -> socket.socket:
        """Give a relay the clock and faults of this door; the listener that it serves on."""
        self.relay = relay
        relay.interceptor = self.faults
        self._door = _private_socket(self._path)
        behind = self._path.with_name("relay")
        self.front = Front(host, port, behind)
        return _private_socket(behind)

    def policy(self) -> ControlledPolicy:
        """The policy of the relay that is to be taken over."""
        return ControlledPolicy(self._spec, self.faults)

    async def serve(self, relay: Awaitable[None]) -> None:
        """Open the front and the control door while the relay is served."""
        await self.front.open()
        door = await asyncio.start_unix_server(
            self._converse, sock=self._door, limit=_LONGEST_REQUEST
        )
        try:
            await relay
        finally:
            self.front.close()
            self.scripted.close()
            door.close()
            self._path.unlink(missing_ok=True)
            self._path.with_name("relay").unlink(missing_ok=True)

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
            "play": self.scripted.play,
            "asked": self.asked,
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
        self.front.close()

    async def up(self) -> None:
        """Open the port."""
        await self.front.open()

    async def log(self, since: int = 0) -> list[dict[str, Any]]:
        """What came in, from an entry on."""
        return self.faults.log[since:]

    async def wait(self, events: int, limit: float) -> bool:
        """Wait for a number of EVENTs."""
        return await self.faults.wait_for(events, limit)

    async def asked(self) -> list[dict[str, Any]]:
        """What the player of the script was asked since it began."""
        return self.scripted.asked

    async def put(self, event: Any) -> bool:
        """Store an event as if its author had sent it from elsewhere; not part of the record."""
        given = Event.from_json(event)
        accepted: list[bool] = []
        self.relay.submit(given, self.relay.caller(given.pubkey), lambda ok, _: accepted.append(ok))
        self.relay.flush()
        return accepted == [True]

    async def heads(self) -> list[Any]:
        """Everything of the agent family that is live, and every deletion request."""
        self.relay.flush()
        wanted = ", ".join("?" * len(_FAMILY))
        rows = self.relay.store.select(f"kind IN ({wanted}) AND gone = 0", _FAMILY)
        return [orjson.loads(row.raw) for row in rows]


def _private_socket(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    path.chmod(0o600)
    made.listen(1024)
    return made
