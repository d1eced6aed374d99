"""The key with which the relay signs what it says itself, kept in its database."""

from __future__ import annotations

import sqlite3

from nip_ap.nostr import SecretKey


def own_key(database: sqlite3.Connection) -> SecretKey:
    """The key of a database, made when it is first asked for: the same after a restart."""
    database.execute("CREATE TABLE IF NOT EXISTS identity (secret TEXT NOT NULL)")
    found = database.execute("SELECT secret FROM identity").fetchone()
    if found is not None:
        return SecretKey.from_hex(found[0])
    key = SecretKey.fresh()
    database.execute("INSERT INTO identity VALUES (?)", (key.secret_hex(),))
    return key
