"""One whole, certified run of the bundled relay for all tests that look at what such a run leaves.

It takes both cores for half a minute, so it is made once; the processes of `pytest -n` share it.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from nip_ap.nostr import SecretKey

SEED = "certified"
ISSUER = SecretKey.derived("tests", "issuer")


@dataclass(frozen=True)
class WholeRun:
    """The run's working directory, which held nothing before it, and what it printed."""

    cwd: Path
    code: int
    out: str
    err: str

    @property
    def report(self) -> Path:
        """The folder that was asked for with --out."""
        return self.cwd / "report"


def whole_run_below(folder: Path) -> WholeRun:
    """The run, made by the first of several processes that asks for it."""
    told = folder / "whole-run.json"
    with (folder / "whole-run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            told.write_text(json.dumps(_made(folder)))
    return WholeRun(folder / "whole-run", **json.loads(told.read_text()))


def _made(folder: Path) -> dict[str, object]:
    cwd, key = folder / "whole-run", folder / "issuer.key"
    cwd.mkdir()
    key.write_text(ISSUER.secret_hex() + "\n")
    key.chmod(0o600)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "nip_ap", "run", "--seed", SEED, "-n", "2"),
            *("--out", str(cwd / "report"), "--certify", str(key)),
        ],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=600,
        check=False,
    )
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    """A run of everything on the bundled relay, with reports and a certificate."""
    shared = tmp_path_factory.getbasetemp()
    return whole_run_below(shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared)
