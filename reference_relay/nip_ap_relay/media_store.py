"""Blobs by their SHA-256: in memory, or in a folder beside the database. Bounded either way."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Blob:
    """What is known of stored bytes; `uploaded` in Unix seconds, `dim` as 640x480 or empty."""

    sha256: str
    size: int
    mime: str
    ending: str
    url: str
    uploaded: int
    is_inline: bool
    dim: str = ""

    @property
    def name(self) -> str:
        """Under which it is served."""
        return f"{self.sha256}.{self.ending}"

    def descriptor(self) -> dict[str, object]:
        """What an upload is answered with (Blossom)."""
        said: dict[str, object] = {
            "url": self.url,
            "sha256": self.sha256,
            "size": self.size,
            "type": self.mime,
            "uploaded": self.uploaded,
        }
        return said | ({"dim": self.dim} if self.dim else {})


class NoRoom(Exception):
    """All the room for blobs is taken."""


class MediaStore:
    """Blobs, each once. A blob is named by what it is, so that no name comes from a client."""

    def __init__(self, folder: Path | None = None, room: int = 256 * _MIB) -> None:
        """Keep them in a folder, made when it is first needed, or in memory; `room` is in bytes."""
        self._folder = folder
        self._room = room
        self._blobs: dict[str, Blob] = {}
        self._contents: dict[str, bytes] = {}
        self._read_folder()

    def _read_folder(self) -> None:
        if self._folder is None or not self._folder.is_dir():
            return
        for file in self._folder.glob("*.json"):
            blob = Blob(**json.loads(file.read_text(encoding="utf-8")))
            self._blobs[blob.sha256] = blob

    def get(self, sha256: str) -> Blob | None:
        """What is known of a blob."""
        return self._blobs.get(sha256)

    def content(self, blob: Blob) -> bytes:
        """The bytes of a blob."""
        if self._folder is None:
            return self._contents[blob.sha256]
        return (self._folder / blob.sha256).read_bytes()

    def put(self, blob: Blob, content: Callable[[], bytes]) -> Blob:
        """Keep a blob, once; gives the one that is kept. Raises NoRoom."""
        if (known := self._blobs.get(blob.sha256)) is not None:
            return known
        if sum(one.size for one in self._blobs.values()) + blob.size > self._room:
            raise NoRoom
        if self._folder is None:
            self._contents[blob.sha256] = content()
        else:
            self._write(self._folder, blob, content())
        self._blobs[blob.sha256] = blob
        return blob

    @staticmethod
    def _write(folder: Path, blob: Blob, content: bytes) -> None:
        """The bytes first, then what is known of them: half a blob is none."""
        folder.mkdir(mode=0o700, exist_ok=True)
        for name, data in (
            (blob.sha256, content),
            (f"{blob.sha256}.json", json.dumps(asdict(blob)).encode()),
        ):
            unfinished = folder / f"{name}.part"
            unfinished.write_bytes(data)
            os.replace(unfinished, folder / name)
