"""What waits for a relay that was left goes out with the next run, whatever relay that names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nip_ap.nostr import DELETION, PERSONA, Draft, Event, SecretKey
from nip_ap_client.mapping import draft_of
from nip_ap_client.retention import RetentionStore, store_path
from nip_ap_client.scopes import Drain, Scope, others
from tests.client.conftest import NOW, MemoryRelay

KEY = SecretKey.derived("tests", "owner")
LEFT, OTHER = "wss://left.example", "wss://other.example"


def persona(text: str, at: int) -> Event:
    return draft_of("reader", text, at=at).signed_by(KEY)


def deletion(at: int) -> Event:
    tags = (("a", f"{PERSONA}:{KEY.pubkey}:reader"), ("k", str(PERSONA)))
    return Draft(DELETION, at, tags).signed_by(KEY)


def opened(base: Path, relay: str = LEFT, owner: str = KEY.pubkey) -> RetentionStore:
    return RetentionStore(store_path(base, owner, relay), relay=relay, owner=owner)


def keep(base: Path, *events: Event, relay: str = LEFT, owner: str = KEY.pubkey) -> None:
    store = opened(base, relay, owner)
    for event in events:
        store.retain(event, "reader", pending=True)
    store.close()


def drained(base: Path, relay: MemoryRelay, now: Callable[[], int] = lambda: NOW) -> str:
    store = opened(base)
    try:
        return Drain(store, relay, KEY, now=now, stale_after=600, ahead=900).run()
    finally:
        store.close()


def test_only_other_relays_of_the_owner_with_something_that_waits(tmp_path: Path) -> None:
    keep(tmp_path, persona("{}", NOW))
    keep(tmp_path, persona("{}", NOW), relay=OTHER)
    keep(tmp_path, persona("{}", NOW), owner="f" * 64)
    opened(tmp_path, "wss://idle.example").close()
    (tmp_path / "retention" / "notes.db").write_text("no database")
    active = store_path(tmp_path, KEY.pubkey, OTHER)
    found = others(tmp_path, active, KEY.pubkey, OTHER + "/")
    assert found == [Scope(LEFT, store_path(tmp_path, KEY.pubkey, LEFT))]


def test_deletions_go_first_and_what_was_taken_waits_no_more(
    tmp_path: Path, relay: MemoryRelay
) -> None:
    keep(tmp_path, persona("{}", NOW), deletion(NOW - 5))
    assert drained(tmp_path, relay) == f"2 sent to {LEFT}"
    assert [one.kind for one in relay.came] == [DELETION, PERSONA]
    assert drained(tmp_path, relay) == f"0 sent to {LEFT}"
    assert len(relay.came) == 2


def test_what_is_too_old_is_dated_anew_unless_it_is_overtaken(
    tmp_path: Path, relay: MemoryRelay
) -> None:
    keep(tmp_path, persona('{"old":1}', NOW - 5_000))
    assert drained(tmp_path, relay) == f"1 sent to {LEFT}"
    assert [one.created_at for one in relay.came] == [NOW]
    keep(tmp_path, deletion(NOW - 5_000))
    assert drained(tmp_path, relay) == f"0 sent to {LEFT}"
    assert relay.kept[KEY.pubkey, "reader"].created_at == NOW


def test_what_is_dated_too_far_ahead_waits(tmp_path: Path, relay: MemoryRelay) -> None:
    keep(tmp_path, deletion(NOW + 1_000))
    assert drained(tmp_path, relay) == f"0 sent to {LEFT}, 1 still wait"
    assert relay.came == []
    relay.now = NOW + 200
    assert drained(tmp_path, relay, lambda: NOW + 200) == f"1 sent to {LEFT}"
