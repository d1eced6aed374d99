"""Who is there: NIP-42 answers on WebSocket, NIP-98 headers and X-Pubkey on HTTP."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass, field

import orjson

from nip_ap.nostr import Event, MalformedEvent
from nip_ap.nostr.auth import HTTP_AUTH
from nip_ap_relay.own_url import same_place
from nip_ap_relay.policy import Policy

_PUBKEY = re.compile(r"[0-9a-fA-F]{64}\Z")


class Unauthenticated(Exception):
    """An HTTP request whose sender is not known; the message is the answer's text."""


def answers_challenge(policy: Policy, event: Event, *, challenge: str, url: str) -> bool:
    """Whether an AUTH event proves a key to this connection (NIP-42)."""
    try:
        relay = same_place(next(iter(event.tag_values("relay")), ""))
    except ValueError:
        return False
    return (
        policy.auth_event_is_sound(event)
        and policy.auth_challenge_matches(next(iter(event.tag_values("challenge")), ""), challenge)
        and policy.auth_relay_matches(relay, same_place(url))
        and policy.auth_time_is_near(event.created_at, policy.now())
    )


@dataclass
class HttpDoorkeeper:
    """Finds out who sent an HTTP request; remembers NIP-98 events against replay."""

    policy: Policy
    _seen: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def pubkey(self, *, header: str, x_pubkey: str, url: str, method: str, body: bytes) -> str:
        """The sender's key. Raises Unauthenticated with the text of the 401."""
        if header.startswith("Nostr "):
            return self._from_nip98(header.removeprefix("Nostr "), url, method, body)
        if self.policy.x_pubkey_accepted and x_pubkey:
            if not _PUBKEY.match(x_pubkey):
                raise Unauthenticated("invalid X-Pubkey hex")
            return x_pubkey.lower()
        raise Unauthenticated("missing Nostr auth")

    def _from_nip98(self, encoded: str, url: str, method: str, body: bytes) -> str:
        event = _decoded(encoded)
        reason = self._objection(event, url, method, body)
        if reason:
            raise Unauthenticated(f"NIP-98: NIP-98 HTTP Auth verification failed: {reason}")
        if event.id in self._seen and self.policy.http_replay_is_refused():
            raise Unauthenticated("NIP-98: replay detected")
        self._remember(event)
        return event.pubkey

    def _objection(self, event: Event, url: str, method: str, body: bytes) -> str:
        policy = self.policy
        if event.kind != HTTP_AUTH:
            return f"kind must be {HTTP_AUTH}"
        if event.problems:
            return "invalid id or signature"
        if not policy.http_time_is_near(event.created_at, policy.now()):
            return "timestamp out of window"
        try:
            named = same_place(next(iter(event.tag_values("u")), ""))
        except ValueError:
            return "u tag is not a URL"
        if not policy.http_url_matches(named, same_place(url)):
            return "u tag does not match"
        if not policy.http_method_matches(next(iter(event.tag_values("method")), ""), method):
            return "method tag does not match"
        digest = hashlib.sha256(body).hexdigest()
        if not all(
            policy.http_payload_matches(given, digest) for given in event.tag_values("payload")
        ):
            return "payload tag does not match"
        return ""

    def _remember(self, event: Event) -> None:
        self._seen[event.id] = event.created_at
        while len(self._seen) > self.policy.authorizations_remembered:
            self._seen.popitem(last=False)


def _decoded(encoded: str) -> Event:
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Unauthenticated("invalid base64 in Nostr auth") from None
    try:
        return Event.from_json(orjson.loads(raw))
    except (orjson.JSONDecodeError, MalformedEvent):
        raise Unauthenticated("invalid NIP-98 event JSON") from None
