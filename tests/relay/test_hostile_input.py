"""Nothing that a client sends makes the relay answer 5xx, lose an event or die."""

from __future__ import annotations

import random
import socket
import sqlite3
from urllib.parse import urlsplit

import orjson
import pytest

from nip_ap.nostr import DELETION, NOTE, PERSONA, Draft, Filter, SecretKey
from nip_ap.wire import ConnectionLost
from nip_ap_relay.channels import CREATE_CHANNEL, EDIT_CHANNEL, MESSAGE
from nip_ap_relay.policy import REQ, Policy
from nip_ap_relay.protocol import parse_filter
from nip_ap_relay.query import Query
from nip_ap_relay.store import Store
from tests.relay.talking import Bridge, door_to

FRAMES = 1_400
BODIES = 600
SEED = 20_260_612
CHANNEL = "3f2b8c1e-5a7d-4e9b-8c21-0d6f4a5b7c8d"
IDEOGRAPHS = [chr(number) for number in range(0x4E00, 0x4E00 + 1500)]

HOSTILE_FILTERS = {
    "more kinds than SQL has variables": {"kinds": [1] * 150_000},
    "more values than SQL has variables": {"#t": [""] * 100_000},
    "more slugs than SQL has variables": {"kinds": [PERSONA], "#d": [""] * 100_000},
    "more ids than is sensible": {"ids": ["0" * 64] * 7_000},
    "more conditions than SQL nests": {f"#{letter}": ["x"] for letter in IDEOGRAPHS},
    "a search of many words": {"search": " ".join(f"w{number}" for number in range(8_000))},
    "a search in the syntax of FTS": {"search": 'NEAR("a" "b") OR * ^ content:"x" -"'},
    "a search of nothing": {"search": " \0 '\" "},
    "a search with NUL": {"search": "a\0b"},
    "times beyond 64 bits": {"since": 2**63, "until": 2**64 - 1},
    "a limit beyond 64 bits": {"limit": 2**64 - 1},
    "thread reads of odd form": {"depth_limit": 2**62, "#e": ["'"], "#h": ["x"]},
    "a window of odd form": {"top_level": [1], "#h": ["'"], "before_id": {}},
    "quotes": {"#d": ["'; DROP TABLE events; --", '"', "%", "_", "\0"], "kinds": [PERSONA]},
}

HOSTILE_TAGS = {
    "a kind of superscript digits": (DELETION, [["a", "²:{pubkey}:x"]]),
    "a kind of Arabic digits": (DELETION, [["a", "٣٠١٧٥:{pubkey}:x"]]),
    "a kind of 5,000 digits": (DELETION, [["a", "1" * 5_000 + ":{pubkey}:x"]]),
    "an empty kind": (DELETION, [["a", ":{pubkey}:x"]]),
    "ids that are none": (DELETION, [["e", "'"], ["e", ""], ["e", "\0"]]),
    "the same tag many times": (NOTE, [["t", "x"]] * 5_000),
    "many tags": (NOTE, [["t", str(number)] for number in range(5_000)]),
    "tags without values": (NOTE, [["t"], ["e"], ["p"], ["h"], [""]]),
    "odd names of tags": (NOTE, [["\0", "x"], ["'", "x"], ["🦫", "x"]]),
    "a channel twice": (CREATE_CHANNEL, [["h", CHANNEL], ["name", "\0"], ["name", "x"]]),
    "an edit of no channel": (EDIT_CHANNEL, [["h", CHANNEL[:-1] + "0"], ["archived", "?"]]),
    "a reply to itself": (MESSAGE, [["h", CHANNEL], ["e", "0" * 64, "", "reply"]]),
}


@pytest.mark.parametrize("name", HOSTILE_FILTERS)
@pytest.mark.parametrize("verb", ["REQ", "COUNT"])
def test_a_hostile_filter_is_answered_over_websocket(door, verb, name):
    door.send([verb, "hostile", HOSTILE_FILTERS[name]])
    answer = door.count([Filter.of(kinds=[PERSONA], ids=["0" * 64])])
    assert answer.refusal is None
    assert door.is_open


@pytest.mark.parametrize("name", HOSTILE_FILTERS)
@pytest.mark.parametrize("path", ["/query", "/count"])
def test_a_hostile_filter_is_answered_over_http(bridge, fresh_key, path, name):
    answer = bridge.post(path, [HOSTILE_FILTERS[name]], fresh_key)
    assert answer.status_code in (200, 400), answer.text


@pytest.mark.parametrize("name", HOSTILE_TAGS)
def test_hostile_tags_are_accepted_or_refused_in_words(door, fresh_key, now, name):
    kind, tags = HOSTILE_TAGS[name]
    filled = tuple(
        tuple(element.replace("{pubkey}", fresh_key.pubkey) for element in tag) for tag in tags
    )
    answer = door.publish(Draft(kind, now, filled).signed_by(fresh_key))
    assert answer.accepted or answer.prefix in ("invalid:", "restricted:", "duplicate:")
    assert door.publish(Draft(NOTE, now, (), "after it").signed_by(fresh_key)).accepted


@pytest.mark.parametrize(
    "host", ["[", "[::1", "a b", "127.0.0.1:99999", "127.0.0.1:x", "", "é", "x" * 5_000], ids=repr
)
@pytest.mark.parametrize("request_line", ["GET / HTTP/1.1", "POST /query HTTP/1.1"])
def test_an_odd_host_header_is_no_server_error(relay, bridge, fresh_key, host, request_line):
    headers = bridge.nip98(fresh_key, "/query", b"[]")
    lines = [
        request_line,
        f"Host: {host}",
        f"Authorization: {headers['Authorization']}",
        "Content-Length: 2",
        "Connection: close",
        "",
        "[]",
    ]
    parts = urlsplit(relay.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall("\r\n".join(lines).encode())
        status = connection.makefile("rb").readline().split()[1:2]
    assert status, "no answer"
    assert int(status[0]) < 500


@pytest.mark.parametrize(
    "wanted",
    [{"kinds": list(range(40_000))}, {"#t": [str(n) for n in range(40_000)], "kinds": [NOTE]}],
    ids=["kinds", "values"],
)
def test_a_long_list_needs_no_more_variables_than_the_smallest_sqlite_has(key, wanted):
    store = Store()
    store._db.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    event = Draft(NOTE, 1, (("t", "39999"),)).signed_by(key)
    store.add(event, address=None, slug=None, readers=None, channel=None)
    rows = Query(Policy(), store, key.pubkey).rows([parse_filter(wanted)], REQ)
    assert [row.id for row in rows] == [event.id]


def test_nesting_without_end_is_a_complaint(door, bridge, fresh_key):
    deep = b"[" * 100_000
    door.send_text(deep.decode())
    assert door.count([Filter.of(kinds=[1], ids=["0" * 64])]).refusal is None
    assert door.notices[-1].startswith("invalid message: ")
    assert bridge.post("/query", deep, fresh_key).status_code == 400


def test_an_early_end_of_a_connection_costs_nobody_else(connect, door, fresh, fresh_key, persona):
    for _ in range(5):
        other = connect(fresh())
        other.subscribe([Filter.of(kinds=[PERSONA])])
        other.abort()
    event = persona(tags=(("shared", "true"),)).signed_by(fresh_key)
    assert door.publish(event).accepted


# -- fuzz ----------------------------------------------------------------------------------------


class Fuzzer:
    """Frames and bodies from valid ones by random damage; the same for the same seed."""

    def __init__(self, seed: int, key: SecretKey, now: int) -> None:
        self.random = random.Random(seed)
        self.key = key
        self.now = now

    def scalar(self):
        pick = self.random.choice
        return pick(
            [
                None,
                True,
                False,
                0,
                -1,
                1,
                65535,
                65536,
                2**53,
                2**63,
                2**64,
                1.5,
                1e308,
                "",
                "\0",
                "d",
                "x" * 300,
                "'\"\\",
                "🦫",
                self.key.pubkey,
                "0" * 64,
                self.now,
                str(self.now),
                "true",
                "shared",
                "e",
                "a",
                f"30175:{self.key.pubkey}:x",
                "not:a:b",
                CHANNEL,
            ]
        )

    def value(self, depth=0):
        roll = self.random.random()
        if roll < 0.6 or depth > 3:
            return self.scalar()
        size = self.random.randrange(4)
        if roll < 0.85:
            return [self.value(depth + 1) for _ in range(size)]
        return {str(self.scalar()): self.value(depth + 1) for _ in range(size)}

    def event(self):
        tags = [
            [
                self.random.choice("depahtk"),
                *(str(self.scalar()) for _ in range(self.random.randrange(4))),
            ]
            for _ in range(self.random.randrange(5))
        ]
        kind = self.random.choice(
            [0, 1, 5, 7, 9, 9000, 9007, 9002, 9005, 40003, 30078, PERSONA, 22242]
        )
        draft = Draft(
            kind, self.now + self.random.choice([0, -5, 900, -(10**6)]), tuple(map(tuple, tags))
        )
        return draft.signed_by(self.key).to_json()

    def filter(self):
        names = [
            "ids",
            "authors",
            "kinds",
            "#d",
            "#h",
            "#e",
            "since",
            "until",
            "limit",
            "search",
            "depth_limit",
            "top_level",
            "before_id",
            "x",
        ]
        made = {name: self.value() for name in self.random.sample(names, self.random.randrange(4))}
        return made | self.random.choice([{}, {"kinds": [PERSONA]}, {"authors": [self.key.pubkey]}])

    def damaged(self, value):
        """Replace, remove or add something somewhere in a JSON value."""
        if isinstance(value, list) and value:
            place = self.random.randrange(len(value))
            return [*value[:place], self.damaged(value[place]), *value[place + 1 :]]
        if isinstance(value, dict) and value:
            name = self.random.choice(list(value))
            if self.random.random() < 0.2:
                return {key: one for key, one in value.items() if key != name}
            return value | {name: self.damaged(value[name])}
        return self.value()

    def frame(self):
        verb = self.random.choice(["EVENT", "EVENT", "REQ", "REQ", "COUNT", "CLOSE", "AUTH"])
        if verb in ("EVENT", "AUTH"):
            good = [verb, self.event()]
        else:
            filters = [self.filter() for _ in range(self.random.randrange(4))]
            good = [verb, f"f{self.random.randrange(50)}", *filters]
        for _ in range(self.random.choice([0, 1, 1, 2])):
            good = self.damaged(good)
        return self.bytes_of(good)

    def body(self):
        path = self.random.choice(["/events", "/query", "/count"])
        good = self.event() if path == "/events" else [self.filter() for _ in range(2)]
        for _ in range(self.random.choice([0, 1, 1, 2])):
            good = self.damaged(good)
        return path, self.bytes_of(good)

    def bytes_of(self, value):
        """The JSON text, cut or garbled now and then."""
        try:
            text = orjson.dumps(value)
        except TypeError:
            text = repr(value).encode()
        roll = self.random.random()
        if roll < 0.05:
            return text[: self.random.randrange(len(text) + 1)]
        if roll < 0.10:
            return self.random.randbytes(self.random.randrange(60))
        if roll < 0.15 and text:
            place = self.random.randrange(len(text))
            return text[:place] + self.random.randbytes(1) + text[place + 1 :]
        return text


def test_two_thousand_damaged_frames_and_bodies_do_no_harm(own_relay, fresh, now):
    owner, attacker = fresh(), fresh()
    safe = door_to(own_relay.url, owner)
    personas = [Draft(PERSONA, now, (("d", f"s{n}"),), "{}").signed_by(owner) for n in range(20)]
    assert all(answer.accepted for answer in safe.publish_all(personas))
    fuzzer = Fuzzer(SEED, attacker, now)

    bridge = Bridge("http" + own_relay.url.removeprefix("ws"))
    statuses = []
    for _ in range(BODIES):
        path, body = fuzzer.body()
        statuses.append(bridge.post(path, body, attacker).status_code)
    assert {status for status in statuses if status >= 500} == set()
    assert {200, 400} <= set(statuses), "the fuzzer is too tame or too wild"
    bridge.client.close()

    lost = 0
    door = door_to(own_relay.url, attacker)
    for number in range(FRAMES):
        frame = fuzzer.frame()
        door.send_text(frame if number % 5 == 0 else frame.decode("utf-8", "replace"))
        if number % 50 == 49:
            try:
                door.count([Filter.of(kinds=[1], ids=["0" * 64])])
            except ConnectionLost:
                lost += 1
    assert lost == 0, "the relay ended a connection for a frame that is not too large"
    assert door.notices
    door.close()

    found = safe.query([Filter.of(kinds=[PERSONA], authors=[owner.pubkey])])
    assert sorted(found.ids) == sorted(event.id for event in personas)
    later = Draft(PERSONA, now, (("d", "later"),)).signed_by(owner)
    assert safe.publish(later).accepted
    safe.close()
    assert 'File "' not in own_relay.logs(), own_relay.logs()
