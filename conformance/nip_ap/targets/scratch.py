"""A folder for everything temporary of a run, gone when the run is, however it ends."""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# It waits for its input to close and removes the folder. A run that was killed leaves processes for
# a moment, which may still write there; so it tries again.
_JANITOR = """
trap '' INT TERM HUP
echo ready
while read -r line; do :; done
tries=0
while [ "$tries" -lt 50 ]; do
    rm -rf -- "$1" 2>/dev/null
    [ -e "$1" ] || exit 0
    tries=$((tries + 1))
    sleep 0.1
done
"""
_LIMIT = 10.0


@contextmanager
def vanishing_folder() -> Iterator[Path]:
    """A folder in the usual place; a process of its own removes it once this one is gone.

    Raises OSError where no folder can be made.
    """
    folder = Path(tempfile.gettempdir(), f"nip-ap-run-{secrets.token_hex(8)}")
    janitor = subprocess.Popen(
        ["/bin/sh", "-c", _JANITOR, "janitor", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert janitor.stdin is not None
    assert janitor.stdout is not None
    try:
        janitor.stdout.readline()
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        janitor.stdin.close()
        janitor.stdout.close()
        with suppress(subprocess.TimeoutExpired):
            janitor.wait(_LIMIT)


@contextmanager
def everything_temporary_in(folder: Path) -> Iterator[None]:
    """Let this process, and those that it starts, put their temporary files there."""
    before, at = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = at
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
