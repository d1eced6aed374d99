"""Sets of given keys, each in the hands of one check at a time.

A check takes the personas of its author for its own. With keys of --keys that is so only while no
other check has the same keys, in whatever process, so that each set has a lock of this machine.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from nip_ap.nostr import SecretKey

Keys = Mapping[str, SecretKey]


class KeyTurns:
    """What one process does to get a set of keys to itself."""

    def __init__(self, sets: Sequence[Keys], folder: Path | None = None) -> None:
        self._sets = [one for one in sets if one]
        self._folder = folder or Path(tempfile.gettempdir(), f"nip-ap-keys-{os.getuid()}")
        self._held = ExitStack()

    def take(self) -> Keys:
        """A set that no other check has; waits for one where all are taken. None given: none."""
        self.give_back()
        if not self._sets:
            return {}
        for one in self._sets:
            if self._lock(one, fcntl.LOCK_EX | fcntl.LOCK_NB):
                return one
        waited_for = self._sets[os.getpid() % len(self._sets)]
        self._lock(waited_for, fcntl.LOCK_EX)
        return waited_for

    def give_back(self) -> None:
        """Leave the set to others."""
        self._held.close()

    def _lock(self, keys: Keys, how: int) -> bool:
        """Whether every key of a set is this process's now; always in the same order."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for pubkey in sorted({key.pubkey for key in keys.values()}):
            path = self._folder / f"{pubkey[:32]}.lock"
            handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
            self._held.callback(os.close, handle)
            try:
                fcntl.flock(handle, how)
            except BlockingIOError:
                self._held.close()
                return False
        return True
