"""Blossom authorizations (kind 24242) as values, and the header that carries one."""

from __future__ import annotations

import base64
import hashlib

import orjson

from nip_ap.nostr.event import Draft, Event
from nip_ap.nostr.keys import SecretKey

AUTHORIZATION = 24242
LIFETIME = 300
"""Seconds for which an authorization is made out."""


def upload_authorization(key: SecretKey, body: bytes, *, at: int) -> Event:
    """Lets a key upload this body, for a few minutes from `at`."""
    return Draft(
        AUTHORIZATION,
        at,
        (("t", "upload"), ("x", sha256_of(body)), ("expiration", str(at + LIFETIME))),
        "Upload",
    ).signed_by(key)


def sha256_of(body: bytes) -> str:
    """How a body is called: 64 hex digits."""
    return hashlib.sha256(body).hexdigest()


def authorization_header(event: Event, scheme: str = "Nostr") -> str:
    """The value of the Authorization header: base64 for URLs, without padding."""
    encoded = base64.urlsafe_b64encode(orjson.dumps(event.to_json())).decode().rstrip("=")
    return f"{scheme} {encoded}"
