"""Authentication events: NIP-42 for WebSocket, NIP-98 for HTTP."""

from __future__ import annotations

import base64
import hashlib

import orjson

from nip_ap.nostr.event import Draft, Event
from nip_ap.nostr.keys import SecretKey

RELAY_AUTH = 22242
HTTP_AUTH = 27235


def relay_auth_event(key: SecretKey, *, challenge: str, relay: str, at: int) -> Event:
    """The answer to a NIP-42 challenge, for the relay URL that was dialled."""
    tags = (("relay", relay), ("challenge", challenge))
    return Draft(RELAY_AUTH, at, tags).signed_by(key)


def http_auth_event(
    key: SecretKey, *, url: str, method: str, body: bytes, at: int, nonce: str = ""
) -> Event:
    """A NIP-98 event bound to URL, method and body.

    The nonce keeps two equal requests of one second apart, which replay caches would refuse
    (docs/real-relay.md 2).
    """
    tags = (
        ("u", url),
        ("method", method),
        ("payload", hashlib.sha256(body).hexdigest()),
        *((("nonce", nonce),) if nonce else ()),
    )
    return Draft(HTTP_AUTH, at, tags).signed_by(key)


def http_auth_header(event: Event) -> str:
    """The value of the Authorization header that carries a NIP-98 event."""
    return "Nostr " + base64.b64encode(orjson.dumps(event.to_json())).decode()
