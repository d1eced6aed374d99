"""How the tests of this folder talk to a relay."""

from __future__ import annotations

import time

import httpx
import orjson

from nip_ap.model.greeting import CHALLENGING, SILENT
from nip_ap.nostr import SecretKey, http_auth_event, http_auth_header
from nip_ap.wire import Transcript, WebSocketDoor


def door_to(url: str, key: SecretKey | None = None, *, challenge: bool = True) -> WebSocketDoor:
    """A connection, authenticated where there is a key and the relay challenges."""
    return WebSocketDoor(
        url,
        who="test",
        key=key,
        transcript=Transcript(),
        now=lambda: int(time.time()),
        answer_limit=5,
        greeting=CHALLENGING if challenge else SILENT,
    )


class Bridge:
    """The HTTP side, one request at a time, with any headers and bodies."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.client = httpx.Client(trust_env=False, timeout=10)

    def post(self, path, value, key=None, *, headers=None):
        """POST a value as JSON, or bytes as they are; a key authenticates by NIP-98."""
        body = value if isinstance(value, bytes) else orjson.dumps(value)
        signed = {} if key is None else self.nip98(key, path, body)
        return self.client.post(self.base + path, content=body, headers=signed | (headers or {}))

    def nip98(self, key, path, body, *, method="POST", at=None, url=None, signed_body=None):
        """The headers of a NIP-98 request."""
        event = http_auth_event(
            key,
            url=url or self.base + path,
            method=method,
            body=body if signed_body is None else signed_body,
            at=int(time.time()) if at is None else at,
            nonce=SecretKey.fresh().pubkey[:8],
        )
        return {"Authorization": http_auth_header(event)}
