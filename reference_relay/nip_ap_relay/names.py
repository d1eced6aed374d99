"""The names that profiles claim, in the store's database (NIP-05): who asked first holds one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """A table of a database; `begin` opens its transaction, which the store commits."""

    db: sqlite3.Connection
    begin: Callable[[], None]

    def create_table(self) -> None:
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS names ("
            "handle TEXT NOT NULL, pubkey TEXT NOT NULL, PRIMARY KEY (handle, pubkey))"
        )

    def claimed_by(self, pubkey: str) -> str | None:
        """The `name@domain` of a key, the newest."""
        found = self.db.execute(
            "SELECT handle FROM names WHERE pubkey = ? ORDER BY rowid DESC", (pubkey,)
        ).fetchone()
        return None if found is None else str(found[0])

    def claimants_of(self, handle: str) -> list[str]:
        """The keys that claim a name, in the order in which they came."""
        found = self.db.execute(
            "SELECT pubkey FROM names WHERE handle = ? ORDER BY rowid", (handle,)
        )
        return [pubkey for (pubkey,) in found]

    def claim(self, pubkey: str, handle: str) -> None:
        self.begin()
        self.db.execute("INSERT OR IGNORE INTO names VALUES (?, ?)", (handle, pubkey))

    def give_up(self, pubkey: str, but: str | None) -> None:
        """Take a key's claims back, except that of one name."""
        self.begin()
        self.db.execute("DELETE FROM names WHERE pubkey = ? AND handle IS NOT ?", (pubkey, but))
