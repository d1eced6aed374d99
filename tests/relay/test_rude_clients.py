"""Clients that send half, stop, or speak nonsense: bounded in time, and no traceback in the log."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

HURRIED = """
from nip_ap_relay.http_protocol import BoundedProtocol
from nip_ap_relay.limits import Limits
from nip_ap_relay.__main__ import main
BoundedProtocol.head_seconds = Limits.body_seconds = 0.4
main(["--port", "0", "--stop-with-parent"])
"""
POST = b"POST /query HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
RUDE = {
    "nothing": b"",
    "half a request line": b"POST /que",
    "half the headers": b"GET / HTTP/1.1\r\nHost: a\r\nAcc",
    "half a body": POST + b'[{"kinds"',
    "half a chunk": POST.replace(b"Content-Length: 100", b"Transfer-Encoding: chunked")
    + b"ff\r\n[",
    "no HTTP at all": os.urandom(300),
    "a header without an end": b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000,
    "a length that is no number": POST.replace(b"100", b"ten"),
    "a handshake without a key": UPGRADE.replace(b"Sec-WebSocket-Key", b"Sec-Nothing"),
    "a handshake of another version": UPGRADE.replace(b"Version: 13", b"Version: 99"),
    "a handshake and nothing": UPGRADE,
    "an unmasked frame": UPGRADE + b"\x81\x02[]",
    "a frame of a reserved kind": UPGRADE + b"\x83\x80\0\0\0\0",
    "half a frame": UPGRADE + b"\x81\xfe\xff\xff\0\0\0\0[[",
    "text that is not UTF-8": UPGRADE + b"\x81\x82\0\0\0\0\xff\xfe",
    "a frame of 2^62 bytes": UPGRADE + b"\x81\xff" + struct.pack(">Q", 2**62) + b"\0\0\0\0",
    "a close with a wrong code": UPGRADE + b"\x88\x82\0\0\0\0\0\1",
    "a fragment that goes on with nothing": UPGRADE + b"\x80\x80\0\0\0\0",
    "many requests in one": b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n" * 50,
}


@pytest.fixture
def hurried():
    """A relay that waits 0.4 s for headers and bodies: its host and port."""
    process = subprocess.Popen(
        [sys.executable, "-c", HURRIED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    place = urlsplit(process.stdout.readline().split()[-1].decode())
    yield place.hostname, place.port
    process.stdin.close()
    process.wait(10)
    errors = process.stderr.read().decode()
    process.stdout.close()
    process.stderr.close()
    assert "Traceback" not in errors, errors


def answer_to(place, data, *, limit=15):
    """What comes back until the relay hangs up. Raises TimeoutError where it does not."""
    with socket.create_connection(place, timeout=limit) as client:
        client.sendall(data)
        received = b""
        while chunk := client.recv(65_536):
            received += chunk
    return received


@pytest.mark.parametrize("name", ["nothing", "half a request line", "half the headers"])
def test_headers_that_do_not_come_end_the_connection(hurried, name):
    assert answer_to(hurried, RUDE[name]) == b""


@pytest.mark.parametrize("name", ["half a body", "half a chunk"])
def test_a_body_that_does_not_come_is_408(hurried, name):
    answer = answer_to(hurried, RUDE[name])
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b"the body did not come in time")


def test_a_second_request_has_to_come_whole_too(hurried):
    answer = answer_to(hurried, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET / HT")
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("farewell", ["close", "reset"])
def test_nothing_that_a_client_does_leaves_a_traceback(own_relay, farewell):
    """The log shows the server's own faults alone; here there are none."""
    place = urlsplit(own_relay.url)
    for data in RUDE.values():
        client = socket.create_connection((place.hostname, place.port), timeout=5)
        if farewell == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(data)
        time.sleep(0.02)  # for the relay to have begun
        client.close()
    health = answer_to((place.hostname, place.port), b"GET /health HTTP/1.0\r\n\r\n")
    assert health.startswith(b"HTTP/1.1 200 ")
    assert "Traceback" not in own_relay.logs(), own_relay.logs()
