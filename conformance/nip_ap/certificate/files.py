"""Files of somebody else: regular ones of bounded size, read without waiting for anybody."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from nip_ap.model.report import PREFLIGHT_PATH, transcript_path

LARGEST_CERTIFICATE = 1 << 20
LARGEST_REPORT = 4 << 20
LARGEST_TRANSCRIPT = 16 << 20
LARGEST_EVIDENCE = 64 << 20
"""Bytes; judging again holds all transcripts, and the one at hand several times. A whole run
leaves a certificate of 60 KB, a report of 0.7 MB and transcripts of 31 MB, the largest of 10 MB."""

MOST_FRAMES = 50_000
"""Frames of one transcript; those of a run of everything have up to 10,000."""

_CHUNK = 1 << 20


class TookTooLong(Exception):
    """Verifying was not done within its time; the message names what it was at."""


def in_time(deadline: float, what: str) -> None:
    """Go on, unless a moment of the monotonic clock is over. Raises TookTooLong."""
    if time.monotonic() > deadline:
        raise TookTooLong(what)


class UnfitFile(ValueError):
    """A file that is not read; the message names it and says why."""


def regular_file(path: Path, most: int) -> bytes:
    """The content of a regular file. Raises UnfitFile, and OSError where it cannot be opened."""
    return b"".join(_chunks(path, most, os.O_RDONLY))


def file_of(folder: Path, name: str, most: int) -> bytes:
    """The content of a file in somebody's folder. Raises UnfitFile."""
    try:
        return b"".join(_of_folder(folder, name, most))
    except OSError as error:
        raise UnfitFile(f"{folder / name} cannot be read: {error.strerror}") from None


def transcript_digest(folder: Path, check: str) -> str:
    """SHA-256 of the transcript of a check; "" is the preflight. Raises UnfitFile.

    An absent file has the digest "".
    """
    digest = hashlib.sha256()
    frames = 0
    name = transcript_path(check) if check else PREFLIGHT_PATH
    try:
        for chunk in _of_folder(folder, name, LARGEST_TRANSCRIPT):
            digest.update(chunk)
            frames += chunk.count(b"\n")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UnfitFile(f"{folder / name} cannot be read: {error.strerror}") from None
    if frames > MOST_FRAMES:
        raise UnfitFile(f"{folder / name} has {frames} frames, and {MOST_FRAMES} is the most")
    return digest.hexdigest()


def size_of(folder: Path, check: str) -> int:
    """Bytes of the transcript of a check; 0 where there is none."""
    try:
        return os.lstat(folder / transcript_path(check)).st_size
    except OSError:
        return 0


def _of_folder(folder: Path, name: str, most: int) -> Iterator[bytes]:
    """A file below a folder: neither it nor a folder on the way may be a symbolic link."""
    place = folder
    for part in Path(name).parts:
        place = place / part
        if place.is_symlink():
            raise UnfitFile(
                f"{place} is a symbolic link: the evidence has to lie in the folder itself"
            )
    yield from _chunks(place, most, os.O_RDONLY | os.O_NOFOLLOW)


def _chunks(path: Path, most: int, flags: int) -> Iterator[bytes]:
    # Opened like this a FIFO does not wait for a writer, and a terminal does not become ours.
    handle = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
    with os.fdopen(handle, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise UnfitFile(f"{path} is not a regular file")
        size = 0
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            if size > most:
                raise UnfitFile(f"{path} is larger than {most} bytes")
            yield chunk
