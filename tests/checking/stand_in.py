"""A relay in a hundred lines that answers well, and badly where a test wants it to.

It takes what is well formed, in both doors. `reads` makes what a REQ or a POST /query is answered.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

Reads = Callable[[list[dict[str, Any]]], "list[Any] | str"]


def well(events: list[dict[str, Any]]) -> list[Any] | str:
    """What was asked for."""
    return events


def nothing(events: list[dict[str, Any]]) -> list[Any] | str:
    """An empty answer, whatever there is."""
    return []


def refused(events: list[dict[str, Any]]) -> list[Any] | str:
    """A refusal, whatever there is."""
    return "blocked: this relay is not for reading"


def tags_as_text(events: list[dict[str, Any]]) -> list[Any] | str:
    """Events whose tags are a string: they are none."""
    return [one | {"tags": json.dumps(one["tags"])} for one in events]


@dataclass
class StandIn:
    """The relay. Personas with a slug of the preflight are always answered well."""

    reads: Reads
    spares_the_preflight: bool = True
    bodies_are_text: bool = False
    falls_silent_after: int = 1_000_000
    """Events, after which it answers nothing more."""
    events: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, filters: list[dict[str, Any]]) -> list[Any] | str:
        """Events, or the reason of a refusal."""
        found = [one for one in self.events if any(_matches(one, wanted) for wanted in filters)]
        if self.spares_the_preflight and found and all(map(_is_of_the_preflight, found)):
            return found
        return self.reads(found)

    async def websocket(self, socket: WebSocket) -> None:
        """One connection."""
        await socket.accept()
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, KeyError):
            while True:
                for frame in self.frames(await socket.receive_text()):
                    await socket.send_text(json.dumps(frame))

    def frames(self, text: str) -> Iterator[list[Any]]:
        """What one frame is answered."""
        try:
            verb, first, *rest = json.loads(text)
        except (ValueError, TypeError):
            yield ["NOTICE", "not a message"]
            return
        if len(self.events) >= self.falls_silent_after:
            return
        if verb == "EVENT" and isinstance(first, dict):
            self.events.append(first)
            yield ["OK", first.get("id"), True, ""]
        elif verb == "REQ":
            found = self.answer(rest)
            if isinstance(found, str):
                yield ["CLOSED", first, found]
                return
            for event in found:
                yield ["EVENT", first, event]
            yield ["EOSE", first]
        elif verb == "COUNT":
            found = self.answer(rest)
            refusal = isinstance(found, str)
            yield ["CLOSED", first, found] if refusal else ["COUNT", first, {"count": len(found)}]

    async def http(self, request: Request) -> Response:
        """One POST."""
        body = await request.json()
        if self.bodies_are_text:
            return PlainTextResponse("It works!")
        if request.url.path == "/events":
            self.events.append(body)
            return JSONResponse({"event_id": body["id"], "accepted": True, "message": ""})
        found = self.answer(body)
        if isinstance(found, str):
            return JSONResponse({"error": found}, 403)
        return JSONResponse(found if request.url.path == "/query" else {"count": len(found)})


def _is_of_the_preflight(event: dict[str, Any]) -> bool:
    return any(tag[0] == "d" and tag[1].startswith(("probe", "lag")) for tag in event["tags"])


def _matches(event: dict[str, Any], wanted: dict[str, Any]) -> bool:
    slugs = [tag[1] for tag in event.get("tags", ()) if tag[:1] == ["d"] and tag[1:]]
    return (
        event.get("kind") in wanted.get("kinds", [event.get("kind")])
        and event.get("pubkey") in wanted.get("authors", [event.get("pubkey")])
        and event.get("id") in wanted.get("ids", [event.get("id")])
        and ("#d" not in wanted or bool(set(slugs) & set(wanted["#d"])))
        and "search" not in wanted
    )


@contextlib.contextmanager
def served(relay: StandIn) -> Iterator[str]:
    """Serve it as long as the block lasts; gives its URL."""
    app = Starlette(
        routes=[
            WebSocketRoute("/", relay.websocket),
            *(Route(path, relay.http, methods=["POST"]) for path in _PATHS),
        ]
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="websockets-sansio"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


_PATHS = ("/events", "/query", "/count")
