"""NIP-42 and NIP-98: the events that authenticate."""

from __future__ import annotations

import base64
import hashlib
import json

from nip_ap.nostr import Event, http_auth_event, http_auth_header, relay_auth_event

URL = "http://127.0.0.1:3000/events"


def http_event(key, **changes):
    given = {"url": URL, "method": "POST", "body": b"{}", "at": 1_700_000_000} | changes
    return http_auth_event(key, **given)


def test_a_nip_42_answer_names_relay_and_challenge_and_nothing_else(key):
    event = relay_auth_event(key, challenge="c0ffee", relay="ws://relay/", at=1_700_000_000)
    assert (event.kind, event.created_at, event.content) == (22242, 1_700_000_000, "")
    assert sorted(event.tags) == [("challenge", "c0ffee"), ("relay", "ws://relay/")]
    assert (event.pubkey, event.problems) == (key.pubkey, ())


def test_a_nip_98_event_names_url_method_and_the_hash_of_the_body(key):
    event = http_event(key)
    digest = hashlib.sha256(b"{}").hexdigest()
    assert (event.kind, event.content) == (27235, "")
    assert event.tags == (("u", URL), ("method", "POST"), ("payload", digest))
    assert event.problems == ()


def test_a_nonce_keeps_two_equal_requests_of_one_second_apart(key):
    assert http_event(key, nonce="1").id != http_event(key, nonce="2").id


def test_the_header_is_the_event_in_padded_standard_base64(key):
    event = http_event(key)
    scheme, _, encoded = http_auth_header(event).partition(" ")
    assert scheme == "Nostr"
    decoded = json.loads(base64.b64decode(encoded, validate=True))
    assert Event.from_json(decoded).same_bytes_as(event)
