"""POST /events, /query and /count: statuses and bodies (docs/real-relay.md 1)."""

from __future__ import annotations

import orjson
import pytest

from nip_ap.nostr import PERSONA, Filter

PATHS = ["/events", "/query", "/count"]
NOBODYS = {"/events": b"{", "/query": b"[]", "/count": b"[]"}


def own(key):
    return [Filter.of(kinds=[PERSONA], authors=[key.pubkey]).to_json()]


# -- POST /events ------------------------------------------------------------------------


def test_a_stored_event_is_200_with_an_empty_message(bridge, fresh_key, persona):
    event = persona().signed_by(fresh_key)
    answer = bridge.post("/events", event.to_json(), fresh_key)
    assert answer.status_code == 200
    assert answer.json() == {"event_id": event.id, "accepted": True, "message": ""}


@pytest.mark.parametrize("again", ["the same", "older"])
def test_a_duplicate_is_200_too(bridge, fresh_key, persona, now, again):
    event = persona().signed_by(fresh_key)
    other = event if again == "the same" else persona(at=now - 1).signed_by(fresh_key)
    bridge.post("/events", event.to_json(), fresh_key)
    answer = bridge.post("/events", other.to_json(), fresh_key)
    assert answer.status_code == 200
    assert answer.json() == {"event_id": other.id, "accepted": True, "message": "duplicate:"}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"sig": "0" * 128}, "invalid: invalid schnorr signature"),
        ({"content": "altered"}, "invalid: invalid event id: computed "),
    ],
    ids=["signature", "id"],
)
def test_a_refused_event_is_400_in_the_words_of_the_ok(bridge, fresh_key, persona, change, text):
    event = persona().signed_by(fresh_key).altered(**change)
    answer = bridge.post("/events", event.to_json(), fresh_key)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"].startswith(text)


def test_both_doors_refuse_in_the_same_words(bridge, door, fresh_key, persona):
    event = persona("UPPER").signed_by(fresh_key)
    over_http = bridge.post("/events", event.to_json(), fresh_key).json()["error"]
    assert over_http == door.publish(event).message


def test_a_foreign_event_is_403(bridge, fresh, persona):
    answer = bridge.post("/events", persona().signed_by(fresh()).to_json(), fresh())
    assert answer.status_code == 403
    assert answer.json() == {"error": "invalid: event pubkey does not match authenticated identity"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b'"x"', b"{}", b"\xff\xfe", b"null"], ids=repr
)
def test_a_body_that_is_no_event_is_400(bridge, fresh_key, body):
    answer = bridge.post("/events", body, fresh_key)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("invalid event JSON: ")


def test_an_unknown_kind_is_400(bridge, fresh_key, persona):
    answer = bridge.post(
        "/events", persona().changed(kind=41).signed_by(fresh_key).to_json(), fresh_key
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "restricted: unknown event kind")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("size", "status"), [(1_048_576, 400), (1_048_577, 413)])
def test_the_limit_of_a_body_is_one_mebibyte(bridge, fresh_key, path, size, status):
    answer = bridge.post(path, b" " * size, fresh_key)
    assert answer.status_code == status


# -- POST /query and /count ------------------------------------------------------------------


def test_a_query_is_a_bare_array_of_events(bridge, fresh_key, persona):
    event = persona().signed_by(fresh_key)
    bridge.post("/events", event.to_json(), fresh_key)
    answer = bridge.post("/query", own(fresh_key), fresh_key)
    assert (answer.status_code, answer.json()) == (200, [event.to_json()])


def test_a_count_is_an_object(bridge, fresh_key, persona):
    for slug in ("a", "b"):
        bridge.post("/events", persona(slug).signed_by(fresh_key).to_json(), fresh_key)
    answer = bridge.post("/count", own(fresh_key), fresh_key)
    assert (answer.status_code, answer.json()) == (200, {"count": 2})


def test_what_one_door_writes_the_other_reads(bridge, door, fresh_key, persona):
    event = persona().signed_by(fresh_key)
    door.publish(event)
    assert bridge.post("/query", own(fresh_key), fresh_key).json() == [event.to_json()]


def test_a_stranger_reads_and_counts_only_what_is_shared(bridge, fresh, fresh_key, persona):
    shared = persona("b", tags=(("shared", "true"),)).signed_by(fresh_key)
    for event in (persona("a").signed_by(fresh_key), shared):
        bridge.post("/events", event.to_json(), fresh_key)
    stranger = fresh()
    assert bridge.post("/query", own(fresh_key), stranger).json() == [shared.to_json()]
    assert bridge.post("/count", own(fresh_key), stranger).json() == {"count": 1}


@pytest.mark.parametrize("path", ["/query", "/count"])
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"kinds":[30175]}', b"[7]", b'[{"ids":["ab"]}]', b'[{"limit":-1}]', b"[[]]"],
)
def test_a_body_that_is_no_array_of_filters_is_400(bridge, fresh_key, path, body):
    answer = bridge.post(path, body, fresh_key)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("invalid filters: ")


def test_an_empty_array_of_filters_finds_nothing(bridge, fresh_key):
    assert bridge.post("/query", [], fresh_key).json() == []
    assert bridge.post("/count", [], fresh_key).json() == {"count": 0}


# -- who is there ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_a_request_of_nobody_is_401_whatever_its_body(bridge, path):
    answer = bridge.post(path, NOBODYS[path])
    assert (answer.status_code, answer.json()) == (401, {"error": "missing Nostr auth"})


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"Authorization": "Bearer abc"}, "missing Nostr auth"),
        ({"Authorization": "Nostr !!!"}, "invalid base64 in Nostr auth"),
        ({"Authorization": "Nostr e30="}, "invalid NIP-98 event JSON"),
        ({"Authorization": "Nostr " + "/w=="}, "invalid NIP-98 event JSON"),
        ({"X-Pubkey": "a" * 64}, "missing Nostr auth"),
    ],
)
def test_bad_credentials_are_401_with_the_reason(bridge, headers, text):
    answer = bridge.post("/query", b"[]", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"error": text})


def test_a_nip_98_request_is_answered_once(bridge, fresh_key):
    body = orjson.dumps(own(fresh_key))
    headers = bridge.nip98(fresh_key, "/query", body)
    assert bridge.post("/query", body, headers=headers).status_code == 200
    again = bridge.post("/query", body, headers=headers)
    assert (again.status_code, again.json()) == (401, {"error": "NIP-98: replay detected"})


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"method": "GET"}, "method tag does not match"),
        ({"url": "http://elsewhere.example/query"}, "u tag does not match"),
        ({"url": "http://127.0.0.1/events"}, "u tag does not match"),
        ({"url": "http://[nonsense"}, "u tag is not a URL"),
        ({"signed_body": b"[{}]"}, "payload tag does not match"),
        ({"at": 0}, "timestamp out of window"),
    ],
    ids=str,
)
def test_a_nip_98_event_that_is_for_another_request_is_401(bridge, fresh_key, wrong, reason):
    headers = bridge.nip98(fresh_key, "/query", b"[]", **wrong)
    answer = bridge.post("/query", b"[]", headers=headers)
    text = f"NIP-98: NIP-98 HTTP Auth verification failed: {reason}"
    assert (answer.status_code, answer.json()) == (401, {"error": text})


def test_a_query_in_u_is_a_part_of_the_url(bridge, fresh_key):
    headers = bridge.nip98(fresh_key, "/query", b"[]", url=f"{bridge.base}/query?limit=1")
    assert bridge.post("/query", b"[]", headers=headers).status_code == 401


@pytest.mark.parametrize("path", PATHS)
def test_another_method_is_405(bridge, path):
    assert bridge.client.get(bridge.base + path).status_code == 405
