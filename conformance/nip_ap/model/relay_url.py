"""The URL of a relay as a value: read once, in one spelling, and the HTTP address made from it.

Two spellings of one relay are one value; what cannot be spoken to is refused with a sentence.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import SplitResult, quote, urlsplit

_PORTS = {"ws": 80, "wss": 443}
_HTTP = {"ws": "http", "wss": "https"}
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST_NAME = 253
_PATH = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True)
class RelayUrl:
    """Scheme, host in lower case (an IPv6 address without brackets), port, and the path as given.

    The path "/" is none: both open the same door.
    """

    scheme: str
    host: str
    port: int
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> RelayUrl:
        """The URL in a text; spaces around it do not count. Raises ValueError, with a sentence."""
        given = text.strip()
        if re.search(r"[\x00-\x20\x7f\ud800-\udfff]", given):
            _refuse(text, "it has a space, or a character that is no text, in it")
        try:
            parts = urlsplit(given)
            port = parts.port
        except ValueError as error:
            _refuse(text, _port_or_host(given, str(error)))
        scheme = parts.scheme.lower()
        if scheme not in _PORTS:
            _refuse(text, "it has to begin with ws:// or wss://")
        if parts.username is not None or parts.password is not None:
            raise ValueError("a relay URL must not hold a user name or password")
        for name, part in (("a query", parts.query), ("a fragment", parts.fragment)):
            if part:
                _refuse(text, f"it must not have {name}: no door of a relay takes one")
        if port == 0:
            _refuse(text, "port 0 is nowhere")
        path = "" if parts.path == "/" else quote(parts.path, safe=_PATH)
        return cls(scheme, _host(text, parts), port or _PORTS[scheme], path)

    @property
    def place(self) -> str:
        """Host and port, the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}{self.path}"

    @property
    def http(self) -> str:
        """The HTTP address of the same place."""
        return f"{_HTTP[self.scheme]}://{self.place}{self.path}"

    @property
    def is_loopback(self) -> bool:
        """Whether it leads to this machine."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def _refuse(text: str, why: str) -> NoReturn:
    # What stands before an @ may be a password.
    shown = re.sub(r"//[^/]*@", "//...@", text)
    raise ValueError(f"{shown!a} is not the URL of a relay: {why}")


def _port_or_host(given: str, said: str) -> str:
    if "port" in said.lower() and ("[" in given or given.count(":") == 2):
        return "the port has to be a number from 1 to 65535"
    return "an IPv6 address stands in brackets, as in ws://[::1]:7175"


def _host(text: str, parts: SplitResult) -> str:
    try:
        host = (parts.hostname or "").encode("idna").decode().lower()
    except UnicodeError:
        _refuse(text, "its host name cannot be one of the DNS")
    if not host:
        _refuse(text, "it names no host")
    if ":" in host:
        return _ipv6(text, host)
    if _NUMBER.fullmatch(host.rpartition(".")[2]):  # 127.1 leads where 127.0.0.1 does
        try:
            return socket.inet_ntoa(socket.inet_aton(host))
        except OSError:
            _refuse(text, f"{host} is not an IPv4 address")
    labels = host.removesuffix(".").split(".")
    if len(host) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        _refuse(text, f"{host!a} is not a host name")
    return host


def _ipv6(text: str, host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        _refuse(text, "an IPv6 address stands in brackets, as in ws://[::1]:7175")
    if address.scope_id:
        _refuse(text, "an IPv6 address with a zone cannot be written in a URL")
    return address.compressed


def relay_url(text: str) -> str:
    """The one spelling of a relay's URL. Raises ValueError, with a sentence."""
    return str(RelayUrl.parse(text))
