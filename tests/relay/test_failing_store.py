"""A disk that is full, a file that is damaged: nothing acknowledged is lost, and it is said."""

from __future__ import annotations

import asyncio
import random
import resource
import sqlite3

import httpx
import pytest

from nip_ap.nostr import PERSONA, Draft, Filter, SecretKey
from nip_ap.targets import BundledTarget, TargetError
from nip_ap_relay.policy import Policy
from nip_ap_relay.relay import FAILED, Relay
from nip_ap_relay.store import Store
from tests.relay.talking import door_to

BLOCK = 30_000


@pytest.fixture
def key():
    return SecretKey.fresh()


class Written:
    """A relay in this process whose disk can be made full."""

    def __init__(self, path, key, now):
        self.store = Store(path)
        self.relay = Relay(Policy(), self.store)
        self.key = key
        self.now = now
        self.number = 0

    def pages(self):
        return self.store._db.execute("PRAGMA page_count").fetchone()[0]

    def fill(self):
        """No page more than there are now."""
        self.store._db.execute(f"PRAGMA max_page_count = {self.pages()}")

    def make_room(self):
        self.store._db.execute("PRAGMA max_page_count = 1000000")

    async def publish(self, count=1, size=BLOCK):
        """Publish in one batch; gives the events with what they were told."""
        answers = []
        for _ in range(count):
            self.number += 1
            draft = Draft(PERSONA, self.now, (("d", f"s{self.number}"),), "x" * size)
            event = draft.signed_by(self.key)
            self.relay.submit(
                event,
                self.relay.caller(self.key.pubkey),
                lambda ok, message, event=event: answers.append((event, ok, message)),
            )
        self.relay.flush()
        return answers

    def found(self):
        wanted = [Filter.of(kinds=[PERSONA], authors=[self.key.pubkey])]
        return {row.id for row in self.relay.query(self.key.pubkey).rows(wanted, "req")}


@pytest.fixture
def written(tmp_path, key, now):
    return Written(tmp_path / "relay.sqlite", key, now)


def test_a_full_disk_is_told_and_passes(written):
    async def play():
        kept = {event.id for event, ok, _ in await written.publish(3) if ok}
        assert len(kept) == 3
        written.fill()
        answers = await written.publish(5)
        refused = [(ok, message) for _, ok, message in answers if not ok]
        kept |= {event.id for event, ok, _ in answers if ok}
        assert refused
        assert set(refused) == {(False, FAILED)}
        assert written.found() == kept
        assert "full" in written.relay.trouble()
        assert (await written.publish())[0][1:] == (False, FAILED)
        assert written.found() == kept
        written.make_room()
        again = await written.publish(5)
        assert [ok for _, ok, _ in again] == [True] * 5
        assert written.found() == kept | {event.id for event, _, _ in again}
        assert written.relay.trouble() == ""

    asyncio.run(play())


def test_what_was_refused_on_a_full_disk_can_be_sent_again(written):
    async def play():
        await written.publish(2)
        written.fill()
        ((event, ok, _),) = await written.publish(1, size=200_000)
        assert not ok
        written.make_room()
        answers = []
        written.relay.submit(
            event, written.relay.caller(event.pubkey), lambda *answer: answers.append(answer)
        )
        written.relay.flush()
        assert answers == [(True, "")]
        assert event.id in written.found()

    asyncio.run(play())


def test_health_finds_out_itself_that_there_is_room_again(written, monkeypatch):
    monkeypatch.setattr("nip_ap_relay.relay._BETWEEN_TRIES", 0.0)

    async def play():
        await written.publish(2)
        written.fill()
        await written.publish(1, size=200_000)
        assert "full" in written.relay.trouble()
        written.make_room()
        assert written.relay.trouble() == ""

    asyncio.run(play())


def test_a_batch_that_fails_is_undone_in_the_index_too(written, key):
    async def play():
        ((first, _, _),) = await written.publish()
        later = Draft(PERSONA, first.created_at + 1, first.tags, "x" * 250_000).signed_by(key)
        written.fill()
        answers = []
        written.relay.submit(
            later, written.relay.caller(key.pubkey), lambda *answer: answers.append(answer)
        )
        written.relay.flush()
        assert answers == [(False, FAILED)]
        assert written.found() == {first.id}
        assert not written.store.knows(later.id)

    asyncio.run(play())


# -- as a process --------------------------------------------------------------------------


@pytest.fixture
def on_a_small_disk(monkeypatch, tmp_path):
    """A relay process whose file may grow to 1 MB, as by a quota."""
    target = BundledTarget(("--db", str(tmp_path / "relay.sqlite")))
    target.start()
    resource.prlimit(target.group, resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    yield target
    logs = target.logs()
    target.stop()
    assert 'File "' not in logs, logs


def test_a_relay_on_a_full_disk_says_so_and_goes_on(on_a_small_disk, key, now):
    target = on_a_small_disk
    health = "http" + target.url.removeprefix("ws") + "/health"
    door = door_to(target.url, key)
    kept, refused = [], []
    for number in range(60):
        event = Draft(PERSONA, now, (("d", f"s{number}"),), "x" * BLOCK).signed_by(key)
        answer = door.publish(event)
        (kept if answer.accepted else refused).append(event.id)
        if not answer.accepted:
            assert answer.message.startswith("error:")
    assert kept
    assert refused
    assert httpx.get(health, trust_env=False).status_code == 503
    reading = door.query([Filter.of(kinds=[PERSONA], authors=[key.pubkey])])
    assert sorted(reading.ids) == sorted(kept)
    resource.prlimit(
        target.group, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    event = Draft(PERSONA, now, (("d", "after"),), "x" * BLOCK).signed_by(key)
    assert door.publish(event).accepted
    assert httpx.get(health, trust_env=False).status_code == 200
    door.close()
    target.kill()
    target.start()
    door = door_to(target.url, key)
    reading = door.query([Filter.of(kinds=[PERSONA], authors=[key.pubkey])])
    assert sorted(reading.ids) == sorted([*kept, event.id])
    door.close()


# -- damage --------------------------------------------------------------------------------


@pytest.fixture
def filled(tmp_path, key, now):
    """A database file with some hundred events, closed in good order."""
    path = tmp_path / "damaged.sqlite"
    written = Written(path, key, now)
    asyncio.run(written.publish(300, size=500))
    written.relay.close()
    return path


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file_is_refused_in_a_sentence_or_serves_what_it_has(filled, key, seed):
    chance = random.Random(seed)
    data = bytearray(filled.read_bytes())
    for _ in range(20):
        start = chance.randrange(100, len(data) - 512)
        data[start : start + 512] = chance.randbytes(512)
    filled.write_bytes(data)
    with pytest.raises(sqlite3.DatabaseError, match=r"damaged|malformed|not a database"):
        Store(filled)


def test_damage_is_said_at_start(filled):
    data = bytearray(filled.read_bytes())
    data[4096:8192] = b"\0" * 4096
    filled.write_bytes(data)
    with pytest.raises(TargetError, match="cannot be used as a database: ") as told:
        BundledTarget(("--db", str(filled))).start()
    assert "Traceback" not in str(told.value)
