"""HTTP/1.1 requests of one actor, on a connection of that actor alone.

No cookies, no redirects, no proxy. Every request ends: by a deadline for the head of the answer, a
deadline for the whole of it, and a limit for its size, which holds after decompression. A
connection is used again only after an answer that shows that the relay has read the request. h11
knows the protocol; the socket, the time and the sizes are kept here.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import h11

from nip_ap.version import __version__
from nip_ap.wire.answers import (
    Flooded,
    HttpResponse,
    NoAnswer,
    StaleConnection,
    Unreachable,
    WireError,
)

LARGEST_BODY = 16 * 2**20
"""Bytes of an answer that are taken in, compressed or not: many times what any check asks for."""

_AT_ONCE = 65_536
_WINDOW_BITS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
_OWN_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "User-Agent": f"nip-ap-conformance/{__version__}",
}


@dataclass(frozen=True)
class Origin:
    """Where a connection goes."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, parts: SplitResult) -> Origin:
        """The origin of a URL. Raises Unreachable where it names none."""
        scheme = parts.scheme.lower()
        try:
            port = parts.port
        except ValueError as error:
            raise Unreachable(f"{parts.netloc} cannot be connected to: {error}") from error
        if scheme not in ("http", "https") or not parts.hostname:
            raise Unreachable(f"{parts.geturl()} is not the address of an HTTP server")
        return cls(scheme, parts.hostname, port or (443 if scheme == "https" else 80))

    @property
    def host_header(self) -> str:
        """The Host of a request: a port where it is not the scheme's own, brackets for IPv6."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        own = 443 if self.scheme == "https" else 80
        return host if self.port == own else f"{host}:{self.port}"


class HttpConnection:
    """One connection at a time, opened when it is needed."""

    def __init__(self, trust: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> None:
        """`trust` is asked for once a relay speaks TLS."""
        self._trust = trust
        self._socket: socket.socket | None = None
        self._protocol = h11.Connection(h11.CLIENT)
        self._origin: Origin | None = None
        self._heard = 0

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        limit: float,
        fresh: bool = False,
    ) -> HttpResponse:
        """Make a request; `fresh` asks for a new connection.

        The head of the answer has to come within `limit` seconds, the whole of it within twice as
        many. Raises NoAnswer, Unreachable, Flooded, and StaleConnection where a connection that
        was used before ended before a byte of the answer: then the request may be made again.
        """
        parts = urlsplit(url)
        what = f"{method} {parts.path or '/'}"
        is_reused = not fresh and self._is_usable(Origin.of(parts))
        self._heard = 0
        try:
            if not is_reused:
                self._connect(Origin.of(parts), limit)
            response = self._exchange(method, parts, body, headers, limit)
        except TimeoutError as error:
            self.close()
            raise NoAnswer(f"{what} {error}") from error
        except (OSError, EOFError, UnicodeError, h11.ProtocolError) as error:
            self.close()
            if is_reused and not self._heard:
                raise StaleConnection(
                    f"{what}: the connection, which was used before, ended before an answer"
                ) from error
            raise Unreachable(f"{what} failed: {str(error) or type(error).__name__}") from error
        except WireError:
            self.close()
            raise
        self._keep_or_close(response)
        return response

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    # -- the connection ----------------------------------------------------------

    def _is_usable(self, origin: Origin) -> bool:
        """Whether the connection is to there, and nothing came on it since: not even its end."""
        if self._socket is None or self._origin != origin:
            return False
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            return not selector.select(0)

    def _connect(self, origin: Origin, limit: float) -> None:
        self.close()
        try:
            plain = socket.create_connection((origin.host, origin.port), timeout=limit)
        except TimeoutError:
            raise TimeoutError(f"was not made: no connection within {limit:g} s") from None
        self._socket = plain
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if origin.scheme == "https":
            try:
                self._socket = self._trust().wrap_socket(plain, server_hostname=origin.host)
            except TimeoutError:
                raise TimeoutError(f"was not made: no TLS within {limit:g} s") from None
        self._origin = origin
        self._protocol = h11.Connection(h11.CLIENT)

    def _keep_or_close(self, response: HttpResponse) -> None:
        """A refusal may have come before the body was read, and the rest is then in the way."""
        state = self._protocol
        is_over = state.our_state is h11.DONE and state.their_state is h11.DONE
        if is_over and response.status_code < 400 and not state.trailing_data[0]:
            state.start_next_cycle()
        else:
            self.close()

    # -- one request ---------------------------------------------------------------

    def _exchange(
        self,
        method: str,
        parts: SplitResult,
        body: bytes,
        headers: Mapping[str, str],
        limit: float,
    ) -> HttpResponse:
        assert self._origin is not None
        began = time.monotonic()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        own = {"Host": self._origin.host_header, **_OWN_HEADERS}
        if body or method != "GET":
            own["Content-Length"] = str(len(body))
        given = {name.lower() for name in headers}
        sent = [(name, value) for name, value in own.items() if name.lower() not in given]
        request = h11.Request(method=method, target=target, headers=[*sent, *headers.items()])
        data = self._protocol.send(request) or b""
        data += self._protocol.send(h11.Data(data=body)) or b""
        if self._send(data, began + limit):
            self._protocol.send(h11.EndOfMessage())
        return self._answer(began, limit)

    def _send(self, data: bytes, deadline: float) -> bool:
        """Send, as long as nothing comes back; whether all was sent.

        A relay may refuse what is too large before it has read it, and then read no more.
        """
        assert self._socket is not None
        try:
            if len(data) <= _AT_ONCE or isinstance(self._socket, ssl.SSLSocket):
                self._socket.settimeout(_left(deadline, "was not taken"))
                self._socket.sendall(data)
                return True
            return self._send_watching(self._socket, memoryview(data), deadline)
        except TimeoutError:
            raise TimeoutError("was not taken in time") from None
        except OSError:
            return False  # an answer may be there all the same

    @staticmethod
    def _send_watching(connection: socket.socket, data: memoryview, deadline: float) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while data:
                ready = selector.select(_left(deadline, "was not taken"))
                if not ready:
                    raise TimeoutError
                if ready[0][1] & selectors.EVENT_READ:
                    return False
                data = data[connection.send(data[:_AT_ONCE]) :]
        return True

    def _answer(self, began: float, limit: float) -> HttpResponse:
        head: h11.Response | None = None
        pieces: list[bytes] = []
        for event in self._events(began, limit):
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                break
        if head is None:
            raise EOFError("the relay closed the connection without an answer")
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers
        )
        encoding = next((value for name, value in head.headers if name == b"content-encoding"), b"")
        return HttpResponse(
            head.status_code, _decompressed(b"".join(pieces), encoding.strip().lower()), headers
        )

    def _events(self, began: float, limit: float) -> Iterator[h11.Event]:
        assert self._socket is not None
        head_came = False
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                if head_came:
                    self._socket.settimeout(_left(began + 2 * limit, "was not answered in full"))
                else:
                    self._socket.settimeout(_left(began + limit, "was not answered"))
                self._protocol.receive_data(self._more(head_came, limit))
            elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return
            else:
                assert not isinstance(event, type)
                head_came = head_came or isinstance(event, h11.Response)
                yield event

    def _more(self, head_came: bool, limit: float) -> bytes:
        assert self._socket is not None
        try:
            data = self._socket.recv(_AT_ONCE)
        except TimeoutError:
            within = f"in full within {2 * limit:g} s" if head_came else f"within {limit:g} s"
            raise TimeoutError(f"was not answered {within}") from None
        self._heard += len(data)
        if self._heard > LARGEST_BODY + _AT_ONCE:
            raise Flooded(f"the answer to one HTTP request is longer than {LARGEST_BODY} bytes")
        return data


def _left(deadline: float, what: str) -> float:
    """Seconds until a deadline. Raises TimeoutError where it is past."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError(f"{what} in time")
    return left


def _decompressed(data: bytes, encoding: bytes) -> bytes:
    """The content, as far as its encoding is what the relay says; as it came where it is not."""
    if encoding not in _WINDOW_BITS:
        return data
    inflater = zlib.decompressobj(_WINDOW_BITS[encoding])
    try:
        content = inflater.decompress(data, LARGEST_BODY + 1)
    except zlib.error:
        return data
    if len(content) > LARGEST_BODY:
        raise Flooded(f"the answer to one HTTP request inflates to over {LARGEST_BODY} bytes")
    return content
