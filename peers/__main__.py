"""`python -m peers`: the suite on each peer, and what it saw under reports/published."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from peers.declarations import PEERS, Peer, peer_named
from peers.publish import Unexplained, publish, write_index
from peers.relay import PeerFailed, Skipped, install, running

ROOT = Path(__file__).resolve().parent.parent
_RUN_LIMIT = 600.0
SEED = "peers"


def main() -> int:
    """0 where each peer ran (or was skipped) and each red is explained, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m peers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="PEER", help=f"of {[p.name for p in PEERS]}")
    parser.add_argument("--work", type=Path, default=ROOT / ".peers", help="where peers live")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "published")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    failed = False
    for peer in [peer_named(name) for name in options.names] or PEERS:
        try:
            publish(peer, run_one(peer, work), options.out)
        except Skipped as reason:
            print(f"{peer.name}: skipped: {reason}", flush=True)
        except (PeerFailed, Unexplained) as reason:
            print(f"{peer.name}: FAILED: {reason}", flush=True)
            failed = True
    write_index(options.out)
    return int(failed)


def run_one(peer: Peer, work: Path) -> Path:
    """Install, start, run the suite, stop; gives the folder of the reports."""
    programs = install(peer, work)
    found = work / "reports" / peer.name
    found.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with running(peer, programs, found / "relay.log") as url:
        code = judge(url, found)
    print(f"{peer.name}: exit {code} after {time.monotonic() - began:.0f} s", flush=True)
    return found


def judge(url: str, out: Path) -> int:
    """`nip-ap run` on a URL; its exit code. Raises PeerFailed where it gives no verdict."""
    program = Path(sys.executable).parent / "nip-ap"
    words = [str(program), "run", url, "--seed", SEED, "-n", "2", "--out", str(out)]
    with (out / "run.txt").open("wb") as output:
        process = subprocess.Popen(
            words, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(_RUN_LIMIT)
        except subprocess.TimeoutExpired:
            raise PeerFailed(f"the suite did not end within {_RUN_LIMIT:g} s") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if code not in (0, 1, 2):
        raise PeerFailed(f"nip-ap run exited {code}: {(out / 'run.txt').read_text()[-2000:]}")
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
