"""The suite itself: how long a run takes on each relay, by the number of workers."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from peers.declarations import PEERS, Peer
from peers.relay import install, running

from nip_ap.targets import BundledTarget

WORKERS = (1, 2, 4, 8)
_RUN_LIMIT = 900.0


def measure(work: Path, workers: Sequence[int] = WORKERS) -> list[dict[str, Any]]:
    """Wall seconds and milliseconds a check, for each relay and number of workers."""
    found = [_row("bundled", _bundled(), workers)]
    for peer in PEERS:
        found.append(_row(peer.name, _peer(peer, work), workers))
    return found


def _row(name: str, relay: AbstractContextManager[str], workers: Sequence[int]) -> dict[str, Any]:
    times = {}
    with relay as url:
        for number in workers:
            times[str(number)] = _timed(url, number)
            print(f"suite on {name} with -n {number}: {times[str(number)]}", flush=True)
    return {"relay": name, "workers": times}


def _timed(url: str, workers: int) -> dict[str, Any]:
    words = [sys.executable, "-m", "nip_ap", "run", url, "-n", str(workers), "--json"]
    began = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, timeout=_RUN_LIMIT, check=False)
    seconds = time.monotonic() - began
    if done.returncode not in (0, 1, 2):
        raise RuntimeError(f"nip-ap run exited {done.returncode}: {done.stderr[-2000:]}")
    ran = [one for one in json.loads(done.stdout)["checks"] if one["verdict"] != "not applicable"]
    return {
        "seconds": round(seconds, 1),
        "checks": len(ran),
        "ms a check": round(1000 * seconds / len(ran), 1),
    }


@contextmanager
def _bundled() -> Iterator[str]:
    target = BundledTarget()
    target.start()
    try:
        yield target.url
    finally:
        target.stop()


def _peer(peer: Peer, work: Path) -> AbstractContextManager[str]:
    return running(peer, install(peer, work), work / f"{peer.name}.log")
