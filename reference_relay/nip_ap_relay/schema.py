"""The tables of a store, as SQL."""

from __future__ import annotations

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    pubkey TEXT NOT NULL,
    kind INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    slug TEXT,
    readers TEXT,
    channel TEXT,
    address TEXT,
    raw TEXT NOT NULL,
    gone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS by_author ON events (pubkey, kind, created_at DESC) WHERE gone = 0;
CREATE INDEX IF NOT EXISTS by_kind ON events (kind, created_at DESC) WHERE gone = 0;
CREATE INDEX IF NOT EXISTS by_time ON events (created_at DESC) WHERE gone = 0;
CREATE INDEX IF NOT EXISTS by_gate ON events (kind, channel, readers) WHERE gone = 0;
CREATE INDEX IF NOT EXISTS by_many_readers ON events (kind)
    WHERE gone = 0 AND instr(readers, ' ');
CREATE TABLE IF NOT EXISTS tags (
    name TEXT NOT NULL, value TEXT NOT NULL, event INTEGER NOT NULL,
    PRIMARY KEY (name, value, event)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS channels (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, visibility TEXT NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS members (
    channel TEXT NOT NULL, pubkey TEXT NOT NULL, role TEXT NOT NULL,
    PRIMARY KEY (channel, pubkey)
);
CREATE TABLE IF NOT EXISTS threads (
    event INTEGER PRIMARY KEY, root TEXT NOT NULL, parent TEXT NOT NULL,
    depth INTEGER NOT NULL, broadcast INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS by_root ON threads (root, depth);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (content, content='', contentless_delete=1);
CREATE TABLE IF NOT EXISTS indexed (up_to INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS room (filler BLOB NOT NULL);
"""
# Contentless tables that can delete came with SQLite 3.43; before it, gone rows are filtered.
_OLD_WORDS = "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (content, content='');"


def schema_for(version: tuple[int, ...]) -> str:
    """The tables, as this version of SQLite can have them."""
    if version >= (3, 43):
        return _SCHEMA
    return "\n".join(_OLD_WORDS if "fts5" in line else line for line in _SCHEMA.splitlines())
