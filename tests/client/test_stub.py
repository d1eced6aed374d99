"""The stub relay: its control door, its faults, and runs of the real command against it."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nip_ap.clients.claims import canaries, encodings, heads_are_there, many, secrets_in
from nip_ap.clients.device import Device
from nip_ap.clients.stub import TOKEN, Stub, shared_stub, texts_of
from nip_ap.nostr import PERSONA, Draft, SecretKey
from nip_ap.targets import BundledTarget
from nip_ap.wire import Transcript

COMMAND = f"{sys.executable} -m nip_ap_client --base {{base}} --relay {{relay}} --key-file {{key}}"


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = shared_stub()
    made.reset()
    yield made
    made.reset()


@pytest.fixture
def device(stub: Stub, tmp_path: Path) -> Device:
    base, key_file = tmp_path / "agents", tmp_path / "key"
    base.mkdir()
    key = SecretKey.fresh()
    key_file.write_text(key.secret_hex())
    key_file.chmod(0o600)
    return Device("laptop", base, key, key_file, COMMAND, "", stub, Transcript())


# -- the control door ------------------------------------------------------------------


def test_the_door_takes_no_wrong_token(stub: Stub) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(Path(stub._folder.name) / "control"))
        door.sendall(b'{"token": "wrong", "do": "heads"}\n')
        assert json.loads(door.makefile("rb").readline()) == {"error": "wrong token"}


def test_the_door_survives_what_is_no_request(stub: Stub) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(Path(stub._folder.name) / "control"))
        for line in (b"no json\n", b"[]\n", b"{}\n"):
            door.sendall(line)
            assert "error" in json.loads(door.makefile("rb").readline())


def test_a_relay_without_the_token_has_no_door(tmp_path: Path) -> None:
    path = tmp_path / "control"
    for token in ("", "short"):
        target = BundledTarget(environment={"NIP_AP_RELAY_CONTROL": str(path), TOKEN: token})
        target.start()
        target.stop()
        assert not path.exists()


def test_a_port_that_is_down_refuses_and_comes_back(stub: Stub) -> None:
    host, port = stub.url.removeprefix("ws://").split(":")
    stub.goes_down()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
    stub.comes_up()
    socket.create_connection((host, int(port))).close()


def test_a_reset_forgets_events_and_orders(stub: Stub) -> None:
    key = SecretKey.fresh()
    import time

    stub.put(Draft(PERSONA, int(time.time()), (("d", "one"),), "{}").signed_by(key))
    assert list(stub.heads(key)) == ["one"]
    stub.order(silent=True)
    stub.reset()
    assert stub.heads(key) == {}
    assert stub.log() == []


# -- the command -----------------------------------------------------------------------


def run(device: Device, *more: str) -> subprocess.CompletedProcess[str]:
    arguments = ["--base", device.base, "--relay", device.stub.url, "--key-file", device.key_file]
    return subprocess.run(
        [sys.executable, "-m", "nip_ap_client", *map(str, arguments), *more],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_exit_codes_and_the_summary(device: Device, personas: list[dict[str, Any]]) -> None:
    device.has(personas)
    device.stub.goes_down()
    down = run(device)
    assert down.returncode == 3
    assert "waiting: 3 waiting, 1 skipped" in down.stdout
    device.stub.comes_up()
    first, second = run(device), run(device, "--json")
    assert (first.returncode, second.returncode) == (0, 0)
    assert "synced: 3 synced (3 published), 1 skipped" in first.stdout
    states = [one["state"] for one in json.loads(second.stdout)["personas"]]
    assert states == ["synced", "synced", "synced", "skipped"]
    device.writes(b"[")
    broken = run(device)
    assert broken.returncode == 1
    assert "is not valid JSON at line 1" in broken.stderr


def test_a_dry_run_writes_and_sends_nothing(device: Device, personas: list[dict[str, Any]]) -> None:
    device.has(personas)
    before = sorted(device.base.rglob("*"))
    done = run(device, "--dry-run")
    assert done.returncode == 0
    assert "planned: 3 planned (3 publish), 1 skipped; nothing was signed" in done.stdout
    assert sorted(device.base.rglob("*")) == before
    assert device.stub.heard() == []


def test_two_runs_at_once_take_turns(device: Device, personas: list[dict[str, Any]]) -> None:
    device.has(personas)
    both = [device.starts(), device.starts()]
    assert [one.end().code for one in both] == [0, 0]
    assert len(device.stub.ids()) == 3


def test_no_secret_in_frames_store_output_or_arguments(
    device: Device, personas: list[dict[str, Any]]
) -> None:
    """F22 with everything that a run leaves behind, and the control that the search works."""
    secret, shown = canaries("tests")
    env = {"TOKEN": secret[0], "TEXT": f"x\n{secret[1]}"}
    device.has(personas)
    device.edits(
        personas[1]["id"], system_prompt=shown, env_vars=env, unheard_of={"deep": [secret[2]]}
    )
    said = ""
    for more in ([], ["--json"], ["--dry-run"]):
        done = run(device, *more)
        said += done.stdout + done.stderr
    device.edits(personas[1]["id"], env_vars={"TOKEN": secret[1]})
    said += run(device).stdout
    (database,) = device.base.rglob("*.db")
    with sqlite3.connect(database) as opened:
        dump = "\n".join(opened.iterdump())
    left = {
        "wire": texts_of(device.stub.log()),
        "store": dump,
        "store file": database.read_bytes().decode("latin-1"),
        "output": said,
    }
    for place, text in left.items():
        assert secrets_in(text, [*secret, device.key.secret_hex()]) == [], place
    for place in ("wire", "store", "store file"):
        assert any(form in left[place] for form in encodings(shown)), place


@pytest.mark.parametrize("form", range(len(encodings("canary0123456789abcdef"))))
def test_the_search_finds_a_mark_in_every_encoding(form: int) -> None:
    mark = "canary0123456789abcdef"
    assert secrets_in(f'{{"x": "{encodings(mark)[form]}"}}', [mark]) == [mark]
    assert secrets_in("nothing here", [mark]) == []


def test_the_key_of_a_run_is_in_no_process_list(device: Device) -> None:
    device.has([])
    device.stub.order(silent=True)
    running = device.starts()
    commands = [
        path.read_bytes()
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if os.access(path, os.R_OK) and path.exists()
    ]
    running.end()
    assert not any(device.key.secret_hex().encode() in line for line in commands)


def test_a_thousand_personas(device: Device) -> None:
    """F34: published and verified within 10 s; later runs are silent and take at most 2 s.

    The best of three counts: on a machine that is busy elsewhere one run says little.
    """
    records = many(1000, "tests")
    device.has(records)
    first = device.runs()
    heads_are_there(device, records)
    before = len(device.stub.heard())
    again = [device.runs() for _ in range(3)]
    assert {one.code for one in again} == {0}
    assert len(device.stub.heard()) == before == 1000
    assert first.seconds < 10
    assert min(one.seconds for one in again) < 2
