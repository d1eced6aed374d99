"""What people met who tried the migrator as new users: it says what is, and loses nothing."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from nip_ap.nostr import SecretKey
from nip_ap.nostr.bech32 import NSEC, encoded
from nip_ap_client.command import migrate
from nip_ap_client.migrator import Migrator
from nip_ap_client.records import PersonaFileError, parse, read_personas
from nip_ap_client.report import State, summary
from nip_ap_client.retention import RetentionStore, StoreInUse
from tests.client.conftest import NOW, Laptop, MemoryRelay

Record = dict[str, Any]
CLOSED = "ws://127.0.0.1:1"
"""Nobody listens there."""


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "owner.key"
    path.write_text(SecretKey.derived("tests", "owner").secret_hex())
    path.chmod(0o600)
    return path


def command(base: Path, key_file: Path, *more: str, relay: str = CLOSED) -> Result:
    given = ["--base", str(base), "--relay", relay, "--key-file", str(key_file), *more]
    return CliRunner().invoke(migrate, given)


# -- what is said is what is -----------------------------------------------------------


def test_a_duplicate_without_a_head_is_not_called_published(
    laptop: Laptop, relay: MemoryRelay, personas: list[Record]
) -> None:
    """Deleted elsewhere, between the relay's OK and the note of it."""
    laptop.has(personas[:2])
    relay.loses_answers = True
    laptop.runs()
    relay.loses_answers = False
    relay.kept.clear()
    report = laptop.runs()
    assert report.published == {}
    assert report.state is State.FAILED
    assert "has nothing at this address" in summary(report)
    again = laptop.runs()
    assert again.published == {}
    assert len(relay.came) == 2, "what was deleted elsewhere is not sent for ever"


def test_a_duplicate_that_cannot_be_looked_at_goes_on_waiting(
    laptop: Laptop, relay: MemoryRelay, personas: list[Record]
) -> None:
    class Blinded(Migrator):
        def publish(self) -> list[Any]:
            answers = super().publish()
            relay.up = False
            return answers

    laptop.has(personas[:2])
    relay.loses_answers = True
    laptop.runs()
    relay.loses_answers = False
    relay.kept.clear()
    report = laptop.runs(Blinded)
    assert (report.state, len(report.pending)) == (State.WAITING, 1)


def test_a_record_that_another_displaces_is_failed_and_named(
    laptop: Laptop, personas: list[Record]
) -> None:
    twins = [personas[1] | {"display_name": f"Twin {number}"} for number in range(4)]
    laptop.has(twins)
    report = laptop.runs()
    states = [str(one.state) for one in report.standings]
    assert sorted(states) == ["failed", "failed", "failed", "synced"]
    assert summary(report).startswith("failed: 1 synced (1 published), 3 failed\n")


def test_one_cause_is_one_line(laptop: Laptop, relay: MemoryRelay, personas: list[Record]) -> None:
    laptop.has([personas[1] | {"id": f"p-{number:03}"} for number in range(500)])
    relay.up = False
    lines = summary(laptop.runs()).splitlines()
    assert len(lines) < 6
    assert "'p-004' and 495 more" in lines[2]


def test_a_dry_run_says_planned_also_while_the_relay_is_down(
    tmp_path: Path, key_file: Path, personas: list[Record]
) -> None:
    (tmp_path / "personas.json").write_bytes(orjson.dumps(personas))
    done = command(tmp_path, key_file, "--dry-run", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 3, "a plan without the relay may be another one with it"
    assert (told["status"], "refused" in told["trouble"]) == ("planned", True)
    assert [one["state"] for one in told["personas"]] == ["planned"] * 3 + ["skipped"]
    said = command(tmp_path, key_file, "--dry-run").stdout
    assert "signed, kept or sent" in said
    assert "  publish: " in said


# -- the store -------------------------------------------------------------------------


def test_a_store_that_is_locked_is_called_in_use(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("nip_ap_client.retention._SQLITE_LIMIT", 0.05)
    path = tmp_path / "r.db"
    store = RetentionStore(path, relay="ws://r", owner="0" * 64)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with (
        pytest.raises(StoreInUse, match="in use by another program") as caught,
        store.transaction(),
    ):
        pass
    assert "Move it away" not in str(caught.value)
    other.execute("ROLLBACK")
    with store.transaction():
        pass
    store.close()


def test_waiting_for_another_run_is_said_and_has_an_end(tmp_path: Path) -> None:
    said: list[str] = []
    with (tmp_path / "r.db.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreInUse, match="another run has had the store"):
            RetentionStore(
                tmp_path / "r.db", relay="ws://r", owner="0" * 64, lock_limit=0.1, say=said.append
            )
    assert len(said) == 1
    assert "waiting for another run" in said[0]


# -- the file --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[" * 100_000, "nested deeper than any persona"),
        (b"[" + b"9" * 5_000 + b"]", "a number longer than any persona needs"),
    ],
    ids=["deep", "digits"],
)
def test_what_the_parser_gives_up_on_is_explained(data: bytes, said: str) -> None:
    with pytest.raises(PersonaFileError, match=f"personas.json .*{said}"):
        parse(data)


def test_a_fifo_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "personas.json")
    with pytest.raises(PersonaFileError, match="is not a plain file"):
        read_personas(tmp_path)


def test_a_bad_record_is_named_with_file_id_and_name(
    tmp_path: Path, personas: list[Record]
) -> None:
    personas[2]["model"] = 5
    (tmp_path / "personas.json").write_bytes(orjson.dumps(personas))
    with pytest.raises(PersonaFileError) as caught:
        read_personas(tmp_path)
    said = str(caught.value)
    for part in (str(tmp_path), "record 3", personas[2]["id"], "model must be", "nothing deleted"):
        assert part in said


@pytest.mark.parametrize("left", [0, 1], ids=["nothing", "a built-in"])
def test_an_empty_file_deletes_nothing_unless_told(
    laptop: Laptop, relay: MemoryRelay, personas: list[Record], left: int
) -> None:
    laptop.has(personas)
    laptop.runs()
    laptop.has(personas[:left])
    with pytest.raises(PersonaFileError, match=r"3 were published .*--allow-empty"):
        laptop.runs()
    assert len(relay.kept) == 3
    store = laptop.store()
    allowed = Migrator(
        base=laptop.base,
        key=laptop.key,
        store=store,
        transport=relay,
        now=lambda: NOW + 1,
        may_empty=True,
    )
    assert len(allowed.run().deleted) == 3
    store.close()
    assert relay.kept == {}


def test_a_persona_that_cannot_be_published_still_counts_as_one(
    laptop: Laptop, personas: list[Record]
) -> None:
    """The guard is for files that hold nothing; here one persona was taken out and one is left."""
    laptop.has(personas[:2])
    laptop.runs()
    laptop.has([personas[1] | {"id": "other", "display_name": " "}])
    assert len(laptop.runs().deleted) == 1


# -- key and relay ---------------------------------------------------------------------


def test_a_key_that_others_may_read_is_refused(tmp_path: Path, key_file: Path) -> None:
    key_file.chmod(0o644)
    done = command(tmp_path, key_file)
    assert done.exit_code == 1
    assert f"chmod 600 {key_file}" in done.output


def test_nsec_and_hex_are_the_same_key(key_file: Path) -> None:
    key = Migrator.key_from(key_file)
    key_file.write_text(encoded(NSEC, bytes.fromhex(key.secret_hex())) + "\n")
    assert Migrator.key_from(key_file).pubkey == key.pubkey


@pytest.mark.parametrize("text", ["nsec1qqqq", "npub1abc", "", "abc"])
def test_what_is_no_key_is_told_what_is_wanted(key_file: Path, text: str) -> None:
    key_file.write_text(text)
    with pytest.raises(ValueError, match=r"nsec1\.\.\. or as 64 hex digits"):
        Migrator.key_from(key_file)


@pytest.mark.parametrize("relay", ["http://relay.example", "relay.example", "ws://"])
def test_what_is_no_relay_is_refused_at_once(tmp_path: Path, key_file: Path, relay: str) -> None:
    done = command(tmp_path, key_file, relay=relay)
    assert done.exit_code == 2
    assert "is not the URL of a relay" in done.output
