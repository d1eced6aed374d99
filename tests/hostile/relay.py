"""A small relay on raw sockets that can be told to misbehave at any step.

It stores, replaces and serves just well enough to get past the preflight; a vice overrides the
step at which it misbehaves. It is a program of its own, so that its memory is not the suite's.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import socket
import struct

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Peer:
    """One TCP connection, with the head of the first request that came on it."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.line = ""
        self.headers = {}

    async def read_head(self):
        """Read the head of a request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.line, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}

    @property
    def wants_websocket(self):
        return self.headers.get("upgrade", "").lower() == "websocket"

    async def raw(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def pour(self, data):
        """The same bytes without an end."""
        while True:
            await self.raw(data)

    async def upgrade(self, accept=None, *headers):
        key = self.headers.get("sec-websocket-key", "").encode()
        right = base64.b64encode(hashlib.sha1(key + _MAGIC).digest()).decode()
        lines = [
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {right if accept is None else accept}",
            *headers,
        ]
        await self.raw("\r\n".join([*lines, "", ""]).encode())

    async def http(self, status=200, body=b"", *headers):
        lines = [f"HTTP/1.1 {status} Text", f"Content-Length: {len(body)}", *headers]
        await self.raw("\r\n".join([*lines, "", ""]).encode() + body)

    async def body(self):
        return await self.reader.readexactly(int(self.headers.get("content-length", 0)))

    async def say(self, *message):
        await self.frame(json.dumps(message).encode())

    async def frame(self, data, opcode=TEXT, *, fin=True):
        await self.raw(framed(data, opcode, fin=fin))

    async def messages(self):
        """The texts that come; ends where the connection is closed."""
        whole = b""
        while True:
            first, second = await self.reader.readexactly(2)
            length = second & 127
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            mask = await self.reader.readexactly(4) if second & 128 else bytes(4)
            data = await self.reader.readexactly(length)
            data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
            opcode = first & 15
            if opcode == CLOSE:
                await self.frame(data, CLOSE)
                return
            if opcode == PING:
                await self.frame(data, PONG)
            elif opcode in (TEXT, BINARY, CONTINUATION):
                whole += data
                if first & 128:
                    yield whole.decode("utf-8", "replace")
                    whole = b""

    async def nothing_more(self):
        """Read on and say nothing, until the connection ends."""
        while await self.reader.read(65_536):
            pass

    def reset(self):
        """End the connection with an RST."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.close()


def framed(data, opcode=TEXT, *, fin=True, announced=None):
    """The bytes of a frame; `announced` is a length that need not be true."""
    length = len(data) if announced is None else announced
    head = bytes([(128 if fin else 0) | opcode])
    if length < 126:
        head += bytes([length])
    elif length < 65_536:
        head += struct.pack("!BH", 126, length)
    else:
        head += struct.pack("!BQ", 127, length)
    return head + data


class Relay:
    """A relay that misbehaves nowhere."""

    def __init__(self):
        self.events = {}
        self.subscriptions = {}

    # -- steps that a vice overrides ---------------------------------------------

    async def connect(self, peer):
        """A connection was made; nothing was read."""
        await peer.read_head()
        if peer.wants_websocket:
            await self.websocket(peer)
        else:
            await self.http(peer)

    async def http(self, peer):
        if peer.line.startswith("GET"):
            await self.information(peer)
        else:
            await peer.http(404, b'{"error":"not here"}')

    async def information(self, peer):
        document = {"name": "hostile", "supported_nips": [1, 11]}
        await peer.http(200, json.dumps(document).encode(), "Content-Type: application/nostr+json")

    async def websocket(self, peer):
        await peer.upgrade()
        await self.greet(peer)
        try:
            async for text in peer.messages():
                await self.heard(peer, text)
        finally:
            self.subscriptions.pop(peer, None)

    async def greet(self, peer):
        """Before anything is read."""

    async def heard(self, peer, text):
        try:
            frame = json.loads(text)
            verb = frame[0]
        except (ValueError, LookupError, TypeError, RecursionError):
            await peer.say("NOTICE", "error: not a message")
            return
        if verb == "EVENT":
            await self.event(peer, frame[1])
        elif verb == "REQ":
            await self.req(peer, frame[1], frame[2:])
        elif verb == "CLOSE":
            self.subscriptions.get(peer, {}).pop(frame[1], None)
        else:
            await peer.say("NOTICE", f"error: unknown {verb}")

    async def event(self, peer, event):
        problem = self.problem(event)
        if not problem:
            self.store(event)
        await self.ok(peer, event, not problem, problem)
        if not problem:
            await self.deliver(event)

    async def ok(self, peer, event, accepted, message):
        identifier = event.get("id") if isinstance(event, dict) else ""
        await peer.say("OK", identifier, accepted, message)

    async def deliver(self, event):
        for other, asked in list(self.subscriptions.items()):
            for name, filters in list(asked.items()):
                if any(matches(event, one) for one in filters):
                    with contextlib.suppress(OSError):
                        await other.say("EVENT", name, event)

    async def req(self, peer, name, filters):
        self.subscriptions.setdefault(peer, {})[name] = filters
        for event in self.found(filters):
            await self.send_stored(peer, name, event)
        await self.eose(peer, name)

    async def send_stored(self, peer, name, event):
        await peer.say("EVENT", name, event)

    async def eose(self, peer, name):
        await peer.say("EOSE", name)

    # -- the store -----------------------------------------------------------------

    def problem(self, event):
        try:
            body = [0, event["pubkey"], event["created_at"], event["kind"], event["tags"]]
            text = json.dumps([*body, event["content"]], separators=(",", ":"), ensure_ascii=False)
            right = hashlib.sha256(text.encode()).hexdigest()
        except (LookupError, TypeError, ValueError):
            return "invalid: not an event"
        return "" if right == event["id"] else "invalid: id"

    def store(self, event):
        slug = next((tag[1] for tag in event["tags"] if tag[:1] == ["d"] and tag[1:]), "")
        address = (event["kind"], event["pubkey"], slug)
        key = address if 30_000 <= event["kind"] < 40_000 else event["id"]
        held = self.events.get(key)
        if held is None or (held["created_at"], event["id"]) < (event["created_at"], held["id"]):
            self.events[key] = event

    def found(self, filters):
        newest = sorted(self.events.values(), key=lambda one: (-one["created_at"], one["id"]))
        return [event for event in newest if any(matches(event, one) for one in filters)]


_FIELDS = {"ids": "id", "authors": "pubkey", "kinds": "kind"}


def matches(event, wanted):
    """Whether an event matches a filter (NIP-01)."""
    return all(_fits(event, name, value) for name, value in wanted.items())


def _fits(event, name, value):
    if name in _FIELDS:
        return event[_FIELDS[name]] in value
    if name.startswith("#"):
        return any(tag[0] == name[1:] and tag[1] in value for tag in event["tags"] if tag[1:])
    if name == "since":
        return event["created_at"] >= value
    return name != "until" or event["created_at"] <= value


async def serve(relay, port_known):
    """Serve until cancelled."""

    async def connected(reader, writer):
        with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError, ValueError):
            await relay.connect(Peer(reader, writer))
        with contextlib.suppress(OSError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=8 * 2**20)
    port_known(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()
