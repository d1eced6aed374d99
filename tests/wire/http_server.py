"""An HTTP server of raw sockets: what it answers, and how it behaves, is the test's business."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """A request as it came. `connection` counts the connections from 1."""

    connection: int
    line: str
    headers: dict[str, str]
    body: bytes


def http_answer(status=200, body=b"[]", *headers):
    """The bytes of an answer with its length."""
    lines = [f"HTTP/1.1 {status} Text", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class HttpServer:
    """Hands each request to `respond`; sends what that gives, and hangs up where it gives None.

    `respond` may also give a function of the socket, which then does as it likes with it.
    """

    def __init__(self, respond, *, reads_body=True):
        self.requests = []
        self._respond = respond
        self._reads_body = reads_body
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"
        self._connections = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._connections:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                threading.Thread(
                    target=self._serve, args=(connection, len(self._connections)), daemon=True
                ).start()

    def _serve(self, connection, number):
        with contextlib.suppress(OSError, ValueError), connection.makefile("rb") as stream:
            while True:
                line = stream.readline().decode().strip()
                if not line:
                    return
                headers = {}
                while text := stream.readline().decode().strip():
                    name, _, value = text.partition(":")
                    headers[name.lower()] = value.strip()
                length = int(headers.get("content-length", 0)) if self._reads_body else 0
                self.requests.append(Request(number, line, headers, stream.read(length)))
                answer = self._respond(self.requests[-1])
                if callable(answer):
                    answer(connection)
                elif answer is None:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                else:
                    connection.sendall(answer)
