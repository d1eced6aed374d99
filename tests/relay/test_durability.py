"""What `--db FILE` promises, the shared process for long runs, and how the process ends."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from nip_ap.nostr import DELETION, PERSONA, Draft, Filter, SecretKey, address_of
from nip_ap.targets import BundledTarget, TargetError
from nip_ap_relay.policy import NOVEMBER
from nip_ap_relay.rogues import ROGUES, combination
from nip_ap_relay.store import SUPERSEDED, Store
from tests.relay.talking import door_to

MANY = 10_000


@pytest.fixture
def key():
    return SecretKey.fresh()


@pytest.fixture
def durable(tmp_path):
    target = BundledTarget(("--db", str(tmp_path / "relay.sqlite")))
    target.start()
    yield target
    target.stop()


def written(target, key, now):
    """A head, what it replaced, a deleted persona and its deletion; ids of what must be found."""
    door = door_to(target.url, key)
    old, new, doomed = (
        Draft(PERSONA, now - 2, (("d", "kept"),), "old").signed_by(key),
        Draft(PERSONA, now - 1, (("d", "kept"),), "new").signed_by(key),
        Draft(PERSONA, now - 1, (("d", "gone"),), "gone").signed_by(key),
    )
    deletion = Draft(DELETION, now, (("a", address_of(doomed)),)).signed_by(key)
    assert all(one.accepted for one in door.publish_all([old, new, doomed, deletion]))
    door.close()
    return old, [new, deletion]


def found(target, key):
    door = door_to(target.url, key)
    reading = door.query([Filter.of(kinds=[PERSONA, DELETION], authors=[key.pubkey])])
    door.close()
    return reading.events


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_with_a_file_the_relay_keeps_its_events(durable, key, now, end):
    old, kept = written(durable, key, now)
    if end == "restart":
        durable.shut_down()
        durable.start()
    else:
        durable.kill()
        durable.start()
    assert sorted(one.id for one in found(durable, key)) == sorted(one.id for one in kept)
    assert all(one.problems == () for one in found(durable, key))
    door = door_to(durable.url, key)
    assert door.publish(old).message == "duplicate:"
    door.close()


def test_without_a_file_a_restarted_relay_is_empty(own_relay, key, now):
    written(own_relay, key, now)
    assert len(found(own_relay, key)) == 2
    own_relay.shut_down()
    own_relay.start()
    assert found(own_relay, key) == ()


@pytest.mark.slow
def test_ten_thousand_publishes_one_after_the_other_leave_no_error(durable, key, now):
    door = door_to(durable.url, key)
    last = {}
    for number in range(MANY):
        draft = Draft(PERSONA, now + number // 100, (("d", f"s{number % 500}"),), str(number))
        event = draft.signed_by(key)
        answer = door.publish(event)
        assert answer.accepted, answer
        last[number % 500] = min(last.get(number % 500, event), event, key=lambda one: one.order)
    reading = door.query([Filter.of(kinds=[PERSONA], authors=[key.pubkey])])
    assert sorted(reading.ids) == sorted(one.id for one in last.values())
    assert (door.notices, door.strays) == ([], [])
    door.close()
    assert durable.logs() == ""


# -- the process -------------------------------------------------------------------------


def start(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "nip_ap_relay", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_the_relay_ends_when_its_parent_closes_the_pipe():
    process = start("--port", "0", "--stop-with-parent")
    assert process.stdout.readline().startswith("listening on ws://127.0.0.1:")
    process.stdin.close()
    assert process.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_relay_ends_by_a_signal_without_a_stack_trace(number):
    process = start("--port", "0")
    assert process.stdout.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert "Traceback" not in errors


def test_a_port_that_is_taken_is_said_in_plain_words(relay):
    port = relay.url.rpartition(":")[2]
    process = start("--port", port)
    _, errors = process.communicate(timeout=10)
    assert process.returncode != 0
    assert "Traceback" not in errors
    assert port in errors


def test_an_unknown_rogue_is_said_in_plain_words():
    process = start("--rogue", "nobody")
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    assert "no rogue is named 'nobody'" in errors


def test_two_rogues_that_change_one_rule_are_refused():
    with pytest.raises(ValueError, match="both change the rule further_characters"):
        combination(["slug-dot-accepted", "slug-uppercase-accepted"])


def test_two_rogues_of_different_rules_are_one_relay_with_both_deviations():
    both = combination(["tie-highest-id", "slug-dot-accepted"])
    policy = both.relay_policy(NOVEMBER)
    assert both.name == policy.name == "tie-highest-id+slug-dot-accepted"
    for name in ("tie-highest-id", "slug-dot-accepted"):
        own = ROGUES[name].policy
        for rule in [one for one in vars(own) if not one.startswith("__")]:
            assert getattr(type(policy), rule) is getattr(own, rule)


def test_a_rogue_that_is_named_twice_is_itself():
    assert combination(["tie-highest-id"] * 2) is ROGUES["tie-highest-id"]


def test_a_target_that_cannot_start_says_why():
    target = BundledTarget(("--rogue", "nobody"))
    with pytest.raises(TargetError, match="no rogue is named 'nobody'"):
        target.start()


def test_a_stopped_target_leaves_no_process(own_relay):
    process = own_relay.group
    own_relay.stop()
    own_relay.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_file_that_is_no_database_is_said_in_plain_words(tmp_path):
    path = tmp_path / "text"
    path.write_text("this is no database at all, although it is a file\n" * 20)
    process = start("--port", "0", "--db", str(path))
    _, errors = process.communicate(timeout=10)
    assert process.returncode != 0
    assert "Traceback" not in errors
    assert str(path) in errors


def test_a_file_of_another_version_is_not_touched(tmp_path):
    file = tmp_path / "relay.sqlite"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE events (id TEXT)")
    target = BundledTarget(("--db", str(file)))
    with pytest.raises(TargetError, match="made by another program or version of the relay"):
        target.start()


def test_a_file_has_one_relay_at_a_time(durable, tmp_path):
    second = BundledTarget(("--db", str(tmp_path / "relay.sqlite")))
    with pytest.raises(TargetError, match="locked"):
        second.start()


def test_a_write_that_failed_leaves_no_trace_in_the_index(key):
    store = Store()
    kept, lost = (Draft(PERSONA, at, (("d", "x"),), "").signed_by(key) for at in (1, 2))
    address = address_of(kept)
    row = store.add(kept, address=address, slug="x", readers=None, channel=None)
    store.commit()
    store.remove(row, SUPERSEDED)
    store.add(lost, address=address, slug="x", readers=None, channel=None)
    assert [one.id for one in store.rows_at(address)] == [lost.id]
    store.roll_back()
    assert [one.id for one in store.rows_at(address)] == [kept.id]
    assert (store.knows(kept.id), store.knows(lost.id)) == (True, False)
    with pytest.raises(sqlite3.IntegrityError, match="stored already"):
        store.add(kept, address=address, slug="x", readers=None, channel=None)
