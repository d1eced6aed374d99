"""Waits for a rate limit that the user can see: processes note them, the command tells of them."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path


class WaitNote:
    """The note of one process in a folder: until when it waits, and why."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / str(os.getpid())

    def write(self, why: str, left: float) -> None:
        """Note a wait of so many seconds; one that cannot be noted is waited for all the same."""
        with contextlib.suppress(OSError):
            self._file.write_text(f"{time.time() + left:.1f} {why}", encoding="utf-8")


def waiting_in(folder: Path, now: float) -> list[tuple[float, str]]:
    """The seconds left and the reason of each process that waits, the longest first."""
    found: list[tuple[float, str]] = []
    if not folder.is_dir():  # the run is over, and its board is gone
        return found
    for file in folder.iterdir():
        until, _, why = file.read_text(encoding="utf-8").partition(" ")
        with contextlib.suppress(ValueError):
            if (left := float(until) - now) > 0:
                found.append((left, why))
    return sorted(found, reverse=True)


def in_words(waiting: list[tuple[float, str]]) -> str:
    """One line about the longest wait and how many there are."""
    left, why = waiting[0]
    others = f", and {len(waiting) - 1} more" if len(waiting) > 1 else ""
    return f"waiting {max(1, round(left))} s for a rate limit{others}: {why[:120]}"


def waits_folder(board: str) -> Path:
    """Where on the board of a run such notes hang."""
    folder = Path(board) / "waits"
    folder.mkdir(exist_ok=True)
    return folder
