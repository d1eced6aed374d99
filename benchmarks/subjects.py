"""The relays that are measured side by side, each started fresh with an empty store."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from peers.declarations import HERE, Peer, peer_named
from peers.relay import install, running

from nip_ap.targets import BundledTarget

MEMORY, DISK = "memory", "disk"


@dataclass(frozen=True)
class Subject:
    """One relay in one configuration; `run` gives its URL for as long as it runs."""

    name: str
    storage: str
    note: str
    run: Callable[[], AbstractContextManager[str]]
    is_ours: bool = False


@contextmanager
def _bundled(on_disk: bool) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="bench-bundled-") as folder:
        kept = ("--db", str(Path(folder) / "relay.sqlite3")) if on_disk else ()
        target = BundledTarget(("--open", *kept))
        target.start()
        try:
            yield target.url
        finally:
            target.stop()


def _of_peer(
    peer: Peer, installed_as: Peer, work: Path
) -> Callable[[], contextlib.AbstractContextManager[str]]:
    programs = install(installed_as, work)
    return lambda: running(peer, programs, work / f"{peer.name}.log")


def _nostr_sdk_on_lmdb() -> Peer:
    def start(programs: Path, data: Path, port: int) -> list[str]:
        script = str(HERE / "nostr_sdk_relay.py")
        return [str(programs / "python"), script, str(port), "lmdb", str(data / "lmdb")]

    return replace(peer_named("nostr-sdk"), name="nostr-sdk-lmdb", start=start)


def subjects(work: Path) -> list[Subject]:
    """All of them, installed below `work` where need be. Raises PeerFailed, Skipped."""
    sdk = peer_named("nostr-sdk")
    found = [
        Subject("bundled", MEMORY, "SQLite in memory", lambda: _bundled(False), is_ours=True),
        Subject("nostr-sdk", MEMORY, "hash maps", _of_peer(sdk, sdk, work)),
        Subject(
            "bundled", DISK, "SQLite, WAL, synchronous=FULL, group commit",
            lambda: _bundled(True), is_ours=True,
        ),
        Subject("nostr-sdk", DISK, "LMDB", _of_peer(_nostr_sdk_on_lmdb(), sdk, work)),
    ]  # fmt: skip
    for name, note in (
        ("nostr-relay-lmdb", "LMDB; a queue of writes, so OK comes before the commit"),
        ("nostr-relay-sqlite", "SQLite"),
        ("nostr-rs-relay", "SQLite, a writer with group commit"),
    ):
        peer = peer_named(name)
        found.append(Subject(name, DISK, note, _of_peer(peer, peer, work)))
    return found
