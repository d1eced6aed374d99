"""A folder for everything temporary of a run, gone when the run is, however it ends."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nip_ap.targets.supervision import Supervision


@contextmanager
def vanishing_folder() -> Iterator[Path]:
    """A folder in the usual place; its supervisor removes it once this process is gone.

    Raises TargetError where no folder can be made.
    """
    supervision = Supervision(None, "the folder of this run")
    try:
        yield Path(supervision.places["folder"])
    finally:
        supervision.end()


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
