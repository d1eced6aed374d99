"""The bundled relay behind a habit: what it hears and says passes through, changed or not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket

import uvicorn

from nip_ap_relay.app import application
from nip_ap_relay.http_protocol import BoundedProtocol
from nip_ap_relay.manners import MANNERS
from nip_ap_relay.own_url import DIALLED
from nip_ap_relay.policy import NOVEMBER, Policy
from nip_ap_relay.relay import Relay
from nip_ap_relay.store import Store

_GONE = (RuntimeError, OSError)


class Talk:
    """One WebSocket connection, as a habit sees it."""

    def __init__(self, send):
        self._send = send
        self._ahead = asyncio.Lock()
        self.memory = {}
        """What a habit remembers of it."""
        self.tasks = set()

    async def say(self, *frames):
        """Send frames; a connection that is gone hears nothing."""
        async with self._ahead:
            for frame in frames:
                text = frame if isinstance(frame, str) else json.dumps(frame)
                with contextlib.suppress(*_GONE):
                    await self._send({"type": "websocket.send", "text": text})

    async def end(self, code, reason):
        """Close it."""
        with contextlib.suppress(*_GONE):
            await self._send({"type": "websocket.close", "code": code, "reason": reason})

    def later(self, seconds, what):
        """Do something after a while, unless the connection is gone by then."""

        async def wait():
            await asyncio.sleep(seconds)
            await what()

        task = asyncio.create_task(wait())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Habit:
    """The plain relay; each habit changes something. The docstring says what, and why it may."""

    is_open = False
    """Whether it goes without authentication."""
    takes_posts = True
    """Whether it has doors over HTTP beside NIP-11."""
    path = ""
    compresses = False
    pings_every = None

    def instruct(self, policy):
        """Change a number of the relay itself."""

    async def connected(self, talk):
        """Do something before the first frame."""

    async def hears(self, talk, frame):
        """Frames in answer to a frame that the relay then does not hear; None lets it hear it."""
        return

    async def says(self, talk, frame):
        """What goes out in place of a frame of the relay."""
        return [frame]

    def information(self, document):
        """The NIP-11 document, changed; None where there is none."""
        return document

    def http(self, method, headers):
        """The status with which HTTP is turned away; None lets it in."""
        return 404 if method == "POST" and not self.takes_posts else None

    def headers(self):
        """Header lines that every HTTP answer gets."""
        return []


class Habitual:
    """An ASGI application around the relay's, which has the habit."""

    def __init__(self, inner, habit):
        self._inner = inner
        self._habit = habit

    async def __call__(self, scope, receive, send):
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _websocket(self, scope, receive, send):
        talk, habit = Talk(send), self._habit

        async def hear():
            while True:
                message = await receive()
                frame = _parsed(message.get("text"))
                if message["type"] != "websocket.receive" or frame is None:
                    return message
                answer = await habit.hears(talk, frame)
                if answer is None:
                    return message
                await talk.say(*answer)

        async def speak(message):
            if message["type"] == "websocket.accept":
                await send(message)
                await habit.connected(talk)
            elif message["type"] == "websocket.send" and message.get("text"):
                await talk.say(*await habit.says(talk, json.loads(message["text"])))
            else:
                await send(message)

        try:
            await self._inner(scope, hear, speak)
        finally:
            for task in talk.tasks:
                task.cancel()

    async def _http(self, scope, receive, send):
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status = self._habit.http(scope["method"], headers)
        if status is not None:
            await _answer(send, status, b"nothing of the kind here", "text/plain", self._habit)
        elif scope["method"] == "GET" and "nostr+json" in headers.get("accept", ""):
            await self._information(scope, receive, send)
        else:
            await self._inner(scope, receive, self._with_headers(send))

    def _with_headers(self, send):
        async def speak(message):
            if message["type"] == "http.response.start":
                message = message | {"headers": [*message["headers"], *self._habit.headers()]}
            await send(message)

        return speak

    async def _information(self, scope, receive, send):
        body = b""

        async def take(message):
            nonlocal body
            body += message.get("body", b"")

        await self._inner(scope, receive, take)
        document = self._habit.information(json.loads(body))
        if document is None:
            await _answer(send, 404, b"not found", "text/plain", self._habit)
            return
        text = json.dumps(document).encode()
        await _answer(send, 200, text, "application/nostr+json", self._habit)


async def _answer(send, status, body, kind, habit):
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-headers", b"*"),
        (b"access-control-allow-methods", b"GET"),
        *habit.headers(),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _parsed(text):
    """A frame that is one; None for everything else, which is left to the relay."""
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    good = isinstance(frame, list) and frame and isinstance(frame[0], str)
    return frame if good else None


def serve(habit, port, file):
    """Serve on a port until killed, out of a file that outlives it."""
    policy = Policy(NOVEMBER)
    policy.auth_to_read = policy.auth_to_write = not habit.is_open
    MANNERS["plain"].instruct(policy)
    habit.instruct(policy)
    relay = Relay(policy, Store(file), {})
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    inner = application({habit.path.strip("/"): relay}, DIALLED)
    config = uvicorn.Config(
        Habitual(inner, habit),
        http=BoundedProtocol,
        ws="websockets-sansio",
        ws_max_size=4 * policy.frame_limit,
        ws_per_message_deflate=habit.compresses,
        ws_ping_interval=habit.pings_every,
        log_level="error",
        timeout_graceful_shutdown=2,
    )
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
