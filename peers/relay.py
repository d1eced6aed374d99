"""A peer on this machine: its programs installed once, its process started and stopped for sure."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from nip_ap.nostr.message import EoseMessage, read_message
from peers.declarations import HERE, Peer

_START_LIMIT = 30.0
_STOP_LIMIT = 5.0
_ANSWER_LIMIT = 2.0


class Skipped(Exception):
    """This machine cannot have the peer; the message says why."""


class PeerFailed(Exception):
    """The peer could not be installed or did not start."""


def programs_of(peer: Peer, work: Path) -> Path:
    """The folder where a peer's programs are, once installed."""
    return work / peer.name / "bin"


def is_installed(peer: Peer, work: Path) -> bool:
    """Whether `install` has nothing left to do."""
    stamp = work / peer.name / "installed"
    return stamp.is_file() and stamp.read_text() == _wanted(peer)


def install(peer: Peer, work: Path) -> Path:
    """Install a peer into a folder of its own, if need be. Raises Skipped, PeerFailed."""
    if is_installed(peer, work):
        return programs_of(peer, work)
    if peer.crate:
        _build(peer, work)
    else:
        _make_environment(peer, work)
    (work / peer.name / "installed").write_text(_wanted(peer))
    return programs_of(peer, work)


def _wanted(peer: Peer) -> str:
    return json.dumps([*peer.packages, peer.crate])


def _make_environment(peer: Peer, work: Path) -> None:
    folder = work / peer.name
    shutil.rmtree(folder, ignore_errors=True)
    _do(sys.executable, "-m", "venv", str(folder))
    pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet")
    _do(*pip, "--constraint", str(HERE / "constraints.txt"), *peer.packages)


def _build(peer: Peer, work: Path) -> None:
    assert peer.crate is not None
    for tool, remedy in (
        ("cargo", "a Rust toolchain"),
        ("protoc", "the package protobuf-compiler"),
    ):
        if shutil.which(tool) is None:
            raise Skipped(f"{peer.name} is built from source, and {tool} is missing ({remedy})")
    name, version = peer.crate
    # Not --locked: the locked `time` does not compile with a Rust of today.
    _do(
        *("cargo", "install", name, "--version", version, "--root", str(work / peer.name)),
        CARGO_TARGET_DIR=str(work / "cargo-target"),
    )


def _do(*words: str, **environment: str) -> None:
    print("+", *words, flush=True)
    done = subprocess.run(words, env=os.environ | environment)
    if done.returncode:
        raise PeerFailed(f"{words[0]} failed with exit code {done.returncode}")


@contextmanager
def running(peer: Peer, programs: Path, log: Path) -> Iterator[str]:
    """The peer on a free port with an empty store; gives its URL. Raises PeerFailed.

    Its process group is gone afterwards, whatever happened in between.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix=f"{peer.name}-") as folder, log.open("wb") as output:
        data = Path(folder)
        for name, text in peer.files(data, port).items():
            (data / name).write_text(text)
        process = subprocess.Popen(
            peer.start(programs, data, port),
            cwd=data,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            url = f"ws://127.0.0.1:{port}"
            _await_answer(url, process, log)
            yield url
        finally:
            _end(process)


def _await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """An open port is no proof of readiness: wait until a REQ gets its EOSE."""
    deadline = time.monotonic() + _START_LIMIT
    while not answers(url):
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
            raise PeerFailed(f"it ended with {process.returncode}: {log.read_text()[-2000:]}")
        if time.monotonic() > deadline:
            raise PeerFailed(f"no EOSE within {_START_LIMIT:g} s: {log.read_text()[-2000:]}")


def answers(url: str) -> bool:
    """Whether a REQ gets its EOSE, whatever else the relay says before."""
    deadline = time.monotonic() + _ANSWER_LIMIT
    try:
        with connect(url, open_timeout=_ANSWER_LIMIT, close_timeout=1, proxy=None) as connection:
            connection.send('["REQ","ready",{"kinds":[1],"limit":1}]')
            while (left := deadline - time.monotonic()) > 0:
                if read_message(connection.recv(timeout=left)) == EoseMessage("ready"):
                    return True
    except (OSError, TimeoutError, WebSocketException, EOFError):
        return False
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process group to end, then make it end."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_LIMIT)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
