"""The retention store: who replaces whom, whose rows are whose, and compare-and-clear."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from nip_ap.nostr import Event, SecretKey
from nip_ap_client.mapping import draft_of
from nip_ap_client.retention import RetentionStore, StoreError, store_path

KEY = SecretKey.derived("tests", "retention")
VECTOR_PUBKEY = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


def event(text: str, at: int = 1000, slug: str = "one") -> Event:
    return draft_of(slug, text, at=at).signed_by(KEY)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RetentionStore]:
    made = RetentionStore(tmp_path / "r.db", relay="ws://r/", owner=KEY.pubkey)
    yield made
    made.close()


def test_what_is_retained_is_read_back(store: RetentionStore) -> None:
    kept = event("a")
    assert store.retain(kept, "one", pending=True, base="b")
    row = store.row("one")
    assert row is not None
    assert (row.event, row.pending, row.base) == (kept, True, "b")


def test_a_newer_event_replaces_and_an_older_one_does_not(store: RetentionStore) -> None:
    newer = event("new", at=1001)
    store.retain(event("old"), "one", pending=False)
    assert store.retain(newer, "one", pending=True)
    assert not store.retain(event("older", at=999), "one", pending=False)
    row = store.row("one")
    assert row is not None
    assert (row.event, row.pending) == (newer, True)


@pytest.mark.parametrize("first", [0, 1])
def test_within_one_second_the_lowest_id_stays(store: RetentionStore, first: int) -> None:
    pair = sorted((event("a"), event("b")), key=lambda one: one.id)
    store.retain(pair[first], "one", pending=True)
    store.retain(pair[1 - first], "one", pending=True)
    row = store.row("one")
    assert row is not None
    assert row.event == pair[0]


def test_a_flag_is_cleared_for_exactly_the_event_that_was_sent(store: RetentionStore) -> None:
    sent, edited = event("sent"), event("edited", at=1001)
    store.retain(sent, "one", pending=True)
    store.retain(edited, "one", pending=True)
    assert not store.acknowledge(sent, "one")
    assert [row.event for row in store.pending()] == [edited]
    assert store.acknowledge(edited, "one")
    assert store.pending() == []


def test_rows_belong_to_one_relay_and_one_owner(tmp_path: Path) -> None:
    other = SecretKey.derived("tests", "other")
    scopes = [("ws://r", KEY), ("ws://r", other), ("ws://s", KEY)]
    for number, (relay, key) in enumerate(scopes):
        store = RetentionStore(tmp_path / "r.db", relay=relay, owner=key.pubkey)
        store.retain(draft_of("one", str(number), at=1).signed_by(key), "one", pending=True)
        store.close()
    for number, (relay, key) in enumerate(scopes):
        store = RetentionStore(tmp_path / "r.db", relay=relay, owner=key.pubkey)
        assert [row.content for row in store.pending()] == [str(number)]
        store.close()


def test_deletions_go_before_everything_else(store: RetentionStore) -> None:
    from nip_ap.nostr import DELETION, Draft

    store.retain(event("a", at=5), "one", pending=True)
    store.retain(Draft(DELETION, 9, ()).signed_by(KEY), "two", pending=True)
    assert [row.slug for row in store.pending()] == ["two", "one"]


def test_a_damaged_row_does_not_hide_the_others(store: RetentionStore) -> None:
    for slug in ("one", "two", "three"):
        store.retain(event("x", slug=slug), slug, pending=True)
    store._db.execute("UPDATE persona_events SET raw_event = '{' WHERE d_tag = 'two'")
    sound, damaged = store.served()
    assert sorted(one.slug for one in sound) == ["one", "three"]
    assert damaged == ["two"]


def test_a_row_whose_event_was_tampered_with_is_damaged(store: RetentionStore) -> None:
    store.retain(event("x"), "one", pending=True)
    store._db.execute("UPDATE persona_events SET content = 'y'")
    assert store.served()[1] == ["one"]


def test_a_transaction_is_all_or_nothing(store: RetentionStore) -> None:
    def half() -> None:
        with store.transaction():
            store.retain(event("a"), "one", pending=True)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert store.rows() == {}


def test_the_store_uses_wal(tmp_path: Path, store: RetentionStore) -> None:
    with sqlite3.connect(tmp_path / "r.db") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    ("relay", "name"),
    [
        ("wss://a.example", "2e5d01b67c33a3984c5ccee94478adb2bc5e86c3fa8133e4dcb7dfdfc5ea01ee"),
        ("wss://a.example/", "2e5d01b67c33a3984c5ccee94478adb2bc5e86c3fa8133e4dcb7dfdfc5ea01ee"),
        ("ws://localhost:3000", "bbca075bffe2d9f99941cf7d5958af5aaa2c26b3012725d04cb4fdb68f2cbde6"),
    ],
)
def test_store_files_are_named_by_owner_and_relay(relay: str, name: str) -> None:
    path = store_path(Path("base"), VECTOR_PUBKEY, relay)
    assert path == Path("base/retention") / f"{name}.db"


def test_a_file_that_is_no_database_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "r.db").write_bytes(b"this is no database, however long one looks at it" * 40)
    with pytest.raises(StoreError, match="Move it away"):
        RetentionStore(tmp_path / "r.db", relay="ws://r", owner=KEY.pubkey)
