"""A canary: keys that a user gives are in no argument, environment, log, traceback or core file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from nip_ap.clients.claims import encodings
from nip_ap.nostr import SecretKey

ROLES = ("owner", "stranger", "other owner")


@pytest.fixture
def given(tmp_path):
    """A key file and an issuer's key; gives their paths and all secrets."""
    keys = {role: SecretKey.fresh().secret_hex() for role in ROLES}
    issuer = SecretKey.fresh().secret_hex()
    files = {"keys.json": json.dumps(keys), "issuer.key": issuer}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    return tmp_path / "keys.json", tmp_path / "issuer.key", [*keys.values(), issuer]


def watched(words, cwd):
    """Run a command; gives what it printed and, by process, arguments and environment."""
    command = [sys.executable, "-m", "nip_ap", *map(str, words)]
    environment = os.environ | {"NIP_AP_RELAY_LOG": "debug"}
    process = subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    seen = {}

    def look():
        top = psutil.Process(process.pid)
        while process.poll() is None:
            for one in [top, *_children(top)]:
                for name in ("cmdline", "environ"):
                    _note(seen, one.pid, name)
            time.sleep(0.02)

    watcher = threading.Thread(target=look)
    watcher.start()
    printed = process.communicate(timeout=120)[0].decode(errors="replace")
    watcher.join()
    return process.returncode, printed, seen


def _children(top):
    try:
        return top.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _note(seen, pid, name):
    try:
        text = Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
    except OSError:
        return
    seen[pid, name, text] = text


def leaks(secrets, texts):
    """Where a secret stands, in any encoding."""
    forms = [form for one in secrets for form in encodings(one)]
    return [where for where, text in texts.items() if any(form in text for form in forms)]


def test_given_keys_are_in_no_process_and_no_output(given, tmp_path):
    keys, _, secrets = given
    words = ["run", "-n", "2", "--keys", keys, "--only", "AP-SLUG-02", "--only", "AP-AUTH-0*"]
    words += ["--only", "AP-DUR-02", "--out", tmp_path / "out", "-v"]
    code, printed, seen = watched(words, tmp_path)
    assert code == 0, printed
    assert len({pid for pid, _, _ in seen}) > 3
    written = {path: path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert len(written) > 5
    assert leaks(secrets, {**seen, **written, "printed": printed}) == []


def test_the_canary_would_be_found(given, tmp_path):
    _, _, secrets = given
    process = subprocess.Popen(["sleep", "20"], env={"KEY": secrets[0]})
    seen = {}
    try:
        time.sleep(0.1)
        for name in ("cmdline", "environ"):
            _note(seen, process.pid, name)
    finally:
        process.kill()
        process.wait()
    assert len(leaks(secrets, seen)) == 1


@pytest.mark.parametrize("where", ["keys", "issuer"])
def test_a_traceback_shows_no_key(given, tmp_path, where):
    """--debug shows the traceback of a fault; here the report cannot be written."""
    keys, issuer, secrets = given
    words = ["run", "--debug", "--out", "/proc/nowhere", "--only", "AP-SLUG-02"]
    words += ["--keys", keys] if where == "keys" else ["--certify", issuer]
    code, printed, _ = watched(words, tmp_path)
    assert code != 0
    assert "Traceback" in printed
    assert leaks(secrets, {"printed": printed}) == []


def test_a_traceback_with_locals_shows_no_key(given):
    keys, _, secrets = given
    code = (
        "import sys, traceback; from nip_ap.engine.keys import read_key_sets\n"
        "def fails():\n"
        "    sets = read_key_sets(sys.argv[1])\n"
        "    1 / 0\n"
        "try:\n"
        "    fails()\n"
        "except ZeroDivisionError as error:\n"
        "    told = traceback.TracebackException.from_exception(error, capture_locals=True)\n"
        "    print(*told.format())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, keys], capture_output=True, text=True, check=True
    )
    assert "sets = [{" in done.stdout
    assert leaks(secrets, {"printed": done.stdout}) == []


def test_who_has_read_a_secret_leaves_no_core_file(given):
    keys, _, _ = given
    code = (
        "import resource, sys; from nip_ap.engine.keys import read_keys\n"
        "limit = resource.RLIMIT_CORE; most = resource.getrlimit(limit)[1]\n"
        "resource.setrlimit(limit, (most, most)); read_keys(sys.argv[1])\n"
        "print(*resource.getrlimit(limit), most)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, keys], capture_output=True, text=True, check=True
    )
    soft, hard, most = done.stdout.split()
    assert (soft, hard) == ("0", most)
