"""PUT /media/upload, GET and HEAD /media/<sha256>.<ending>: Blossom, as the real relay has it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO
from urllib.parse import urlsplit

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from nip_ap.nostr import Event, MalformedEvent
from nip_ap_relay.media_rules import Upload
from nip_ap_relay.media_store import Blob, NoRoom
from nip_ap_relay.media_types import PICTURES, SNIFFED, MediaType, size_of_picture
from nip_ap_relay.own_url import OwnUrl
from nip_ap_relay.relay import Relay

_IN_MEMORY = 1024 * 1024
"""Bytes of a body that is on its way and not yet in a file."""
_LONGEST_HEADER = 16_384
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_NAME = re.compile(r"([0-9a-f]{64})(\.[a-z0-9]{1,8})?\Z")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")


class _Refused(Exception):
    """An upload that is not taken; the message is told with the status."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True)
class _Received:
    """A body that came in whole."""

    file: IO[bytes]
    size: int
    sha256: str
    kind: MediaType


@dataclass(frozen=True)
class MediaDoors:
    """The routes of media of one relay."""

    relay: Relay
    own: OwnUrl

    def routes(self) -> list[Route]:
        return [
            Route("/media/upload", self.upload, methods=["PUT"]),
            Route("/media/{name}", self.serve, methods=["GET", "HEAD"]),
        ]

    # -- uploading -------------------------------------------------------------

    async def upload(self, request: Request) -> Response:
        """Take a body in, if its authorization names what it is."""
        try:
            promised = self._promised(request)
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
                received = await self._received(request, file)
                if not self.relay.policy.body_has_the_hash(promised, received.sha256):
                    raise _Refused(401, "authentication failed")
                return self._kept(request, received)
        except _Refused as refused:
            return _json({"error": str(refused)}, refused.status)
        except ClientDisconnect:
            return _json({"error": "the body was not sent to its end"}, 400)

    def _promised(self, request: Request) -> str:
        """The SHA-256 that the request authorizes, before a byte of the body is read."""
        sha256 = request.headers.get("x-sha-256", "")
        event = _authorization(request.headers.get("authorization", ""))
        policy = self.relay.policy
        upload = event and Upload(event, sha256, self._host(request), policy.now())
        if not upload or not _SHA256.match(sha256) or not policy.upload_is_authorized(upload):
            raise _Refused(401, "authentication failed")
        return sha256

    async def _received(self, request: Request, file: IO[bytes]) -> _Received:
        """The body, in a file where it is long. Stops where it is more than its type may have."""
        policy = self.relay.policy
        said = request.headers.get("content-type", "")
        hashed, size, beginning = hashlib.sha256(), 0, b""
        kind = policy.type_of_upload(b"", said)
        async for chunk in request.stream():
            if len(beginning) < SNIFFED:
                beginning = (beginning + chunk)[:SNIFFED]
                kind = policy.type_of_upload(beginning, said)
            size += len(chunk)
            if not policy.upload_fits(size, kind):
                raise _Refused(413, f"{kind.mime} of more than {kind.limit} bytes is not taken")
            hashed.update(chunk)
            file.write(chunk)
        return _Received(file, size, hashed.hexdigest(), kind)

    def _kept(self, request: Request, received: _Received) -> Response:
        policy, media = self.relay.policy, self.relay.store.media
        if (known := media.get(received.sha256)) is not None:
            return _json(policy.description_of(known), policy.status_of_known_upload())
        kind = received.kind
        if not policy.takes_type(kind):
            raise _Refused(415, f"{kind.mime} is not taken")
        blob = Blob(
            received.sha256,
            received.size,
            kind.mime,
            kind.ending,
            f"{self._base(request)}/media/{received.sha256}.{kind.ending}",
            policy.now(),
            kind.is_inline,
            self._dimensions(received),
        )
        try:
            kept = media.put(blob, lambda: _whole(received.file))
            return _json(policy.description_of(kept))
        except NoRoom:
            raise _Refused(413, "there is no room for more media") from None

    def _base(self, request: Request) -> str:
        """The relay's own HTTP URL, whatever the request calls it."""
        return self.own.http(request).partition("?")[0].removesuffix("/media/upload")

    def _host(self, request: Request) -> str:
        return urlsplit(self._base(request)).hostname or ""

    def _dimensions(self, received: _Received) -> str:
        """Of a picture, as 640x480; empty for what is none."""
        if received.kind.mime not in PICTURES:
            return ""
        measured = size_of_picture(_whole(received.file), received.kind)
        if measured is None:
            if self.relay.policy.takes_broken_pictures():
                return ""
            raise _Refused(400, f"this is not a whole {received.kind.mime}")
        return f"{measured[0]}x{measured[1]}"

    # -- serving ---------------------------------------------------------------

    async def serve(self, request: Request) -> Response:
        """A blob by its hash, whole or a range of it."""
        policy = self.relay.policy
        named = _NAME.match(request.path_params["name"])
        blob = self.relay.store.media.get(named[1]) if named else None
        if blob is None or (named and named[2] and named[2] != f".{blob.ending}"):
            return _json({"error": "not found"}, policy.status_of_unknown_media())
        if request.method == "HEAD":
            return self._head(blob)
        return self._part(blob, request.headers.get("range", ""))

    def _head(self, blob: Blob) -> Response:
        if not self.relay.policy.answers_head():
            return Response(status_code=405)
        headers = {**self.relay.policy.media_headers(blob), "content-length": str(blob.size)}
        return Response(status_code=200, headers=headers)

    def _part(self, blob: Blob, asked: str) -> Response:
        policy = self.relay.policy
        headers = dict(policy.media_headers(blob))
        wanted = _RANGE.match(asked) if policy.serves_ranges() else None
        if wanted is None or not (wanted[1] or wanted[2]):
            return Response(self.relay.store.media.content(blob), 200, headers)
        first, last = _bounds(wanted[1], wanted[2], blob.size)
        if first > last:
            beyond = {"content-range": f"bytes */{blob.size}"}
            return Response(b"", policy.status_of_range_beyond(), beyond)
        headers["content-range"] = f"bytes {first}-{last}/{blob.size}"
        content = self.relay.store.media.content(blob)[first : policy.end_of_range(last)]
        return Response(content, 206, headers)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """The first and the last byte of a range; the first is larger where there is none."""
    if not first:
        wanted = int(last)
        return (size - min(wanted, size), size - 1) if wanted else (size, size - 1)
    end = min(int(last), size - 1) if last else size - 1
    return (int(first), end) if int(first) <= end else (size, size - 1)


def _authorization(header: str) -> Event | None:
    """The event of an Authorization header; None where it holds none."""
    scheme, _, encoded = header.partition(" ")
    if scheme != "Nostr" or len(encoded) > _LONGEST_HEADER:
        return None
    plain = encoded.strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        raw = base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
        return Event.from_json(orjson.loads(raw))
    except (binascii.Error, ValueError, MalformedEvent):
        return None


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _json(value: Mapping[str, object], status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
