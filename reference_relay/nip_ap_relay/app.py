"""The doors: WebSocket, NIP-11, POST /events, /query and /count, as one ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from nip_ap_relay.auth import Unauthenticated
from nip_ap_relay.bridge import Bridge, Reply
from nip_ap_relay.couriers import HangUp
from nip_ap_relay.manners import ADDRESS, CONNECTION, KEY, LIMITED
from nip_ap_relay.other_doors import OtherDoors
from nip_ap_relay.own_url import OwnUrl
from nip_ap_relay.relay import Relay
from nip_ap_relay.session import Session

_NOSTR_JSON = "application/nostr+json"
_ANY_PAGE = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "*",
    "access-control-allow-methods": "GET",
}
"""NIP-11 wants its document, in which nothing is private, to be open to any page."""


class _TurnedAway(Exception):
    """A request whose body is not read to its end; the message is told with the status."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


class Doors:
    """The routes of one relay."""

    def __init__(self, relay: Relay, own: OwnUrl) -> None:
        self.relay = relay
        self.own = own
        self.bridge = Bridge(relay)

    def routes(self) -> list[BaseRoute]:
        return [
            WebSocketRoute("/", self.websocket),
            Route("/", self.information, methods=["GET", "OPTIONS"]),
            Route("/info", self.information, methods=["GET", "OPTIONS"]),
            Route("/health", self.health, methods=["GET"]),
            Route("/events", self.post_event, methods=["POST"]),
            Route("/query", self.post_query, methods=["POST"]),
            Route("/count", self.post_count, methods=["POST"]),
            *OtherDoors(self.relay, self.own).routes(),
        ]

    # -- WebSocket -------------------------------------------------------------

    async def websocket(self, socket: WebSocket) -> None:
        """Read frames and write answers until either side ends the connection."""
        manners, address = self.relay.policy.manners, _address(socket)
        own = self.own.websocket(socket)
        session = Session(self.relay, own, self.relay.policy.courier(), address=address)
        self.relay.interceptor.connected(session, socket.headers)
        await socket.accept()
        if manners.connections and self.relay.connections_of(address) >= manners.connections:
            words = f"{LIMITED} too many connections from this address"
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await socket.send_text(orjson.dumps(["NOTICE", words]).decode())
                await socket.close(code=1013, reason=words)
            return
        writer = asyncio.create_task(session.write(socket.send_text))
        reader = asyncio.create_task(_read(socket, session, manners.idle_seconds))
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
            "self": self.relay.key.pubkey,
            "supported_nips": policy.claimed_nips(),
            "software": "nip-ap-relay",
            "version": policy.version(),
            "limitation": {
                "max_message_length": policy.announced("frame_limit"),
                "max_subscriptions": policy.announced("subscriptions_at_once"),
                "max_filters": policy.announced("filters_at_once"),
                "max_limit": policy.announced("largest_limit"),
                "max_subid_length": policy.announced("longest_subscription_id"),
                "max_content_length": policy.longest_content,
                "created_at_lower_limit": policy.clock_tolerance,
                "created_at_upper_limit": policy.clock_tolerance,
                "auth_required": policy.auth_required,
                "payment_required": False,
                "restricted_writes": True,
            },
        }
        response = _response(Reply.of(document))
        response.headers.update(_ANY_PAGE)
        if _NOSTR_JSON in request.headers.get("accept", ""):
            response.headers["content-type"] = _NOSTR_JSON
        return response

    async def health(self, request: Request) -> Response:
        """200 where events can be stored, 503 with the reason where they cannot."""
        trouble = self.relay.trouble()
        if trouble:
            return PlainTextResponse(f"events cannot be stored: {trouble}", 503)
        return PlainTextResponse("ok")

    # -- HTTP bridge --------------------------------------------------------------

    async def post_event(self, request: Request) -> Response:
        """Submit one event."""
        try:
            body, pubkey = await self._authenticated(request)
        except (Unauthenticated, _TurnedAway) as error:
            return self._turned_away(error)
        if (too_soon := self._too_soon("EVENT", request, pubkey)) is not None:
            return too_soon
        done: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def answer(reply: Reply) -> None:
            if not done.done():
                done.set_result(reply)

        self.bridge.events(body, pubkey, answer)
        return self._response(await done)

    async def post_query(self, request: Request) -> Response:
        """Run filters."""
        return await self._read("REQ", request, self.bridge.query)

    async def post_count(self, request: Request) -> Response:
        """Count what filters match."""
        return await self._read("COUNT", request, self.bridge.count)

    async def _read(
        self, verb: str, request: Request, answer: Callable[[bytes, str], Reply]
    ) -> Response:
        try:
            body, pubkey = await self._authenticated(request)
        except (Unauthenticated, _TurnedAway) as error:
            return self._turned_away(error)
        if (too_soon := self._too_soon(verb, request, pubkey)) is not None:
            return too_soon
        return self._response(answer(body, pubkey))

    def _response(self, reply: Reply) -> Response:
        return Response(reply.text, reply.status, media_type=self.relay.policy.type_of_answers())

    def _too_soon(self, verb: str, request: Request, pubkey: str) -> Response | None:
        """The answer to a request for which a quota leaves no room; None where there is room."""
        address = _address(request)
        who = {CONNECTION: request.client, ADDRESS: address, KEY: pubkey}
        wait = self.relay.turnstile.wait(verb, who, time.monotonic())
        if not wait:
            return None
        manners = self.relay.policy.manners
        return _response(Reply.of({"error": manners.words(wait)}, manners.http_status))

    def _turned_away(self, error: Unauthenticated | _TurnedAway) -> Response:
        if isinstance(error, _TurnedAway):
            return PlainTextResponse(str(error), error.status, {"connection": "close"})
        return _response(Reply.of({"error": str(error)}, self.relay.policy.http_answers_nobody()))

    async def _authenticated(self, request: Request) -> tuple[bytes, str]:
        """The body and the sender's key. Raises Unauthenticated or _TurnedAway."""
        try:
            async with asyncio.timeout(self.relay.policy.body_seconds):
                body = await self._body(request)
        except TimeoutError:
            raise _TurnedAway("the body did not come in time", 408) from None
        except ClientDisconnect:
            raise _TurnedAway("the body did not come whole", 400) from None
        self.relay.interceptor.posted(request.url.path, request.headers, body)
        pubkey = self.relay.doorkeeper.pubkey(
            header=request.headers.get("authorization", ""),
            x_pubkey=request.headers.get("x-pubkey", ""),
            url=self.own.http(request),
            method=request.method,
            body=body,
        )
        return body, pubkey

    async def _body(self, request: Request) -> bytes:
        policy = self.relay.policy
        chunks, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > policy.body_limit:
                raise _TurnedAway("body too large", policy.http_answers_large_body())
            chunks.append(chunk)
        return b"".join(chunks)


def _response(reply: Reply) -> Response:
    return Response(reply.text, reply.status, media_type="application/json")


def _address(client: HTTPConnection) -> str:
    return client.client.host if client.client is not None else ""


async def _read(socket: WebSocket, session: Session, idle_seconds: float) -> None:
    """Hand over what comes. Raises HangUp after a silence, where the relay minds silence."""
    while True:
        await session.ready_to_read()
        message = await (_soon(socket, idle_seconds) if idle_seconds else socket.receive())
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None:
            text = _text_of_binary(message.get("bytes") or b"")
        session.receive(text)


async def _soon(socket: WebSocket, seconds: float) -> Message:
    try:
        async with asyncio.timeout(seconds):
            return await socket.receive()
    except TimeoutError:
        raise HangUp("the connection was idle") from None


def _text_of_binary(data: bytes) -> str:
    """A binary frame that holds UTF-8 is treated as text; other bytes fail to parse."""
    return data.decode("utf-8", errors="replace")


def _is_disconnect(reason: BaseException) -> bool:
    return isinstance(reason, (WebSocketDisconnect, asyncio.CancelledError, OSError))


def application(relays: dict[str, Relay], own: OwnUrl, *, any_page: bool = False) -> Starlette:
    """One ASGI application; the relay named "" is at the root, others under /name.

    `any_page` lets pages of every origin use every door (CORS).
    """
    routes: list[BaseRoute] = []
    for name, relay in relays.items():
        if name:
            routes.append(Mount(f"/{name}", routes=Doors(relay, own).routes()))
        else:
            routes += Doors(relay, own).routes()

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> Any:
        yield
        for relay in relays.values():
            relay.close()

    cors = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    return Starlette(routes=routes, middleware=[cors] if any_page else [], lifespan=lifespan)
