"""The HTTP door: its connections, what is sent twice, and that every request ends."""

from __future__ import annotations

import base64
import gzip
import socket
import ssl
import threading
import zlib

import orjson
import pytest

from nip_ap.nostr import Filter, SecretKey
from nip_ap.wire import HttpDoor, LiveNetwork, NoAnswer, Playback, RecordedKey, Transcript
from nip_ap.wire.answers import Flooded, StaleConnection, Unreachable
from nip_ap.wire.http_connection import LARGEST_BODY, HttpConnection
from tests.wire.http_server import HttpServer, http_answer

KEY = SecretKey.derived("http", "key")
ANYTHING = Filter.of(kinds=[30175])


def door_to(server, *, who="owner", transcript=None, limit=8.0, key=KEY, network=None):
    return HttpDoor(
        server.url, who=who, key=key, transcript=transcript or Transcript(), now=lambda: 1,
        network=network or LiveNetwork(), answer_limit=limit,
    )  # fmt: skip


def credential(request):
    event = orjson.loads(base64.b64decode(request.headers["authorization"].split()[1]))
    return event["id"]


# -- state -----------------------------------------------------------------------------


def test_a_connection_is_used_again_by_its_actor_and_by_nobody_else():
    with HttpServer(lambda request: http_answer()) as server:
        owner, stranger = door_to(server), door_to(server, who="stranger")
        for door in (owner, owner, stranger, owner):
            assert door.query([ANYTHING]).events == ()
        assert [one.connection for one in server.requests] == [1, 1, 2, 1]


def test_no_cookie_ever_comes_back():
    with HttpServer(lambda request: http_answer(200, b"[]", "Set-Cookie: a=b; Path=/")) as server:
        door = door_to(server)
        for _ in range(3):
            door.query([ANYTHING])
        assert len(server.requests) == 3
        assert not any("cookie" in one.headers for one in server.requests)


def test_a_redirect_is_an_answer_like_any_other():
    with HttpServer(lambda request: http_answer(302, b"", "Location: /query")) as server:
        assert door_to(server).query([ANYTHING]).status == 302
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 413, 500])
def test_after_a_refusal_the_connection_is_not_used_again(status):
    with HttpServer(lambda request: http_answer(status, b"{}")) as server:
        door = door_to(server)
        door.query([ANYTHING])
        door.query([ANYTHING])
        assert [one.connection for one in server.requests] == [1, 2]


def test_a_refusal_before_the_body_was_read_is_heard():
    large = b"[]".rjust(8 * 2**20)

    def refuse(connection):
        connection.sendall(http_answer(413, b'{"error":"too large"}', "Connection: close"))

    with HttpServer(lambda request: refuse, reads_body=False) as server:
        response = door_to(server).post("/query", large)
        assert (response.status_code, response.text) == (413, '{"error":"too large"}')


# -- what is sent once more ------------------------------------------------------------------


def hangs_up_on(numbers):
    """A server that drops these requests (counted from 1) without a byte."""
    count = iter(range(1, 100))
    return lambda request: None if next(count) in numbers else http_answer()


def test_a_request_that_dies_on_a_used_connection_is_sent_once_more_freshly_signed():
    transcript = Transcript()
    with HttpServer(hangs_up_on({2})) as server:
        door = door_to(server, transcript=transcript)
        assert door.query([ANYTHING]).refusal is None
        assert door.query([ANYTHING]).refusal is None
        assert [one.connection for one in server.requests] == [1, 1, 2]
        assert len({credential(one) for one in server.requests}) == 3
    lines = [(frame.direction, frame.text.partition(" [")[0]) for frame in transcript.frames]
    assert [way for way, _ in lines] == ["sent", "received", "sent", "note", "sent", "received"]
    assert lines[3][1].startswith("gave up: StaleConnection: POST /query")


def test_such_a_transcript_can_be_played():
    transcript = Transcript()
    with HttpServer(hangs_up_on({2})) as server:
        door = door_to(server, transcript=transcript)
        for _ in range(2):
            door.query([ANYTHING])
    playback = Playback(transcript.frames)
    key = RecordedKey(KEY.pubkey, transcript.frames)
    door = door_to(server, transcript=playback, network=playback, key=key)
    for _ in range(2):
        assert door.query([ANYTHING]).events == ()
    playback.finish()
    assert playback.divergence == ""


def test_a_request_that_dies_on_a_new_connection_is_not_sent_again():
    with HttpServer(hangs_up_on({1})) as server:
        with pytest.raises(Unreachable, match="POST /query failed"):
            door_to(server).query([ANYTHING])
        assert len(server.requests) == 1


def test_a_request_that_dies_twice_is_given_up():
    with HttpServer(hangs_up_on({2, 3})) as server:
        door = door_to(server)
        door.query([ANYTHING])
        with pytest.raises(Unreachable) as raised:
            door.query([ANYTHING])
        assert not isinstance(raised.value, StaleConnection)
        assert len(server.requests) == 3


def test_a_request_whose_answer_began_is_not_sent_again():
    count = iter(range(100))

    def half(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
        connection.shutdown(socket.SHUT_RDWR)

    with HttpServer(lambda request: half if next(count) else http_answer()) as server:
        door = door_to(server)
        door.query([ANYTHING])
        with pytest.raises(Unreachable):
            door.query([ANYTHING])
        assert len(server.requests) == 2


def test_headers_of_a_checks_own_go_out_once_and_on_a_new_connection():
    with HttpServer(lambda request: http_answer()) as server:
        door = door_to(server)
        door.query([ANYTHING])
        door.post("/query", b"[]", {"Authorization": "Nostr x"})
        assert [one.connection for one in server.requests] == [1, 2]
        assert server.requests[1].headers["authorization"] == "Nostr x"


# -- every request ends ------------------------------------------------------------------------


def test_silence_is_no_answer():
    with (
        HttpServer(lambda request: lambda connection: None) as server,
        pytest.raises(NoAnswer, match=r"POST /query was not answered within 0\.2 s"),
    ):
        door_to(server, limit=0.2).query([ANYTHING])


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"],
    ids=["head", "body"],
)
def test_an_answer_that_trickles_ends(start):
    done = threading.Event()

    def trickle(connection):
        connection.sendall(start)
        while not done.wait(0.05):
            connection.sendall(b"x")

    with HttpServer(lambda request: trickle) as server:
        with pytest.raises(NoAnswer, match="was not answered"):
            door_to(server, limit=0.4).query([ANYTHING])
        done.set()


def test_an_answer_without_an_end_floods():
    def pour(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    with (
        HttpServer(lambda request: pour) as server,
        pytest.raises(Flooded, match=f"longer than {LARGEST_BODY} bytes"),
    ):
        door_to(server).query([ANYTHING])


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_floods(encoding):
    zeros = b"0" * (4 * LARGEST_BODY)
    bomb = gzip.compress(zeros) if encoding == "gzip" else zlib.compress(zeros)
    answer = http_answer(200, bomb, f"Content-Encoding: {encoding}")
    with HttpServer(lambda request: answer) as server, pytest.raises(Flooded, match="inflates"):
        door_to(server).query([ANYTHING])


def test_a_head_without_an_end_is_not_an_answer():
    def pour(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-Header: " + b"x" * 1000 + b"\r\n")

    with HttpServer(lambda request: pour) as server, pytest.raises(Unreachable, match="failed"):
        door_to(server).query([ANYTHING])


# -- whatever comes is text ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "text"),
    [
        (b"[]", ["Content-Type: application/json; charset=rot13"], "[]"),
        (b"[]", ["Content-Type: application/json; charset=\xff"], "[]"),
        (b'["\xff"]', [], '["�"]'),
        (gzip.compress(b"[]"), ["Content-Encoding: gzip"], "[]"),
        (b"[]", ["Content-Encoding: gzip"], "[]"),
        (b"[]", ["Content-Encoding: utter-nonsense"], "[]"),
        (b"", [], ""),
    ],
    ids=["rot13", "latin", "not UTF-8", "gzip", "gzip in name only", "unknown encoding", "empty"],
)
def test_decoding_never_raises(body, headers, text):
    transcript = Transcript()
    with HttpServer(lambda request: http_answer(200, body, *headers)) as server:
        response = door_to(server, transcript=transcript).post("/query", b"[]")
    assert response.text == text
    assert transcript.frames[-1].text == f"HTTP 200 {text}"


def test_what_is_no_http_is_said():
    def nonsense(connection):
        connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")

    with HttpServer(lambda request: nonsense) as server, pytest.raises(Unreachable, match="failed"):
        door_to(server).query([ANYTHING])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/", "ftp://127.0.0.1/", "http:///x", "http://%00:1/"]
)
def test_an_address_that_cannot_be_spoken_to_is_unreachable(url):
    with pytest.raises(Unreachable):
        HttpConnection(ssl.create_default_context).request(
            "GET", url, body=b"", headers={}, limit=1
        )
