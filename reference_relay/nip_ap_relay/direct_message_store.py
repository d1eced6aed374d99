"""Direct messages in the store's database: which people have which channel, and who hid what."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_SCHEMA = """
CREATE TABLE IF NOT EXISTS direct_messages (
    people TEXT PRIMARY KEY, channel TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS hidden (
    viewer TEXT NOT NULL, channel TEXT NOT NULL, PRIMARY KEY (viewer, channel)
);
"""


@dataclass(frozen=True)
class DirectMessageStore:
    """Tables of a database; `begin` opens its transaction, which the store commits."""

    db: sqlite3.Connection
    begin: Callable[[], None]

    def create_tables(self) -> None:
        self.db.executescript(_SCHEMA)

    def channel_of(self, people: Iterable[str]) -> str | None:
        """The channel of exactly these people."""
        found = self.db.execute(
            "SELECT channel FROM direct_messages WHERE people = ?", (_key(people),)
        ).fetchone()
        return None if found is None else str(found[0])

    def people_of(self, channel: str) -> frozenset[str]:
        """For whom a channel was made; nobody where it is not a direct message."""
        found = self.db.execute(
            "SELECT people FROM direct_messages WHERE channel = ?", (channel,)
        ).fetchone()
        return frozenset() if found is None else frozenset(found[0].split())

    def put(self, people: Iterable[str], channel: str) -> None:
        self.begin()
        self.db.execute(
            "INSERT OR REPLACE INTO direct_messages VALUES (?, ?)", (_key(people), channel)
        )

    def hidden_by(self, viewer: str) -> tuple[str, ...]:
        """The channels that a viewer hid, in the order in which that happened."""
        found = self.db.execute(
            "SELECT channel FROM hidden WHERE viewer = ? ORDER BY rowid", (viewer,)
        )
        return tuple(channel for (channel,) in found)

    def hide(self, viewer: str, channel: str) -> None:
        self.begin()
        self.db.execute("INSERT OR IGNORE INTO hidden VALUES (?, ?)", (viewer, channel))

    def show(self, viewer: str, channel: str) -> bool:
        """Take a channel out of what a viewer hid; whether it was there."""
        self.begin()
        left = self.db.execute(
            "DELETE FROM hidden WHERE viewer = ? AND channel = ?", (viewer, channel)
        )
        return left.rowcount > 0


def _key(people: Iterable[str]) -> str:
    return " ".join(sorted(people))
