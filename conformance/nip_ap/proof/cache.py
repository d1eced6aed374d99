"""What a proof keeps from one run to the next, by the digest of all that it depends on.

Nothing here is ever wrong, only missing: an entry is named by its content's causes, so one that
does not fit any more is not found. Processes may share a folder; a file appears whole or not.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nip_ap.model.faults import UsageFault

_GENERATIONS = 6
"""Versions of the suite of which entries are kept."""


class CacheUnusable(UsageFault, ValueError):
    """A folder that cannot hold the cache; the message says why."""


@dataclass(frozen=True)
class Cache:
    """Entries of one version of the suite, in a folder; without a folder nothing is kept."""

    folder: Path | None

    def read(self, name: str) -> Any:
        """An entry; None where there is none that can be read."""
        if self.folder is None:
            return None
        try:
            return orjson.loads(gzip.decompress((self.folder / f"{name}.json.gz").read_bytes()))
        except (OSError, EOFError, ValueError):
            return None

    def write(self, name: str, value: object) -> None:
        """Keep an entry. Raises CacheUnusable."""
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".new", delete=False) as new:
                new.write(gzip.compress(orjson.dumps(value), 1))
            os.replace(new.name, self.folder / f"{name}.json.gz")
        except OSError as error:
            raise CacheUnusable(
                f"{self.folder} cannot hold the proof's cache: {error.strerror}; "
                "choose another folder with --cache"
            ) from None


def usual_folder() -> Path:
    """Where caches go on this machine (XDG Base Directory Specification)."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "nip-ap" / "proof"


def cache_in(folder: Path, version: str) -> Cache:
    """The cache of one version of the suite; those of versions long gone are removed."""
    generations = sorted(folder.glob("*/"), key=_age)
    for old in generations[_GENERATIONS - 1 :]:
        if old.name != version:
            shutil.rmtree(old, ignore_errors=True)
    found = Cache(folder / version)
    if found.folder is not None and found.folder.is_dir():
        os.utime(found.folder)
    return found


def digest(*parts: str | bytes) -> str:
    """A name for what depends on all of these."""
    found = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()[:24]


def digest_of_files(files: Iterable[Path]) -> str:
    """A name for what depends on the names and contents of these files."""
    return digest(*(part for one in sorted(files) for part in (one.name, one.read_bytes())))


def _age(folder: Path) -> float:
    try:
        return -folder.stat().st_mtime
    except OSError:
        return 0.0
