"""A relay that plays a script: it serves given events in a given manner, and records what it is
asked. It keeps no rule of Nostr that it is not told to keep: it is what a reader has to survive.

An event is a text, so that it may be anything, and one that is `always` served comes whatever a
filter asks for. All others are held against the filters as NIP-01 has it; deletion requests are
events like others, and delete nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

LATE = 0.3
"""Seconds between the halves of a late answer, and before its EOSE."""

_EVERY_TIME = 1_000_000
_PERSONA = 30175


@dataclass(frozen=True)
class Manner:
    """How a script is played. As it stands here, the relay answers in full and at once."""

    page: int = 0
    """The most events in one answer, the newest; 0 for no limit."""
    eose: str = "now"
    """`now`, `late` (in two halves with a pause), or `never`."""
    closed: str = ""
    """The text of a CLOSED in place of an answer."""
    closed_times: int = _EVERY_TIME
    """How many of the first requests get it."""
    notice: str = ""
    """The text of a NOTICE before each answer."""
    auth: bool = False
    """Whether reading takes NIP-42 authentication."""
    cut_after: int | None = None
    """After how many EVENTs the connection is cut."""
    cut_times: int = 1
    """How many of the first answers are cut off."""
    twice: bool = False
    """Whether each event is served two times."""


@dataclass(frozen=True)
class Scripted:
    """One event of a script. `value` is what its text says, where that is JSON."""

    text: str
    always: bool
    value: Any

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Scripted:
        """An event as the suite sends it."""
        text = str(given["text"])
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        return cls(text, bool(given["always"]), value)

    @property
    def moment(self) -> float:
        """Its date, for limits and pages."""
        at = self.value.get("created_at") if isinstance(self.value, dict) else None
        return float(at) if isinstance(at, int) and abs(at) < 2**63 else 0.0

    def matches(self, filter_: Mapping[str, Any]) -> bool:
        """Whether a filter asks for it."""
        value = self.value
        if self.always or not isinstance(value, dict):
            return "until" not in filter_ and _PERSONA in filter_.get("kinds", [_PERSONA])
        for name, key in (("kinds", "kind"), ("authors", "pubkey"), ("ids", "id")):
            if name in filter_ and value.get(key) not in filter_[name]:
                return False
        for name, wanted in filter_.items():
            if name.startswith("#") and not {*wanted} & {*_values(value, name[1:])}:
                return False
        return bool(filter_.get("since", 0) <= self.moment <= filter_.get("until", float("inf")))


def _values(event: Mapping[str, Any], name: str) -> Iterator[str]:
    for tag in event.get("tags", ()):
        if len(tag) > 1 and tag[0] == name:
            yield tag[1]


@dataclass
class _Line:
    """One connection."""

    number: int
    challenge: str = field(default_factory=lambda: secrets.token_hex(8))
    pubkey: str = ""


class ScriptedRelay:
    """Serves one script after another on one port."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        """Every frame that came, with its connection."""
        self._events: Sequence[Scripted] = ()
        self._manner = Manner()
        self._server: Server | None = None
        self._requests = self._connections = 0

    async def play(
        self,
        events: Sequence[Mapping[str, Any]],
        manner: Mapping[str, Any],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> str:
        """Begin a script; gives the URL. Raises TypeError for a manner that there is not."""
        self._events = [Scripted.read(one) for one in events]
        self._manner = Manner(**manner)
        self.asked = []
        self._requests = 0
        if self._server is None:
            self._server = await serve(self._converse, host, port, compression=None)
        at = next(iter(self._server.sockets)).getsockname()
        place = f"[{at[0]}]" if ":" in at[0] else at[0]
        return f"ws://{place}:{at[1]}"

    def close(self) -> None:
        """Play no more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _converse(self, connection: ServerConnection) -> None:
        self._connections += 1
        line = _Line(self._connections)
        with contextlib.suppress(ConnectionClosed):
            if self._manner.auth:
                await _say(connection, "AUTH", line.challenge)
            async for text in connection:
                await self._hear(connection, line, text)

    async def _hear(self, connection: ServerConnection, line: _Line, text: str | bytes) -> None:
        try:
            frame = json.loads(text)
            verb = frame[0]
        except (ValueError, LookupError, TypeError):
            frame, verb = [str(text)], "?"
        self.asked.append({"connection": line.number, "frame": frame})
        if verb == "REQ" and len(frame) > 2:
            await self._answer(connection, line, str(frame[1]), frame[2:])
        elif verb == "AUTH" and isinstance(frame[1], dict):
            await self._admit(connection, line, frame[1])
        elif verb == "EVENT" and isinstance(frame[1], dict):
            await _say(connection, "OK", frame[1].get("id"), False, "blocked: a script is read")
        elif verb == "COUNT":
            await _say(connection, "CLOSED", frame[1], "unsupported: a script is read")

    async def _admit(
        self, connection: ServerConnection, line: _Line, event: Mapping[str, Any]
    ) -> None:
        is_it = event.get("kind") == 22242 and line.challenge in _values(event, "challenge")
        line.pubkey = str(event.get("pubkey")) if is_it else line.pubkey
        await _say(
            connection, "OK", event.get("id"), is_it, "" if is_it else "invalid: no such one"
        )

    async def _answer(
        self,
        connection: ServerConnection,
        line: _Line,
        subscription: str,
        filters: Sequence[Mapping[str, Any]],
    ) -> None:
        manner = self._manner
        if manner.auth and not line.pubkey:
            await _say(connection, "CLOSED", subscription, "auth-required: say who you are")
            return
        self._requests += 1
        if manner.notice:
            await _say(connection, "NOTICE", manner.notice)
        if manner.closed and self._requests <= manner.closed_times:
            await _say(connection, "CLOSED", subscription, manner.closed)
            return
        found = self._found(filters)
        if manner.cut_after is not None and self._requests <= manner.cut_times:
            await _serve(connection, subscription, found[: manner.cut_after])
            connection.transport.abort()
            return
        half = len(found) // 2 if manner.eose == "late" else len(found)
        await _serve(connection, subscription, found[:half])
        if manner.eose == "late":
            await asyncio.sleep(LATE)
            await _serve(connection, subscription, found[half:])
            await asyncio.sleep(LATE)
        if manner.eose != "never":
            await _say(connection, "EOSE", subscription)

    def _found(self, filters: Sequence[Mapping[str, Any]]) -> list[str]:
        """What answers a request, in the order of the script."""
        chosen: set[int] = set()
        for one in filters:
            chosen |= self._page(one)
        found = [self._events[place].text for place in sorted(chosen)]
        return [text for text in found for _ in range(2)] if self._manner.twice else found

    def _page(self, filter_: Mapping[str, Any]) -> set[int]:
        """The newest that match a filter, as many as it and the relay allow."""
        most = min(filter_.get("limit", _EVERY_TIME), self._manner.page or _EVERY_TIME)
        matching = [place for place, one in enumerate(self._events) if one.matches(filter_)]
        if len(matching) <= most:
            return set(matching)
        return set(sorted(matching, key=lambda place: -self._events[place].moment)[:most])


async def _serve(connection: ServerConnection, subscription: str, texts: Sequence[str]) -> None:
    name = json.dumps(subscription)
    for text in texts:
        await connection.send(f'["EVENT",{name},{text}]')


async def _say(connection: ServerConnection, *frame: Any) -> None:
    await connection.send(json.dumps(frame))
