"""The answer to any HTTP request beyond the three of the bridge, in a form that a transcript holds.

Bodies may be long and no text: they stand by their size and digest, and short texts as they are.
Headers are part of it, without those that differ from one answer to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from nip_ap.wire.answers import HttpResponse

_LONGEST_TEXT = 4_000
_PASSING = frozenset(("date", "server", "connection", "keep-alive"))


@dataclass(frozen=True)
class WebResponse:
    """A status, headers by lower-case name, and the body's size, SHA-256 and text.

    The text is empty where the body is long or not UTF-8.
    """

    status: int
    headers: Mapping[str, str]
    size: int
    sha256: str
    text: str = ""

    @classmethod
    def of(cls, response: HttpResponse) -> WebResponse:
        """What came over the network."""
        headers = {
            name.lower(): value for name, value in response.headers if name.lower() not in _PASSING
        }
        content = response.content
        return cls(
            response.status_code, headers, len(content), digest(content), short_text(content)
        )

    def as_text(self) -> str:
        """For a transcript, without the status."""
        shown = {
            "headers": dict(self.headers),
            "size": self.size,
            "sha256": self.sha256,
            "text": self.text,
        }
        return orjson.dumps(shown).decode()

    @classmethod
    def from_text(cls, status: int, text: str) -> WebResponse:
        """What `as_text` gave."""
        return cls(status, **orjson.loads(text))

    def header(self, name: str) -> str:
        """The value of a header; empty where there is none."""
        return self.headers.get(name.lower(), "")

    def json(self) -> Any:
        """The body as a JSON value; None where it is not JSON."""
        try:
            return orjson.loads(self.text)
        except orjson.JSONDecodeError:
            return None


def digest(content: bytes) -> str:
    """The SHA-256 of a body, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def short_text(content: bytes) -> str:
    """A body as text, where it is short and UTF-8; else nothing."""
    try:
        return content.decode() if len(content) <= _LONGEST_TEXT else ""
    except UnicodeDecodeError:
        return ""


def shown_body(content: bytes) -> str:
    """A body that is sent, for a transcript."""
    if not content:
        return ""
    return f" ({len(content)} bytes, SHA-256 {digest(content)})"
