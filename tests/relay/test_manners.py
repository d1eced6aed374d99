"""The bundled relay's unusual manners do what their names say: what runs on them rests on that."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nip_ap.nostr import PERSONA, Draft, relay_auth_event
from nip_ap.targets import BundledTarget
from nip_ap_relay.manners import CHALLENGES, MANNERS, Quota, Turnstile
from tests.relay.talking import Bridge


@pytest.fixture
def relay_with():
    """Starts a relay with these arguments; gives its URL."""
    started = []

    def start(*arguments):
        started.append(BundledTarget(arguments))
        started[-1].start()
        return started[-1].url

    yield start
    for one in started:
        one.stop()


_MANY = 40
"""Requests, of which no quota lets through all even on a machine that is slow."""


class Line:
    """A bare connection: every frame in the order in which it comes."""

    def __init__(self, url):
        self.url = url
        self._exit = ExitStack()
        self.socket = self._exit.enter_context(connect(url, proxy=None))

    def close(self):
        self._exit.close()

    def send(self, *frame):
        self.socket.send(json.dumps(frame))

    def next(self, limit=3):
        return json.loads(self.socket.recv(limit))

    def authenticate(self, key, challenge):
        event = relay_auth_event(key, challenge=challenge, relay=self.url, at=int(time.time()))
        self.send("AUTH", event.to_json())
        return self.next()[2]

    def is_silent(self):
        """Whether nothing has come before the answer to one more message."""
        self.send("CLOSE", "fence")
        return self.next() == ["CLOSED", "fence", ""]


@pytest.fixture
def line():
    opened = []

    def open_line(url):
        opened.append(Line(url))
        return opened[-1]

    yield open_line
    for one in opened:
        one.close()


def persona(key, slug="agent", *tags):
    return Draft(PERSONA, int(time.time()), (("d", slug), *tags), "{}").signed_by(key)


@pytest.mark.parametrize("moment", CHALLENGES)
def test_each_challenge_comes_at_its_moment_and_can_be_answered(moment, relay_with, line, key):
    one = line(relay_with("--challenge", moment))
    event = persona(key).to_json()
    if moment in ("connect", "again"):
        challenge = one.next()[1]
    else:
        assert one.is_silent()
    if moment == "again":
        replaced, challenge = challenge, one.next()[1]
        assert challenge != replaced
        assert one.authenticate(key, replaced) is False
    elif moment == "late":
        challenge = one.next()[1]
    elif moment == "read":
        one.send("REQ", "a", {"kinds": [PERSONA]})
        challenge = one.next()[1]
        assert one.next() == ["CLOSED", "a", "auth-required: not authenticated"]
    elif moment == "write":
        one.send("EVENT", event)
        assert one.next()[2:] == [False, "auth-required: not authenticated"]
        challenge = one.next()[1]
    assert one.authenticate(key, challenge) is True
    one.send("EVENT", event)
    assert one.next()[:3] == ["OK", event["id"], True]


@pytest.mark.parametrize(
    ("needed", "reads", "writes"),
    [("reads", True, False), ("writes", False, True), ("both", True, True)],
)
def test_reads_and_writes_take_authentication_apart(needed, reads, writes, relay_with, line, key):
    one = line(relay_with("--auth-required", needed))
    assert one.next()[0] == "AUTH"
    one.send("EVENT", persona(key).to_json())
    assert one.next()[2] is not writes
    one.send("REQ", "a", {"kinds": [PERSONA], "limit": 0})
    assert one.next()[0] == ("CLOSED" if reads else "EOSE")


def first_limited(one, make):
    """Sends many at once; gives the frame that tells the limit."""
    frames = [make(number) for number in range(_MANY)]
    for frame in frames:
        one.send(*frame)
    came = [one.next() for _ in frames]
    return next(frame for frame in came if "rate-limited:" in json.dumps(frame))


@pytest.mark.parametrize(
    ("manner", "verb"),
    [("paced", "OK"), ("paced-by-address", "OK"), ("paced-by-notice", "NOTICE")],
)
def test_events_that_come_too_soon_are_told_so(manner, verb, relay_with, line, key):
    one = line(relay_with("--open", "--manner", manner))
    one.next()
    told = first_limited(one, lambda n: ("EVENT", persona(key, f"a{n}").to_json()))
    assert told[0] == verb
    assert ("retry in" in told[-1]) is MANNERS[manner].tells_when


@pytest.mark.parametrize(
    ("manner", "status"), [("paced", 429), ("paced-by-address", 400), ("paced-by-notice", 403)]
)
def test_over_http_a_limit_has_the_status_of_the_manner(manner, status, relay_with, key):
    bridge = Bridge("http" + relay_with("--manner", manner).removeprefix("ws"))
    for number in range(_MANY):
        answer = bridge.post("/events", persona(key, f"a{number}").to_json(), key)
        if answer.status_code != 200:
            break
    bridge.client.close()
    assert answer.status_code == status
    assert answer.json()["error"].startswith("rate-limited: slow down")


def test_a_key_has_its_quota_on_all_of_its_connections(relay_with, line, key):
    url = relay_with("--manner", "quota-by-key")
    lines = [line(url), line(url)]
    for one in lines:
        assert one.authenticate(key, one.next()[1])
    for number in range(25):
        for one in lines:
            one.send("REQ", f"s{number}", {"kinds": [PERSONA], "limit": 0})
            assert one.next()[0] == "EOSE"
    lines[0].send("EVENT", persona(key).to_json())
    verb, text = lines[0].next()
    assert verb == "NOTICE"
    assert text.startswith("rate-limited: slow down; retry in ")


def test_a_small_relay_keeps_to_its_limits_and_announces_them_or_not(relay_with):
    announced = {}
    for manner in ("short-pages", "short-pages-unannounced", "small-frames", "few-subscriptions"):
        bridge = Bridge("http" + relay_with("--manner", manner).removeprefix("ws"))
        announced[manner] = bridge.client.get(bridge.base + "/").json()["limitation"]
        bridge.client.close()
    assert announced["short-pages"]["max_limit"] == 20
    assert announced["short-pages-unannounced"]["max_limit"] == 5000
    assert announced["small-frames"]["max_message_length"] == 16384
    assert announced["few-subscriptions"]["max_subscriptions"] == 5


@pytest.mark.parametrize("manner", ["short-pages", "short-pages-unannounced"])
def test_a_short_page_ends_at_its_limit(manner, relay_with, line, key):
    one = line(relay_with("--open", "--manner", manner))
    one.next()
    for number in range(25):
        one.send("EVENT", persona(key, f"a{number}", ("shared", "true")).to_json())
        assert one.next()[2]
    one.send("REQ", "a", {"kinds": [PERSONA]})
    assert [one.next()[0] for _ in range(21)] == ["EVENT"] * 20 + ["EOSE"]


def test_a_connection_too_many_is_told_so_and_closed(relay_with, line):
    url = relay_with("--manner", "few-connections")
    for _ in range(3):
        assert line(url).next()[0] == "AUTH"
    fourth = line(url)
    assert fourth.next() == ["NOTICE", "rate-limited: too many connections from this address"]
    with pytest.raises(ConnectionClosed):
        fourth.next()


def test_an_idle_connection_is_closed(relay_with, line):
    one = line(relay_with("--manner", "idle"))
    assert one.next()[0] == "AUTH"
    with pytest.raises(ConnectionClosed):
        one.next(5)


def test_a_turnstile_says_when_there_is_room_again():
    turnstile = Turnstile((Quota(frozenset({"EVENT"}), 2, 10.0),))
    who = {"connection": 1}
    assert [turnstile.wait("EVENT", who, at) for at in (0.0, 4.0)] == [0.0, 0.0]
    assert turnstile.wait("EVENT", who, 5.0) == 5.0
    assert turnstile.wait("REQ", who, 5.0) == 0.0
    assert turnstile.wait("EVENT", {"connection": 2}, 5.0) == 0.0
    assert turnstile.wait("EVENT", who, 10.0) == 0.0


@pytest.mark.parametrize("name", MANNERS)
def test_every_manner_says_what_it_is(name):
    assert MANNERS[name].because.endswith(".")
