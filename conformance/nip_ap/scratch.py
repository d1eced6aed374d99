"""A folder for everything temporary of a run, gone when the run is, however it ends."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# It makes the folder, says where, waits for its input to close, and removes it. A run that was
# killed leaves processes for a moment, which may still write there; so it tries again.
_JANITOR = """
trap '' INT TERM HUP
folder=$(mktemp -d "$1/nip-ap-run-XXXXXX") || exit 1
echo "$folder"
while read -r line; do :; done
tries=0
while [ "$tries" -lt 50 ]; do
    rm -rf -- "$folder" 2>/dev/null
    [ -e "$folder" ] || exit 0
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
    janitor = subprocess.Popen(
        ["/bin/sh", "-c", _JANITOR, "janitor", tempfile.gettempdir()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert janitor.stdin is not None
    assert janitor.stdout is not None
    try:
        folder = janitor.stdout.readline().rstrip("\n")
        if not folder:
            raise OSError(f"no folder can be made in {tempfile.gettempdir()}")
        yield Path(folder)
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
