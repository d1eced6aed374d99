"""The relay's own URL, to which NIP-42 and NIP-98 bind an authentication.

A client can put any name into its Host header, and so can whoever passes a client's answer on from
another relay. What the relay is called is therefore settled here: by `--url`, else by the address
at which a connection arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

_WEBSOCKET = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_HTTP = {"ws": "http", "wss": "https"}
_DEFAULT_PORT = {"ws": 80, "http": 80, "wss": 443, "https": 443}
_LOOPBACK = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}


def same_place(url: str) -> str:
    """A URL in the form in which two of them are compared: loopback names and slashes evened out.

    Raises ValueError where it is not the plain URL of a place: with spaces or control characters,
    which a parser would drop, with a user's name, a fragment or an empty query.
    """
    if any(character <= " " or character == "\x7f" for character in url):
        raise ValueError("a URL has no spaces or control characters")
    parts = urlsplit(url)
    if "@" in parts.netloc or "#" in url or ("?" in url and not parts.query):
        raise ValueError("a user's name, a fragment or an empty query is not part of a place")
    host = parts.hostname or ""
    port = parts.port or _DEFAULT_PORT.get(parts.scheme, 443)
    place = f"{parts.scheme}://{_LOOPBACK.get(host, host)}:{port}{parts.path.rstrip('/')}"
    return f"{place}?{parts.query}" if parts.query else place


def url_of(host: str, port: int) -> str:
    """The WebSocket URL of an address; an IPv6 address gets its brackets."""
    return f"ws://[{host}]:{port}" if ":" in host else f"ws://{host}:{port}"


@dataclass(frozen=True)
class OwnUrl:
    """What a relay is called.

    `base` is a WebSocket URL without a path of its own; where it is empty, the address at which
    each connection arrived. `trusts_host` believes the Host header instead.
    """

    base: str = ""
    trusts_host: bool = False

    @classmethod
    def given(cls, text: str) -> OwnUrl:
        """The URL of `--url`. Raises ValueError, with a sentence."""
        try:
            parts = urlsplit(same_place(text))
        except ValueError as error:
            raise ValueError(f"{text!r} is not the URL of a relay: {error}") from None
        if parts.scheme not in _HTTP or not parts.hostname or parts.query:
            raise ValueError(f"{text!r} is not the URL of a relay, such as wss://relay.example")
        return cls(text.rstrip("/"))

    def websocket(self, connection: HTTPConnection) -> str:
        """The URL of the door that a connection knocked at, for NIP-42."""
        if self.trusts_host:
            url = connection.url
            return str(url.replace(scheme=_WEBSOCKET[url.scheme], query="", fragment=""))
        return self._base(connection) + connection.url.path

    def http(self, connection: HTTPConnection) -> str:
        """The URL of a request with its query, for NIP-98."""
        door = self.websocket(connection)
        scheme, _, rest = door.partition("://")
        query = connection.url.query
        return f"{_HTTP[scheme]}://{rest}" + (f"?{query}" if query else "")

    def _base(self, connection: HTTPConnection) -> str:
        if self.base:
            return self.base
        host, port = connection.scope["server"]
        return url_of(host, port)


DIALLED = OwnUrl()
"""The address at which each connection arrived."""
