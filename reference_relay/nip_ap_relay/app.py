"""The doors: WebSocket, NIP-11, POST /events, /query and /count, as one ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from nip_ap_relay.auth import Unauthenticated
from nip_ap_relay.bridge import Bridge, Reply
from nip_ap_relay.couriers import HangUp
from nip_ap_relay.relay import Relay
from nip_ap_relay.session import Session

_NOSTR_JSON = "application/nostr+json"


class _TooLarge(Exception):
    """A body over the limit."""


class Doors:
    """The routes of one relay."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.bridge = Bridge(relay)

    def routes(self) -> list[BaseRoute]:
        return [
            WebSocketRoute("/", self.websocket),
            Route("/", self.information, methods=["GET"]),
            Route("/info", self.information, methods=["GET"]),
            Route("/health", self.health, methods=["GET"]),
            Route("/events", self.post_event, methods=["POST"]),
            Route("/query", self.post_query, methods=["POST"]),
            Route("/count", self.post_count, methods=["POST"]),
        ]

    # -- WebSocket -------------------------------------------------------------

    async def websocket(self, socket: WebSocket) -> None:
        """Read frames and write answers until either side ends the connection."""
        session = Session(self.relay, str(socket.url), self.relay.policy.courier())
        if self.relay.faults is not None:
            self.relay.faults.connected(session, socket.headers)
        await socket.accept()
        writer = asyncio.create_task(session.write(socket.send_text))
        reader = asyncio.create_task(_read(socket, session))
        session.open()
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            session.close()
            for task in (reader, writer):
                task.cancel()
            ended = await asyncio.gather(reader, writer, return_exceptions=True)
        for reason in ended:
            if isinstance(reason, HangUp):
                with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                    if reason.last_frame:
                        await socket.send_text(reason.last_frame)
                    await socket.close(code=1008, reason=str(reason)[:100])
            elif isinstance(reason, Exception) and not _is_disconnect(reason):
                raise reason

    # -- NIP-11 ----------------------------------------------------------------

    async def information(self, request: Request) -> Response:
        """The relay information document (NIP-11); its limits are the ones enforced."""
        policy = self.relay.policy
        document = {
            "name": "nip-ap-conformance reference relay",
            "description": "The bundled relay of the NIP-AP conformance suite",
            "pubkey": self.relay.key.pubkey,
            "supported_nips": policy.claimed_nips(),
            "software": "nip-ap-relay",
            "version": policy.version(),
            "limitation": {
                "max_message_length": policy.frame_limit,
                "max_subscriptions": policy.subscriptions_at_once,
                "max_filters": policy.filters_at_once,
                "max_limit": policy.largest_limit,
                "max_subid_length": policy.longest_subscription_id,
                "max_content_length": policy.longest_content,
                "created_at_lower_limit": policy.clock_tolerance,
                "created_at_upper_limit": policy.clock_tolerance,
                "auth_required": policy.auth_required,
                "payment_required": False,
                "restricted_writes": True,
            },
        }
        response = _response(Reply.of(document))
        if _NOSTR_JSON in request.headers.get("accept", ""):
            response.headers["content-type"] = _NOSTR_JSON
        return response

    async def health(self, request: Request) -> Response:
        return PlainTextResponse("ok")

    # -- HTTP bridge --------------------------------------------------------------

    async def post_event(self, request: Request) -> Response:
        """Submit one event."""
        try:
            body, pubkey = await self._authenticated(request)
        except (Unauthenticated, _TooLarge) as error:
            return self._turned_away(error)
        done: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def answer(reply: Reply) -> None:
            if not done.done():
                done.set_result(reply)

        self.bridge.events(body, pubkey, answer)
        return _response(await done)

    async def post_query(self, request: Request) -> Response:
        """Run filters."""
        return await self._read(request, self.bridge.query)

    async def post_count(self, request: Request) -> Response:
        """Count what filters match."""
        return await self._read(request, self.bridge.count)

    async def _read(self, request: Request, answer: Callable[[bytes, str], Reply]) -> Response:
        try:
            body, pubkey = await self._authenticated(request)
        except (Unauthenticated, _TooLarge) as error:
            return self._turned_away(error)
        return _response(answer(body, pubkey))

    def _turned_away(self, error: Unauthenticated | _TooLarge) -> Response:
        policy = self.relay.policy
        if isinstance(error, _TooLarge):
            return PlainTextResponse("body too large", policy.http_answers_large_body())
        return _response(Reply.of({"error": str(error)}, policy.http_answers_nobody()))

    async def _authenticated(self, request: Request) -> tuple[bytes, str]:
        """The body and the sender's key. Raises Unauthenticated or _TooLarge."""
        limit = self.relay.policy.body_limit
        chunks, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise _TooLarge
            chunks.append(chunk)
        body = b"".join(chunks)
        if self.relay.faults is not None:
            self.relay.faults.posted(request.url.path, request.headers, body)
        pubkey = self.relay.doorkeeper.pubkey(
            header=request.headers.get("authorization", ""),
            x_pubkey=request.headers.get("x-pubkey", ""),
            url=str(request.url),
            method=request.method,
            body=body,
        )
        return body, pubkey


def _response(reply: Reply) -> Response:
    return Response(reply.text, reply.status, media_type="application/json")


async def _read(socket: WebSocket, session: Session) -> None:
    while True:
        await session.ready_to_read()
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None:
            text = _text_of_binary(message.get("bytes") or b"")
        session.receive(text)


def _text_of_binary(data: bytes) -> str:
    """A binary frame that holds UTF-8 is treated as text (facts 4.2); other bytes fail to parse."""
    return data.decode("utf-8", errors="replace")


def _is_disconnect(reason: BaseException) -> bool:
    return isinstance(reason, (WebSocketDisconnect, asyncio.CancelledError, OSError))


def application(relays: dict[str, Relay]) -> Starlette:
    """One ASGI application; the relay named "" is at the root, others under /name."""
    routes: list[BaseRoute] = []
    for name, relay in relays.items():
        if name:
            routes.append(Mount(f"/{name}", routes=Doors(relay).routes()))
        else:
            routes += Doors(relay).routes()

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> Any:
        yield
        for relay in relays.values():
            relay.close()

    cors = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    return Starlette(routes=routes, middleware=[cors], lifespan=lifespan)
