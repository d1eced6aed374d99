"""The suite on a relay far away: a whole run through the delay proxy, by distance and workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.distance import Distance, far_away
from nip_ap.targets import BundledTarget

DISTANCES = (
    Distance(0.15),
    Distance(0.15, loss=0.01),
    Distance(0.3),
    Distance(0.3, jitter=0.03),
)
WORKERS = ("2", "auto")
_RUN_LIMIT = 3600.0


def measure(
    distances: Sequence[Distance] = DISTANCES, workers: Sequence[str] = WORKERS
) -> list[dict[str, Any]]:
    """Wall seconds and verdict of each whole run on the bundled relay."""
    target = BundledTarget(("--trust-host",))  # it is called by the proxy's port
    target.start()
    try:
        return [_row(target.url, one, number) for one in distances for number in workers]
    finally:
        target.stop()


def _row(url: str, distance: Distance, workers: str) -> dict[str, Any]:
    load = round(os.getloadavg()[0], 1)
    with far_away(url, distance) as far:
        words = [sys.executable, "-m", "nip_ap", "run", far, "-n", workers, "--json"]
        began = time.monotonic()
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=_RUN_LIMIT, check=False
        )
        seconds = time.monotonic() - began
    if done.returncode not in (0, 1, 2):
        raise RuntimeError(f"nip-ap run exited {done.returncode}: {done.stderr[-2000:]}")
    document = json.loads(done.stdout)
    found = {
        "suite": "this one",
        "checks": sum(one["verdict"] != "not applicable" for one in document["checks"]),
        "round trip ms": round(distance.round_trip * 1000),
        "jitter ms": round(distance.jitter * 1000),
        "loss %": round(distance.loss * 100, 1),
        "workers": f"-n {workers} ({document['run']['workers']})",
        "seconds": round(seconds, 1),
        "verdict": document["verdict"],
        "load": load,
    }
    print(f"from {found['round trip ms']} ms with -n {workers}: {found}", flush=True)
    return found
