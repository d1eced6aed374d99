"""What an authentication is bound to, and what `--dev` gives away: the relay as a server."""

from __future__ import annotations

import time

import pytest

from nip_ap.nostr import PERSONA, Draft, Filter, SecretKey, http_auth_header, relay_auth_event
from nip_ap.nostr.auth import HTTP_AUTH
from nip_ap.targets import BundledTarget, TargetError
from nip_ap_relay.auth import answers_challenge
from nip_ap_relay.own_url import OwnUrl, same_place
from nip_ap_relay.policy import Policy
from tests.relay.talking import Bridge, door_to

OWN = "wss://relay.example/personas"


@pytest.fixture
def started():
    """Starts relays with arguments; gives the target."""
    targets = []

    def start(*arguments):
        targets.append(BundledTarget(arguments))
        targets[-1].start()
        return targets[-1]

    yield start
    for target in targets:
        target.stop()


def answer_for(url, relay):
    """Whether a relay that is called `url` takes an answer whose relay tag is `relay`."""
    event = relay_auth_event(SecretKey.fresh(), challenge="c", relay=relay, at=int(time.time()))
    return answers_challenge(Policy(), event, challenge="c", url=url)


@pytest.mark.parametrize(
    "relay",
    [OWN, OWN + "/", "wss://RELAY.example:443/personas"],
)
def test_other_spellings_of_its_url_are_its_url(relay):
    assert answer_for(OWN, relay)


@pytest.mark.parametrize(
    "relay",
    [
        "wss://user@relay.example/personas",
        "wss://user:word@relay.example/personas",
        "wss://@relay.example/personas",
        OWN + "?",
        OWN + "?limit=1",
        OWN + "#",
        OWN + "#top",
        OWN + "\n",
        OWN + " ",
        "\t" + OWN,
        OWN.replace("per", "p\ner"),
        "wss://relay.example",
        "ws://relay.example:443/personas",
        "",
    ],
)
def test_a_relay_tag_with_anything_else_in_it_is_not_its_url(relay):
    assert not answer_for(OWN, relay)


@pytest.mark.parametrize("text", ["relay.example", "https://relay.example", "ws://", "ws://a b"])
def test_what_is_not_the_url_of_a_relay_is_refused(text):
    with pytest.raises(ValueError, match="is not the URL of a relay"):
        OwnUrl.given(text)


def test_a_host_header_does_not_name_the_relay(relay, fresh_key):
    bridge = Bridge("http" + relay.url.removeprefix("ws"))
    host = {"Host": "relay.example"}
    signed = bridge.nip98(fresh_key, "/query", b"[]", url="http://relay.example/query")
    assert bridge.post("/query", b"[]", headers=signed | host).status_code == 401
    right = bridge.nip98(fresh_key, "/query", b"[]")
    assert bridge.post("/query", b"[]", headers=right | host).status_code == 200


def test_a_relay_with_a_url_is_called_by_it_and_by_nothing_else(started, fresh_key):
    target = started("--url", OWN)
    bridge = Bridge("http" + target.url.removeprefix("ws"))
    named = bridge.nip98(fresh_key, "/query", b"[]", url="https://relay.example/personas/query")
    assert bridge.post("/query", b"[]", headers=named).status_code == 200
    assert bridge.post("/query", b"[]", fresh_key).status_code == 401
    for relay, accepted in ((target.url, False), (OWN, True)):
        door = door_to(target.url)
        challenge = door.await_challenge(fresh_key)
        event = relay_auth_event(fresh_key, challenge=challenge, relay=relay, at=int(time.time()))
        assert door.authenticate_with(event).accepted is accepted, relay
        door.close()


def test_on_every_address_it_is_called_by_the_one_that_was_dialled(started, fresh_key):
    target = started("--host", "0.0.0.0")
    bridge = Bridge(f"http://127.0.0.1:{target.url.rpartition(':')[2]}")
    assert bridge.post("/query", [], fresh_key).status_code == 200


def test_a_bare_key_is_nobody_and_no_page_is_let_in(started, fresh_key):
    bare, page = {"X-Pubkey": fresh_key.pubkey}, {"Origin": "https://page.example"}
    bridge = Bridge("http" + started().url.removeprefix("ws"))
    answer = bridge.post("/query", [], headers=bare | page)
    assert answer.status_code == 401
    assert "access-control-allow-origin" not in answer.headers


def test_the_information_document_is_open_to_any_page(bridge):
    for method in ("GET", "OPTIONS"):
        answer = bridge.client.request(method, bridge.base + "/", headers={"Origin": "https://a.b"})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"


def test_dev_takes_a_bare_key_and_any_page_and_warns(started, fresh_key, persona):
    target = started("--dev")
    bridge = Bridge("http" + target.url.removeprefix("ws"))
    event = persona().signed_by(fresh_key)
    page = {"Origin": "https://page.example"}
    assert bridge.post("/events", event.to_json(), fresh_key).status_code == 200
    own = [Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey]).to_json()]
    read = bridge.post("/query", own, headers={"X-Pubkey": fresh_key.pubkey} | page)
    assert read.json() == [event.to_json()]
    assert read.headers["access-control-allow-origin"] == "*"
    assert "warning: --dev: an X-Pubkey header reads and writes as that key" in target.logs()
    for wrong in ("abc", "z" * 64):
        refused = bridge.post("/query", [], headers={"X-Pubkey": wrong})
        assert (refused.status_code, refused.json()) == (401, {"error": "invalid X-Pubkey hex"})


def test_a_nip_98_header_outweighs_a_bare_key(started, fresh, fresh_key, persona):
    bridge = Bridge("http" + started("--dev").url.removeprefix("ws"))
    body = persona().signed_by(fresh_key).to_json()
    bare = {"X-Pubkey": fresh().pubkey}
    assert bridge.post("/events", body, fresh_key, headers=bare).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "relay.example"])
def test_dev_is_for_a_loopback_address(started, host):
    with pytest.raises(TargetError, match="is for a loopback address, not"):
        started("--dev", "--host", host)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--url", "relay.example"), "is not the URL of a relay"),
        (("--url", OWN, "--trust-host"), "not both"),
    ],
)
def test_a_url_that_cannot_be_is_said_in_plain_words(started, arguments, words):
    with pytest.raises(TargetError, match=words):
        started(*arguments)


def test_a_payload_that_is_left_out_is_accepted_as_by_the_real_relay(bridge, fresh_key):
    """docs/real-relay.md 2: a `payload` tag is checked where it is there."""
    tags = (("u", bridge.base + "/query"), ("method", "POST"))
    event = Draft(HTTP_AUTH, int(time.time()), tags).signed_by(fresh_key)
    answer = bridge.post("/query", [], headers={"Authorization": http_auth_header(event)})
    assert answer.status_code == 200


def test_places_are_compared_without_slashes_and_loopback_names():
    assert same_place("ws://localhost:7/") == same_place("ws://[::1]:7") == "ws://127.0.0.1:7"
