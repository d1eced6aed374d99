"""A hostile relay as a process beside a test."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def serving(name):
    """The hostile relay of that name in a process of its own; gives its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.hostile", name], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        yield f"ws://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
