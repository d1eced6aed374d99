"""The doors: WebSocket, NIP-11, POST /events, /query and /count, as one ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from nip_ap.nostr import Event, Filter, MalformedEvent
from nip_ap_relay import policy as rules
from nip_ap_relay.auth import Unauthenticated
from nip_ap_relay.couriers import HangUp
from nip_ap_relay.protocol import Complaint, parse_filter, parse_json
from nip_ap_relay.relay import Relay
from nip_ap_relay.session import Session
from nip_ap_relay.windows import ThreadReads

_NOSTR_JSON = "application/nostr+json"


class Json(Response):
    """A JSON body by orjson."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


class _TooLarge(Exception):
    """A body over the limit."""


class Doors:
    """The routes of one relay."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay

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
        response = Json(document)
        if _NOSTR_JSON in request.headers.get("accept", ""):
            response.headers["content-type"] = _NOSTR_JSON
        return response

    async def health(self, request: Request) -> Response:
        return PlainTextResponse("ok")

    # -- HTTP bridge -----------------------------------------------------------

    async def post_event(self, request: Request) -> Response:
        """Submit one event: 200 with the OK's text, or 4xx with the refusal's (facts 1.3)."""
        try:
            body, pubkey = await self._authenticated(request)
        except Unauthenticated as error:
            return Json({"error": str(error)}, 401)
        except _TooLarge:
            return PlainTextResponse("body too large", 413)
        try:
            event = Event.from_json(parse_json(body))
        except (Complaint, MalformedEvent) as error:
            status = self.relay.policy.http_answers_bad_json()
            return Json({"error": f"invalid event JSON: {error}"}, status)
        done: asyncio.Future[tuple[bool, str]] = asyncio.get_running_loop().create_future()

        def answer(accepted: bool, message: str) -> None:
            if not done.done():
                done.set_result((accepted, message))

        self.relay.submit(event, self.relay.caller(pubkey), answer)
        accepted, message = await done
        if not accepted and not message.startswith("duplicate:"):
            return Json({"error": message}, self.relay.policy.http_status(message))
        return Json({"event_id": event.id, "accepted": accepted, "message": message})

    async def post_query(self, request: Request) -> Response:
        """An array of filters: a bare array of events (facts 1.4)."""
        return await self._read(request, self._query)

    async def post_count(self, request: Request) -> Response:
        """An array of filters: {"count": n} (facts 1.5)."""
        return await self._read(request, self._count)

    async def _read(self, request: Request, answer: Any) -> Response:
        try:
            body, pubkey = await self._authenticated(request)
        except Unauthenticated as error:
            return Json({"error": str(error)}, 401)
        except _TooLarge:
            return PlainTextResponse("body too large", 413)
        policy = self.relay.policy
        try:
            filters = _filters(body)
            if policy.mixes_search(filters):
                raise Complaint("mixed search and non-search filters not supported")
            refusal = policy.read_refusal(
                [one for one in filters if not one.tags.get("h")],
                self.relay.caller(pubkey),
                self.relay.store,
            )
            if refusal is not None:
                return Json({"error": refusal}, 403)
            response: Response = answer(filters, pubkey)
            return response
        except Complaint as error:
            return Json({"error": f"invalid filters: {error}"}, policy.http_answers_bad_json())

    def _query(self, filters: list[Filter], pubkey: str) -> Response:
        query = self.relay.query(pubkey)
        threads = ThreadReads(self.relay, query)
        texts = [text for one in filters if threads.answers(one) for text in threads.read(one)]
        ordinary = [one for one in filters if not threads.answers(one)]
        if ordinary:
            rows = query.rows(ordinary, rules.HTTP_QUERY)
            texts += [self.relay.policy.as_served(row.raw) for row in rows]
        return Response(f"[{','.join(texts)}]", media_type="application/json")

    def _count(self, filters: list[Filter], pubkey: str) -> Response:
        return Json({"count": self.relay.query(pubkey).count(filters, rules.HTTP_COUNT)})

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
        pubkey = self.relay.doorkeeper.pubkey(
            header=request.headers.get("authorization", ""),
            x_pubkey=request.headers.get("x-pubkey", ""),
            url=str(request.url),
            method=request.method,
            body=body,
        )
        return body, pubkey


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


def _filters(body: bytes) -> list[Filter]:
    value = parse_json(body)
    if not isinstance(value, list):
        raise Complaint("expected a JSON array of filters")
    return [parse_filter(one) for one in value]


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
