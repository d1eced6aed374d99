"""Media as checks use them: bodies of every sort, uploads and what they are answered with."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from nip_ap.checking.actor import Actor
from nip_ap.model.judgement import Inconclusive
from nip_ap.nostr.blossom import authorization_header, sha256_of, upload_authorization
from nip_ap.wire.web import WebResponse

UPLOAD = "/media/upload"


@dataclass(frozen=True)
class Stored:
    """A body that was uploaded, and the object that answered."""

    body: bytes
    said: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Of the body, as it was sent."""
        return sha256_of(self.body)

    @property
    def path(self) -> str:
        """Where it is served, from the relay's own root on."""
        path = urlsplit(str(self.said.get("url"))).path
        return path[max(0, path.rfind("/media/")) :]

    def imeta(self, **changes: str | None) -> tuple[str, ...]:
        """The tag that goes with it; a change to None leaves a key out."""
        fields: dict[str, str | None] = {
            "url": str(self.said.get("url")),
            "m": str(self.said.get("type")),
            "x": self.sha256,
            "size": str(len(self.body)),
            **changes,
        }
        return ("imeta", *(f"{key} {value}" for key, value in fields.items() if value is not None))


def headers_for(actor: Actor, body: bytes, **more: str) -> dict[str, str]:
    """The headers of a right upload; `more` are others, with _ for -."""
    event = upload_authorization(actor.key, body, at=actor.now())
    return {
        "Authorization": authorization_header(event),
        "X-SHA-256": sha256_of(body),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def sent(actor: Actor, body: bytes, headers: Mapping[str, str] | None = None) -> WebResponse:
    """The answer to an upload; with the headers of a right one where none are given."""
    given = headers_for(actor, body) if headers is None else headers
    return actor.http.fetch("PUT", UPLOAD, body=body, headers=given)


def uploaded(actor: Actor, body: bytes, **headers: str) -> Stored:
    """Upload a body that the check builds on. Raises Inconclusive where it is not taken."""
    response = sent(actor, body, headers_for(actor, body, **headers))
    said = response.json()
    if response.status != 200 or not isinstance(said, dict):
        raise Inconclusive(f"an upload was not taken: HTTP {response.status} {response.text[:200]}")
    return Stored(body, said)


def fetched(actor: Actor, path: str, method: str = "GET", **headers: str) -> WebResponse:
    """What is served at a path."""
    return actor.http.fetch(method, path, headers=headers)


def png(mark: str, width: int = 3, height: int = 2) -> bytes:
    """A small picture; another one for another mark."""
    pixel = sha256_of(mark.encode())
    row = b"\0" + bytes.fromhex(pixel[:6]) * width
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            _chunk(b"tEXt", b"Comment\0" + mark.encode()),
            _chunk(b"IDAT", zlib.compress(row * height)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pdf(mark: str) -> bytes:
    """The smallest of documents."""
    catalog = "1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>"
    return f"%PDF-1.4\n%{mark}\n{catalog}\n%%EOF\n".encode()


def unknown(mark: str) -> bytes:
    """Bytes of no known type."""
    return b"\x01\x02\x03\x04" + bytes.fromhex(sha256_of(mark.encode())) * 8


def declared_svg(mark: str) -> bytes:
    """A drawing with a script, behind an XML declaration."""
    return f'<?xml version="1.0"?>\n{bare_svg(mark).decode()}'.encode()


def bare_svg(mark: str) -> bytes:
    """A drawing with a script."""
    drawing = f"<script>/*{mark}*/alert(1)</script>"
    return f'<svg xmlns="http://www.w3.org/2000/svg">{drawing}</svg>'.encode()


def page(mark: str) -> bytes:
    """A page with a script."""
    return f"<!DOCTYPE html><html><body><script>/*{mark}*/alert(1)</script></body></html>".encode()


def program(mark: str) -> bytes:
    """The beginning of a program."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + mark.encode()


def large_gif(size: int) -> bytes:
    """The header of a small picture, and bytes up to a size."""
    return b"GIF89a\x01\x00\x01\x00\x00\x00\x00".ljust(size - 1, b"\0") + b";"
