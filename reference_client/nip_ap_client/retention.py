"""The retention store: every event is kept here before it is sent (docs/real-relay.md 8).

SQLite with WAL. Rows belong to one relay and one owner, whatever else is in the file. A write
replaces a row only where NIP-01 lets the event replace the other: later wins, and within one
second the lowest id; the original let the last write of a second win.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import orjson

from nip_ap.nostr import DELETION, PERSONA, Event, MalformedEvent

_SCHEMA = """
CREATE TABLE IF NOT EXISTS persona_events (
    relay TEXT NOT NULL,
    kind INTEGER NOT NULL,
    pubkey TEXT NOT NULL,
    d_tag TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    raw_event TEXT NOT NULL,
    pending_sync INTEGER NOT NULL DEFAULT 0,
    base TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (relay, kind, pubkey, d_tag)
) WITHOUT ROWID;
"""
_COLUMNS = "kind, d_tag, content, created_at, raw_event, pending_sync, base"
_OWN = "relay = ? AND pubkey = ?"
_UPSERT = f"""
INSERT INTO persona_events (relay, pubkey, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    content = excluded.content, created_at = excluded.created_at,
    raw_event = excluded.raw_event, pending_sync = excluded.pending_sync, base = excluded.base
WHERE excluded.created_at > created_at
   OR (excluded.created_at = created_at
       AND json_extract(excluded.raw_event, '$.id') < json_extract(raw_event, '$.id'))
"""


FOLDER = "retention"
"""Where stores are, below the base directory."""

LOCK_LIMIT = 30.0
"""Seconds that a run waits for another run to be done with the store."""

_LOCK_PAUSE = 0.05
_SQLITE_LIMIT = 5.0
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class StoreError(Exception):
    """A store that cannot be used; the message names the file and never its content."""


class StoreInUse(StoreError):
    """A store that somebody else has open; nothing is wrong with it."""


@dataclass(frozen=True)
class Retained:
    """One row: an event, whether the relay still has to acknowledge it, and what it stands on.

    `base` is the hash of the content that the event replaces, so that a later run can tell an own
    older version on the relay from somebody else's edit.
    """

    kind: int
    slug: str
    content: str
    created_at: int
    raw: str
    pending: bool
    base: str

    @cached_property
    def event(self) -> Event:
        """The event of the row. Raises MalformedEvent where the row is damaged."""
        try:
            event = Event.from_json(orjson.loads(self.raw))
        except orjson.JSONDecodeError as error:
            raise MalformedEvent(f"no JSON: {error}") from None
        if (event.kind, event.content, event.created_at) != (
            self.kind,
            self.content,
            self.created_at,
        ) or event.computed_id != event.id:
            raise MalformedEvent("the event and its columns do not agree")
        return event


def normal_relay(url: str) -> str:
    """A relay's URL as rows and file names have it: trimmed, without trailing slashes."""
    return url.strip().rstrip("/")


def store_path(base: Path, owner: str, relay: str) -> Path:
    """`<base>/retention/<hex>.db`, one file for each owner and relay (docs/real-relay.md 8)."""
    scope = f"{owner.strip().lower()}\0{normal_relay(relay)}".encode()
    return base / FOLDER / f"{hashlib.sha256(scope).hexdigest()}.db"


def tombstone_key(kind: int, slug: str) -> str:
    """The `d_tag` of the row that keeps a deletion request: a slug alone is a persona's."""
    return slug if kind == PERSONA else f"{kind}:{slug}"


def kind_of_tombstone(key: str) -> int:
    """The kind that a deletion request is about; a persona's slug has no colon."""
    kind, colon, _ = key.partition(":")
    return int(kind) if colon else PERSONA


class RetentionStore:
    """The rows of one owner at one relay."""

    def __init__(
        self,
        path: Path | None,
        *,
        relay: str,
        owner: str,
        lock_limit: float = LOCK_LIMIT,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Open or create a store; None makes one in memory. Raises StoreError.

        One run at a time has a store: another waits until it is closed, at most `lock_limit`
        seconds, and `say` is told.
        """
        self.relay = normal_relay(relay)
        self.owner = owner
        self.path = path
        self._lock: IO[str] | None = None
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._lock = path.with_name(path.name + ".lock").open("a")
                self._take(self._lock, lock_limit, say)
        except OSError as error:
            raise StoreError(
                f"the retention store {path} cannot be used: {error.strerror}"
            ) from None
        with self._explained():
            self._db = sqlite3.connect(
                path or ":memory:", isolation_level=None, timeout=_SQLITE_LIMIT
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)

    def _take(self, lock: IO[str], limit: float, say: Callable[[str], None]) -> None:
        until, told = time.monotonic() + limit, False
        while True:
            try:
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise StoreInUse(
                        f"another run has had the store {self.path} for {limit:g} s; run again "
                        "when it has ended. Nothing was published"
                    ) from None
            if not told:
                say(f"waiting for another run to be done with {self.path}, up to {limit:g} s")
                told = True
            time.sleep(_LOCK_PAUSE)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """What SQLite complains of, in words that fit the cause. Raises StoreError."""
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in _IN_USE:
                raise StoreInUse(
                    f"the retention store {self.path} is in use by another program ({error}); "
                    "close it and run again. Leave the store where it is"
                ) from None
            raise StoreError(
                f"the retention store {self.path} cannot be used: {error}. Move it away to start "
                "a new one; the personas themselves are in personas.json and on the relay"
            ) from None

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        with self._explained():
            return self._db.execute(statement, values)

    def close(self) -> None:
        """Close the file and let the next run in."""
        self._db.close()
        if self._lock is not None:
            self._lock.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes of the block, or none: also where the process is killed inside."""
        self._run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._run("COMMIT")

    # -- reading ---------------------------------------------------------------

    def rows(self, kind: int = PERSONA) -> dict[str, Retained]:
        """The rows of one kind by slug."""
        found = self._run(
            f"SELECT {_COLUMNS} FROM persona_events WHERE {_OWN} AND kind = ?",
            (self.relay, self.owner, kind),
        )
        return {row[1]: _retained(row) for row in found}

    def tombstones(self, kind: int = PERSONA) -> dict[str, Retained]:
        """Deletion requests for one kind by slug, waiting or sent."""
        mine = tombstone_key(kind, "")
        return {
            slug.removeprefix(mine): row
            for slug, row in self.rows(DELETION).items()
            if kind_of_tombstone(slug) == kind
        }

    def row(self, slug: str, kind: int = PERSONA) -> Retained | None:
        """One row, or None."""
        found = self._run(
            f"SELECT {_COLUMNS} FROM persona_events WHERE {_OWN} AND kind = ? AND d_tag = ?",
            (self.relay, self.owner, kind, slug),
        ).fetchone()
        return None if found is None else _retained(found)

    def pending(self) -> list[Retained]:
        """What the relay has not acknowledged: deletions first, then by date."""
        found = self._run(
            f"SELECT {_COLUMNS} FROM persona_events WHERE {_OWN} AND pending_sync = 1",
            (self.relay, self.owner),
        )
        waiting = [_retained(row) for row in found]
        return sorted(waiting, key=lambda row: (row.kind != DELETION, row.created_at))

    def served(self) -> tuple[list[Event], list[str]]:
        """What an offline start can show: sound heads, and the slugs of damaged rows."""
        sound, damaged = [], []
        for slug, row in self.rows().items():
            try:
                sound.append(row.event)
            except MalformedEvent:
                damaged.append(slug)
        return sound, damaged

    # -- writing ---------------------------------------------------------------

    def retain(self, event: Event, slug: str, *, pending: bool, base: str = "") -> bool:
        """Keep an event; False where the row there is the later one by NIP-01."""
        raw = orjson.dumps(event.to_json()).decode()
        values = (event.kind, slug, event.content, event.created_at, raw, pending, base)
        cursor = self._run(_UPSERT, (self.relay, self.owner, *values))
        return cursor.rowcount > 0

    def adopt(self, event: Event, slug: str) -> None:
        """Take the relay's head as what is retained, in place of whatever was."""
        self.drop(slug, event.kind)
        self.retain(event, slug, pending=False)

    def acknowledge(self, event: Event, slug: str) -> bool:
        """Clear the flag of exactly this event; False where the row holds another by now."""
        cursor = self._run(
            f"UPDATE persona_events SET pending_sync = 0 WHERE {_OWN} AND kind = ? AND d_tag = ? "
            "AND json_valid(raw_event) AND json_extract(raw_event, '$.id') = ?",
            (self.relay, self.owner, event.kind, slug, event.id),
        )
        return cursor.rowcount > 0

    def drop(self, slug: str, kind: int = PERSONA) -> None:
        """Forget a row."""
        self._run(
            f"DELETE FROM persona_events WHERE {_OWN} AND kind = ? AND d_tag = ?",
            (self.relay, self.owner, kind, slug),
        )


def _retained(row: tuple[Any, ...]) -> Retained:
    kind, slug, content, created_at, raw, pending, base = row
    return Retained(kind, slug, content, created_at, raw, bool(pending), base)
