"""Media in the bundled relay: blobs on disk, their bounds, and an upload fuzz."""

from __future__ import annotations

import hashlib
import random
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from nip_ap.checking.media import png
from nip_ap.nostr import SecretKey
from nip_ap.nostr.blossom import authorization_header, sha256_of, upload_authorization
from nip_ap.targets import BundledTarget
from nip_ap_relay.media_store import Blob, MediaStore, NoRoom
from nip_ap_relay.media_types import (
    BYTES,
    GIF,
    HTML,
    JPEG,
    PNG,
    SVG,
    WEBP,
    XML,
    size_of_picture,
    type_of,
)

KEY = SecretKey.derived("media", "uploader")
_MIB = 1024 * 1024


def blob(content):
    return Blob(sha256_of(content), len(content), BYTES.mime, BYTES.ending, "", 0, False)


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b"", BYTES),
        (b"\0" * 20, BYTES),
        (b"\xff\xd8\xff\xe0", JPEG),
        (b"GIF89a", GIF),
        (b"RIFF\0\0\0\0WEBP", WEBP),
        (b'<?xml version="1.0"?><svg>', XML),
        (b'\xef\xbb\xbf<?xml version="1.0"?><svg>', XML),
        (b'<?xml version="1.0"?><html xmlns="x">', HTML),
        (b"  <!-- a --><HTML>", HTML),
        (b"<svg onload=x>", SVG),
        (b"<p>not a page by itself", BYTES),
    ],
)
def test_a_type_is_told_by_the_first_bytes(beginning, kind):
    assert type_of(beginning) == kind


def test_a_picture_is_measured_to_its_end():
    assert size_of_picture(png("measured", 7, 5), PNG) == (7, 5)
    assert size_of_picture(png("broken")[:-1], PNG) is None
    assert size_of_picture(b"GIF89a\x02\x00\x03\x00;", GIF) == (2, 3)
    assert size_of_picture(b"\xff\xd8\xff", JPEG) is None


def test_blobs_in_a_folder_are_there_after_a_restart(tmp_path):
    store = MediaStore(tmp_path / "media")
    store.put(blob(b"kept"), lambda: b"kept")
    found = MediaStore(tmp_path / "media")
    kept = found.get(sha256_of(b"kept"))
    assert kept is not None
    assert found.content(kept) == b"kept"


def test_there_is_an_end_to_the_room():
    store = MediaStore(room=10)
    store.put(blob(b"12345678"), lambda: b"12345678")
    with pytest.raises(NoRoom):
        store.put(blob(b"123"), lambda: b"123")
    assert store.put(blob(b"12345678"), lambda: b"") == blob(b"12345678")


# -- the fuzz --------------------------------------------------------------------------


@pytest.fixture
def started(tmp_path):
    """A relay process with a database in a folder of its own."""
    target = BundledTarget(("--db", str(tmp_path / "relay" / "relay.db")))
    (tmp_path / "relay").mkdir()
    target.start()
    yield target
    target.stop()


def http_of(target):
    return target.url.replace("ws", "http", 1).rstrip("/")


def right_headers(body):
    event = upload_authorization(KEY, body, at=int(time.time()))
    return {"Authorization": authorization_header(event), "X-SHA-256": sha256_of(body)}


def odd_requests(chance, number):
    """Bodies and headers, right and wrong in many ways at once."""
    beginnings = (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP")
    beginnings += (b"%PDF-", b"<?xml ", b"<html>", b"MZ", b"\0\0\0\x18ftyp", png("fuzz"))
    names = ("../../etc/passwd", "\u00e9", "0" * 64, "A" * 64, "%2e%2e", "x" * 3000, "")
    for _ in range(number):
        body = chance.choice(beginnings) + chance.randbytes(chance.choice((0, 1, 20, 500, 9000)))
        headers = right_headers(body)
        for name in ("Authorization", "X-SHA-256"):
            if chance.random() < 0.2:
                headers[name] = chance.choice(names).encode("utf-8", "ignore").decode("latin-1")
        if chance.random() < 0.3:
            headers["Content-Type"] = chance.choice(("image/png", "text/html", "x/y; \xff", ""))
        path = "/media/upload" if chance.random() < 0.8 else f"/media/{chance.choice(names)[:200]}"
        yield chance.choice(("PUT", "PUT", "PUT", "GET", "HEAD")), path, body, headers


def most_memory(target):
    """Megabytes that the relay's process has taken at most."""
    port = str(urlsplit(target.url).port)
    relays = [
        one.pid
        for one in psutil.process_iter(["cmdline"])
        if {"nip_ap_relay", port} <= set(one.info["cmdline"] or ())
    ]
    status = Path(f"/proc/{relays[0]}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


@pytest.mark.slow
def test_a_thousand_uploads_cost_no_server_error_and_no_file_elsewhere(started, tmp_path):
    before = {one for one in tmp_path.rglob("*") if one.is_file()}
    chance, statuses = random.Random(20260612), set()
    with httpx.Client(trust_env=False, timeout=20) as client:
        for method, path, body, headers in odd_requests(chance, 1000):
            encoded = {name: value.encode("latin-1") for name, value in headers.items()}
            url = http_of(started) + path
            try:
                statuses.add(client.request(method, url, content=body, headers=encoded).status_code)
            except httpx.RemoteProtocolError:
                statuses.add(0)
    assert {one for one in statuses if one >= 500} == set()
    assert {200, 401, 404, 415} <= statuses
    folder = tmp_path / "relay" / "relay.db.media"
    new = {one for one in tmp_path.rglob("*") if one.is_file()} - before
    elsewhere = [one for one in new if folder not in one.parents and "relay.db" not in one.name]
    assert elsewhere == []
    for file in folder.iterdir():
        if not file.name.endswith(".json"):
            assert hashlib.sha256(file.read_bytes()).hexdigest() == file.name
    assert 'File "' not in started.logs()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc for the peak")
def test_a_hundred_megabytes_that_come_slowly_take_bounded_memory(started):
    """Sixteen at once, of which most never end: what is on its way is not in memory."""
    body = bytes(100 * _MIB)
    head = "".join(f"{name}: {value}\r\n" for name, value in right_headers(body).items())
    parts = urlsplit(http_of(started))
    request = f"PUT /media/upload HTTP/1.1\r\nHost: {parts.netloc}\r\n{head}"
    request += f"Content-Length: {len(body)}\r\n\r\n"
    lines = [socket.create_connection((parts.hostname, parts.port), 20) for _ in range(16)]
    for line in lines:
        line.sendall(request.encode())
    for start in range(0, 10 * _MIB, _MIB):
        for line in lines:
            line.sendall(body[start : start + _MIB])
    one, *others = lines
    for start in range(10 * _MIB, len(body), _MIB):
        one.sendall(body[start : start + _MIB])
    assert one.recv(4096).startswith(b"HTTP/1.1 200")
    for line in others:
        line.close()
    with httpx.Client(trust_env=False, timeout=20) as client:
        assert client.get(f"{http_of(started)}/health").status_code == 200
    assert most_memory(started) < 400
