"""What the relay keeps, in SQLite: events, their tags, channels, threads. No rule lives here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from nip_ap.nostr import Event
from nip_ap_relay.audience import Readers, as_text
from nip_ap_relay.channels import Channel
from nip_ap_relay.direct_message_store import DirectMessageStore
from nip_ap_relay.index import Index
from nip_ap_relay.media_store import MediaStore
from nip_ap_relay.names import Names
from nip_ap_relay.own_key import own_key
from nip_ap_relay.schema import schema_for
from nip_ap_relay.threads import Place

COLUMNS = "number, id, pubkey, kind, created_at, slug, readers, channel, address, raw"

_ROOM = 256 * 1024
"""Bytes that have to find room where writes failed before: the largest content of an event."""

_VERSION = 3
"""Of the layout of a database file."""

_INSERT = (
    f"INSERT INTO events ({COLUMNS.removeprefix('number, ')}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

LIVE, SUPERSEDED, DELETED = 0, 1, 2


class Condition(NamedTuple):
    """An SQL condition on the table of events, with its values."""

    sql: str
    values: tuple[Any, ...]


class Row(NamedTuple):
    """A stored event, without the need to parse it; `raw` is its JSON text.

    `readers` are the keys that alone may read it, or None (audience.py).
    """

    number: int
    id: str
    pubkey: str
    kind: int
    created_at: int
    slug: str | None
    readers: str | None
    channel: str | None
    address: str | None
    raw: str

    @property
    def order(self) -> tuple[int, str]:
        """Sort key of NIP-01: newest first, then lowest id."""
        return (-self.created_at, self.id)

    @classmethod
    def of(
        cls,
        number: int,
        event: Event,
        *,
        address: str | None,
        slug: str | None,
        readers: Readers,
        channel: str | None,
    ) -> Row:
        """The row of an event with what the policy decided about it."""
        raw = orjson.dumps(event.to_json()).decode()
        return cls(
            number,
            event.id,
            event.pubkey,
            event.kind,
            event.created_at,
            slug,
            as_text(readers),
            channel,
            address,
            raw,
        )


class Store:
    """One SQLite database. Writes gather in a transaction until `commit`: a group commit."""

    def __init__(self, path: Path | None = None) -> None:
        """Open a file, durable at each commit, or memory where there is none."""
        self._db = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        # The index below is this process's own, so the database has to be, too.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._see_to_the_version()
        self._see_to_its_soundness()
        self._db.executescript(schema_for(sqlite3.sqlite_version_info))
        self._is_reread = False
        self.direct = DirectMessageStore(self._db, self._begin)
        self.direct.create_tables()
        self.own_key = own_key(self._db)
        self.names = Names(self._db, self._begin)
        self.names.create_table()
        self.media = MediaStore(path and path.with_name(f"{path.name}.media"))
        self._index = self._read_index()

    def _see_to_the_version(self) -> None:
        """Raise DatabaseError where another version of this relay made the file."""
        (found,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and found != _VERSION:
            raise sqlite3.DatabaseError("it was made by another program or version of the relay")
        self._db.execute(f"PRAGMA user_version = {_VERSION}")

    def _see_to_its_soundness(self) -> None:
        """Raise DatabaseError where SQLite finds its own structures damaged."""
        (found,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(f"it is damaged: {' '.join(found.split())}")

    def _read_index(self) -> Index:
        return Index(
            self._db.execute("SELECT number, id, iif(gone = 0, address, NULL) FROM events")
        )

    def close(self) -> None:
        self.commit()
        self._db.close()

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN")

    def commit(self) -> None:
        """Make everything written so far durable."""
        if self._db.in_transaction:
            self._db.execute("COMMIT")
        self._index.settle()
        self._is_reread = False

    def roll_back(self) -> None:
        """Forget what was written since the last commit.

        A full disk makes SQLite end the transaction by itself: then there is nothing to roll back.
        """
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        if self._is_reread:
            self._index = self._read_index()
            self._is_reread = False
        else:
            self._index.undo()

    def try_to_write(self) -> None:
        """Write as much as a large event takes, and take it back. Raises sqlite3.Error."""
        self.commit()
        self._begin()
        self._db.execute("DELETE FROM room")
        self._db.execute("INSERT INTO room VALUES (zeroblob(?))", (_ROOM,))
        self.commit()
        self._begin()
        self._db.execute("DELETE FROM room")
        self.commit()

    # -- events ----------------------------------------------------------------

    def add(
        self,
        event: Event,
        *,
        address: str | None,
        slug: str | None,
        readers: Readers,
        channel: str | None,
    ) -> Row:
        """Store an event. Tags of one letter become searchable. Raises IntegrityError on a copy."""
        if self.knows(event.id):
            raise sqlite3.IntegrityError(f"event {event.id} is stored already")
        self._begin()
        row = Row.of(0, event, address=address, slug=slug, readers=readers, channel=channel)
        cursor = self._db.execute(_INSERT, row[1:])
        row = row._replace(number=cursor.lastrowid or 0)
        self._index.add(row.number, row.id, row.address)
        tags = {
            (tag[0], tag[1], row.number)
            for tag in event.tags
            if len(tag) > 1 and len(tag[0]) == 1 and not (tag[0] == "d" and slug is not None)
        }
        if tags:
            self._db.executemany("INSERT INTO tags VALUES (?, ?, ?)", tags)
        return row

    def remove(self, row: Row, why: int) -> None:
        """Take an event out of every answer, and remember that it was here."""
        self._begin()
        self._db.execute("UPDATE events SET gone = ? WHERE number = ?", (why, row.number))
        self._index.retire(row.number, row.address)

    def restore(self, identifier: str) -> None:
        """Bring a superseded event back to life; only a rogue does."""
        self._begin()
        for row in list(self._numbered(identifier, f"gone = {SUPERSEDED}")):
            self._db.execute("UPDATE events SET gone = 0 WHERE number = ?", (row.number,))
            self._index.add(row.number, row.id, row.address)

    def restore_everything(self) -> None:
        """Bring back all that was ever replaced or deleted; only a rogue does."""
        self._begin()
        self._db.execute("UPDATE events SET gone = ?", (LIVE,))
        self._index, self._is_reread = self._read_index(), True

    def forget_deleted(self, identifier: str) -> None:
        """Remove the last trace of a deleted event; only a rogue does."""
        self._begin()
        for row in list(self._numbered(identifier, f"gone = {DELETED}")):
            self._db.execute("DELETE FROM events WHERE number = ?", (row.number,))
            self._index.forget(identifier)

    def forget_all_deleted(self) -> None:
        """Remove the last trace of every deleted event; only a rogue does."""
        self._begin()
        self._db.execute("DELETE FROM events WHERE gone = ?", (DELETED,))
        self._index, self._is_reread = self._read_index(), True

    def knows(self, identifier: str) -> bool:
        """Whether an event was ever stored, also if it was removed since."""
        return self._index.number(identifier) is not None

    def event_by_id(self, identifier: str) -> Row | None:
        """A live event."""
        return next(self._numbered(identifier, "gone = 0"), None)

    def _numbered(self, identifier: str, condition: str) -> Iterator[Row]:
        """The event of that id, if it meets a condition."""
        return self.select(f"number = ? AND {condition}", (self._index.number(identifier),))

    def rows_at(self, address: str) -> list[Row]:
        """The live events at an address: one, unless a rule says otherwise."""
        return [row for one in self._index.at(address) for row in self.select("number = ?", (one,))]

    def numbers_of(self, identifiers: Iterable[str]) -> tuple[int, ...]:
        """The numbers of the events of these ids, live or gone, as far as they are known."""
        return self._index.numbers(identifiers)

    def numbers_at(self, addresses: Iterable[str]) -> tuple[int, ...]:
        """The numbers of the live events at these addresses."""
        return tuple(number for one in addresses for number in self._index.at(one))

    def select(
        self, condition: str, values: Sequence[Any], order: str = "", extra: str = ""
    ) -> Iterator[Row]:
        """The rows that meet an SQL condition, lazily."""
        sql = f"SELECT {COLUMNS} FROM events{extra} WHERE {condition} {order}"
        return map(Row._make, self._db.execute(sql, values))

    def count_versions(self, condition: str, values: Sequence[Any]) -> int:
        """How many rows meet a condition."""
        found = self._db.execute(f"SELECT count(*) FROM events WHERE {condition}", values)
        return int(found.fetchone()[0])

    def count_by_channel(self, condition: Condition) -> list[tuple[str, int]]:
        """How many rows meet a condition in each channel that has some."""
        where = f"{condition.sql} AND channel IS NOT NULL GROUP BY channel"
        sql = f"SELECT channel, count(*) FROM events WHERE {where}"
        return self._db.execute(sql, condition.values).fetchall()

    # -- words -----------------------------------------------------------------

    def index_words(self) -> None:
        """Bring the full-text index up to date; done when somebody searches, not at each write."""
        self._begin()
        found = self._db.execute("SELECT max(up_to) FROM indexed").fetchone()[0] or 0
        newest = self._db.execute("SELECT max(number) FROM events").fetchone()[0] or 0
        if newest == found:
            return
        self._db.execute(
            "INSERT INTO words (rowid, content) "
            "SELECT number, json_extract(raw, '$.content') FROM events "
            "WHERE number > ? AND number <= ?",
            (found, newest),
        )
        self._db.execute("DELETE FROM indexed")
        self._db.execute("INSERT INTO indexed VALUES (?)", (newest,))

    # -- channels and threads --------------------------------------------------

    def channel(self, identifier: str | None) -> Channel | None:
        if identifier is None:
            return None
        found = self._db.execute(
            "SELECT id, name, visibility, archived FROM channels WHERE id = ?", (identifier,)
        ).fetchone()
        if found is None:
            return None
        roles = dict(
            self._db.execute("SELECT pubkey, role FROM members WHERE channel = ?", (identifier,))
        )
        return Channel(found[0], found[1], found[2], bool(found[3]), roles)

    def put_channel(self, identifier: str, name: str, visibility: str, archived: bool) -> None:
        self._begin()
        self._db.execute(
            "INSERT OR REPLACE INTO channels VALUES (?, ?, ?, ?)",
            (identifier, name, visibility, archived),
        )

    def remove_channel(self, identifier: str) -> None:
        self._begin()
        self._db.execute("DELETE FROM channels WHERE id = ?", (identifier,))
        self._db.execute("DELETE FROM members WHERE channel = ?", (identifier,))

    def put_member(self, channel: str, pubkey: str, role: str) -> None:
        self._begin()
        self._db.execute("INSERT OR REPLACE INTO members VALUES (?, ?, ?)", (channel, pubkey, role))

    def remove_member(self, channel: str, pubkey: str) -> None:
        self._begin()
        self._db.execute("DELETE FROM members WHERE channel = ? AND pubkey = ?", (channel, pubkey))

    def put_place(self, identifier: str, place: Place) -> None:
        self._begin()
        self._db.execute(
            "INSERT OR REPLACE INTO threads VALUES (?, ?, ?, ?, ?)",
            (
                self._index.number(identifier),
                place.root,
                place.parent,
                place.depth,
                place.broadcast,
            ),
        )

    def place_of(self, identifier: str) -> Place | None:
        found = self._db.execute(
            "SELECT root, parent, depth, broadcast FROM threads WHERE event = ?",
            (self._index.number(identifier),),
        ).fetchone()
        return None if found is None else Place(found[0], found[1], found[2], bool(found[3]))

    def placed(self, condition: str, values: Sequence[Any]) -> list[tuple[Row, Place]]:
        """Rows with their places in threads, oldest first; `condition` may name both tables."""
        sql = (
            f"SELECT {COLUMNS}, root, parent, depth, broadcast "
            f"FROM events JOIN threads ON threads.event = events.number WHERE {condition} "
            "ORDER BY created_at, id"
        )
        return [
            (Row._make(found[:10]), Place(found[10], found[11], found[12], bool(found[13])))
            for found in self._db.execute(sql, values)
        ]
