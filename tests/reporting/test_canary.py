"""No secret key, token or NIP-98 header in anything that a run, a site or a history writes."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import time
import zlib

import orjson
import pytest
from click.testing import CliRunner

from nip_ap import cli
from nip_ap.clients.claims import encodings
from nip_ap.nostr import Filter, SecretKey
from nip_ap.targets import BundledTarget
from nip_ap.wire import HttpDoor, LiveNetwork, Transcript
from tests.wire.http_server import HttpServer, http_answer

ROLES = ("owner", "stranger", "other owner", "limited", "users-only")
PACKED = re.compile(r'id="transcripts">([A-Za-z0-9+/=]+)<')
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{80,}")


def everything_in(folder):
    """The text of every file by name; what a page has packed is unpacked."""
    found = {}
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        packed = PACKED.search(text)
        if packed:
            text += zlib.decompress(base64.b64decode(packed[1])).decode()
        found[str(path.relative_to(folder))] = text
    return found


def nip98_events(text):
    """NIP-98 events in base64, as a header has them."""
    opened = (
        base64.urlsafe_b64decode(one.replace("+", "-").replace("/", "_") + "=" * (-len(one) % 4))
        for one in BASE64.findall(text)
        if len(one) % 4 != 1
    )
    return [one for one in opened if b"27235" in one and b'"sig"' in one]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """All that is written of a run with keys from a file and NIP-98; and the secrets."""
    pytest.importorskip("allure_commons", reason="the extra `allure` is not installed")
    folder = tmp_path_factory.mktemp("canary")
    secrets = {role: SecretKey.fresh().secret_hex() for role in ROLES}
    (folder / "keys.json").write_text(json.dumps(secrets))
    (folder / "keys.json").chmod(0o600)
    out = folder / "out"
    relay = BundledTarget(("--rogue", "gate-off-http"))
    relay.start()
    try:
        chosen = [part for one in ("HTTP", "GATE", "AP-MIG-0*") for part in ("--only", one)]
        done = subprocess.run(
            [
                *(
                    sys.executable,
                    "-m",
                    "nip_ap",
                    "run",
                    "-v",
                    relay.url,
                    "--keys",
                    folder / "keys.json",
                ),
                *(*chosen, "--out", out / "lmdb" / "run", "--alluredir", out / "allure"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        relay.stop()
    assert done.returncode == 1, done.stdout + done.stderr
    for arguments in (["site", out, "--out", out / "site"], ["history", out / "lmdb"]):
        made = CliRunner().invoke(cli.main, [str(one) for one in arguments])
        assert made.exit_code == 0, made.output
    texts = everything_in(out) | {"stdout": done.stdout, "stderr": done.stderr}
    return texts, secrets


def test_every_format_is_there_and_holds_frames_of_the_http_door(written):
    texts, _ = written
    names = " ".join(texts)
    for part in (
        "report.json", "report.html", "junit.xml", "summary.md", "badge.svg", "badge.json",
        "transcripts/", "allure/", "site/index.html", "history.html", "stdout",
    ):  # fmt: skip
        assert part in names
    sent = [name for name, text in texts.items() if "POST /query [Authorization]" in text]
    assert {name.partition("/")[0] for name in sent} >= {"lmdb", "allure", "site", "stdout"}


def forms_of(secret):
    """A secret key as text in any encoding, and its bytes in base64."""
    raw = base64.b64encode(bytes.fromhex(secret)).decode()
    return [*encodings(secret), secret.upper(), raw.rstrip("=")]


def test_no_secret_key_is_in_any_output(written):
    texts, secrets = written
    leaks = [
        (name, role)
        for role, secret in secrets.items()
        for form in forms_of(secret)
        for name, text in texts.items()
        if form in text
    ]
    assert leaks == []


def test_no_nip_98_header_is_in_any_output(written):
    texts, _ = written
    assert [name for name, text in texts.items() if "Nostr ey" in text] == []
    assert [name for name, text in texts.items() if nip98_events(text)] == []


def test_the_search_for_headers_would_find_one():
    event = {"kind": 27235, "id": "0" * 64, "sig": "0" * 128}
    header = base64.b64encode(json.dumps(event, separators=(",", ":")).encode()).decode()
    assert nip98_events(f"x {header} y")


@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_relay_that_repeats_the_header_does_not_get_it_into_a_transcript(status):
    sent = []

    def repeat(request):
        sent.append(request.headers["authorization"])
        body = {"error": f"bad header: {sent[-1]}", "message": sent[-1]}
        return http_answer(status, orjson.dumps(body))

    transcript = Transcript()
    with HttpServer(repeat) as server:
        door = HttpDoor(
            server.url,
            who="owner",
            key=SecretKey.fresh(),
            transcript=transcript,
            now=lambda: int(time.time()),
            network=LiveNetwork(),
        )
        answer = door.publish_json({}, "0" * 64)
        if status != 200:
            reading = door.query([Filter.of(kinds=[1])])
            assert "(the credential that was sent)" in reading.refusal
        door.close()
    text = "\n".join(frame.text for frame in transcript.frames)
    assert "(the credential that was sent)" in text
    assert "(the credential that was sent)" in answer.message
    for header in sent:
        assert header.removeprefix("Nostr ") not in text + answer.message
