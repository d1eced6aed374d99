"""The migrator against a relay in memory: every branch of its decisions, every place to die."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from nip_ap.clients.relay_side import Crash, dies_at
from nip_ap.nostr import DELETION, Event
from nip_ap.wire import Answer
from nip_ap_client.mapping import draft_of
from nip_ap_client.migrator import Migrator
from nip_ap_client.report import Outgoing
from tests.client.conftest import NOW, Laptop, MemoryRelay

Record = dict[str, Any]
ADA = "3f0c1b52-8f0e-4c57-9a8e-0d5f6a1b2c31"


def prompt(event: Event | None) -> str | None:
    return None if event is None else orjson.loads(event.content)["system_prompt"]


def edited(personas: list[Record], text: str = "Edited.", **fields: Any) -> list[Record]:
    change = {"system_prompt": text, **fields}
    return [one | change if one["id"] == ADA else one for one in personas]


def without_ada(personas: list[Record]) -> list[Record]:
    return [one for one in personas if one["id"] != ADA]


def test_first_second_and_third_run(laptop: Laptop, relay: MemoryRelay, personas: Any) -> None:
    laptop.has(personas)
    assert sorted(laptop.runs().published) == sorted(one["id"] for one in personas[1:])
    for _ in range(2):
        report = laptop.runs()
        assert report.is_synced
        assert len(report.unchanged) == 3
    assert len(relay.came) == 3


@pytest.mark.parametrize("step", ["take_in", "keep", "publish", "settle", "finished", "carry_out"])
def test_a_crash_at_a_step_is_finished_by_the_next_run(
    laptop: Laptop, relay: MemoryRelay, personas: Any, step: str
) -> None:
    laptop.has(personas)
    for _ in range(3):
        with pytest.raises(Crash):
            laptop.runs(dies_at(step))
    assert laptop.runs().is_synced
    assert len(relay.kept) == 3
    assert all(len(relay.ids(one["id"])) == 1 for one in personas[1:])
    assert not laptop.runs().published


@pytest.mark.parametrize("number", range(1, 4))
def test_a_crash_between_two_answers_sends_the_same_events_again(
    laptop: Laptop, relay: MemoryRelay, personas: Any, number: int
) -> None:
    class Dying(Migrator):
        def progress(self, done: int, of: int) -> None:
            if done == number:
                raise Crash

    laptop.has(personas)
    with pytest.raises(Crash):
        laptop.runs(Dying)
    assert laptop.runs().is_synced
    assert all(len(relay.ids(one["id"])) == 1 for one in personas[1:])


def test_a_crash_inside_the_transaction_keeps_nothing_of_it(laptop: Laptop, personas: Any) -> None:
    class Dying(Migrator):
        def cancel_deletion(self, situation: Any) -> None:
            if len(self.outbox) == 1:
                raise Crash

    laptop.has(personas)
    with pytest.raises(Crash):
        laptop.runs(Dying)
    store = laptop.store()
    assert store.rows() == {}
    store.close()


def test_lost_answers_are_followed_by_the_same_ids(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    laptop.has(personas)
    relay.loses_answers = True
    assert not laptop.runs().is_synced
    relay.loses_answers = False
    assert laptop.runs().is_synced
    assert all(len(relay.ids(one["id"])) == 1 for one in personas[1:])


def test_offline_first_then_online(laptop: Laptop, relay: MemoryRelay, personas: Any) -> None:
    laptop.has(personas)
    relay.up = False
    report = laptop.runs()
    assert len(report.pending) == 3
    assert "was not there" in report.pending[0].reason
    relay.up = True
    assert laptop.runs().is_synced


@pytest.mark.parametrize("hours", [0.2, 0.3, 5])
def test_a_queue_that_is_too_old_is_dated_anew_once(
    laptop: Laptop, relay: MemoryRelay, personas: Any, hours: float
) -> None:
    laptop.has(personas)
    relay.up = False
    laptop.runs()
    relay.up, relay.now, relay.window = True, NOW + int(hours * 3600), 60
    assert laptop.runs().is_synced
    assert not laptop.runs().published
    assert all(len(relay.ids(one["id"])) <= 2 for one in personas[1:])


def test_an_edit_is_dated_past_a_head_that_is_ahead(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    laptop.has(personas)
    laptop.runs()
    head = laptop.head(ADA)
    assert head is not None
    relay.takes(head.resigned(laptop.key, created_at=NOW + 60))
    laptop.has(edited(personas))
    assert list(laptop.runs().published) == [ADA]
    now = laptop.head(ADA)
    assert now is not None
    assert now.created_at == NOW + 61
    assert prompt(now) == "Edited."


def test_two_edits_within_one_second_both_count(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    for text in ("First.", "Second.", "Third."):
        laptop.has(edited(personas, text))
        laptop.runs()
        assert prompt(laptop.head(ADA)) == text


def test_a_newer_foreign_head_is_a_conflict_and_stays(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    theirs = draft_of(ADA, '{"display_name":"B","system_prompt":"B."}', at=NOW - 5)
    relay.takes(theirs.signed_by(laptop.key))
    laptop.has(personas)
    for _ in range(2):
        report = laptop.runs()
        assert [one.slug for one in report.conflicts] == [ADA]
        assert not report.is_synced
        assert prompt(laptop.head(ADA)) == "B."


def test_a_record_that_was_edited_later_replaces_it_and_says_so(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    theirs = draft_of(ADA, '{"display_name":"B","system_prompt":"B."}', at=NOW - 5)
    relay.takes(theirs.signed_by(laptop.key))
    laptop.has(edited(personas, updated_at="2099-01-01T00:00:00+00:00"))
    report = laptop.runs()
    assert report.is_synced
    assert "replaces head" in report.notes[0].reason
    assert prompt(laptop.head(ADA)) == "Edited."


def test_a_foreign_edit_of_a_migrated_persona_is_left_alone(
    laptop: Laptop, phone: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    laptop.has(personas)
    laptop.runs()
    phone.has(edited(personas, "From the phone."))
    phone.has(personas)
    phone.runs()
    phone.has(edited(personas, "From the phone."))
    phone.runs()
    report = laptop.runs()
    assert report.is_synced
    assert "changed elsewhere" in report.notes[0].reason
    assert prompt(laptop.head(ADA)) == "From the phone."


def test_what_was_deleted_elsewhere_stays_deleted(
    laptop: Laptop, phone: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    for device in (laptop, phone):
        device.has(personas)
        device.runs()
    laptop.has(without_ada(personas))
    assert list(laptop.runs().deleted) == [ADA]
    report = phone.runs()
    assert report.is_synced
    assert "deleted elsewhere" in report.notes[0].reason
    assert laptop.head(ADA) is None


def test_removed_before_it_was_published_never_appears(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    laptop.has(personas)
    relay.up = False
    laptop.runs()
    laptop.has(without_ada(personas))
    laptop.runs()
    relay.up = True
    assert laptop.runs().is_synced
    assert relay.ids(ADA) == set()
    assert not [event for event in relay.came if event.kind == DELETION]


def test_removed_and_made_again_offline(laptop: Laptop, relay: MemoryRelay, personas: Any) -> None:
    laptop.has(personas)
    laptop.runs()
    relay.up = False
    laptop.has(without_ada(personas))
    laptop.runs()
    laptop.has(edited(personas, "Made again."))
    laptop.runs()
    relay.up = True
    assert laptop.runs().is_synced
    assert prompt(laptop.head(ADA)) == "Made again."


def test_removed_and_made_again_with_the_same_text(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    laptop.has(personas)
    laptop.runs()
    laptop.has(without_ada(personas))
    laptop.runs()
    assert laptop.head(ADA) is None
    laptop.has(personas)
    assert laptop.runs().is_synced
    assert laptop.head(ADA) is not None


def test_a_removed_persona_that_was_edited_elsewhere_is_not_deleted(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    laptop.has(personas)
    laptop.runs()
    theirs = draft_of(ADA, '{"display_name":"B","system_prompt":"B."}', at=NOW + 5)
    relay.takes(theirs.signed_by(laptop.key))
    laptop.has(without_ada(personas))
    report = laptop.runs()
    assert "left alone" in report.notes[0].reason
    assert prompt(laptop.head(ADA)) == "B."


def test_a_persona_that_cannot_be_published_any_more_is_not_deleted(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    laptop.has(personas)
    laptop.runs()
    laptop.has(edited(personas, "x" * 70_000))
    report = laptop.runs()
    assert [one.id for one in report.skipped] == ["builtin:fizz", ADA]
    assert laptop.head(ADA) is not None


def test_one_refused_persona_waits_and_the_others_go(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    relay.refuses = {ADA: "invalid: no"}
    laptop.has(personas)
    report = laptop.runs()
    assert len(report.published) == 2
    assert [(one.slug, one.reason) for one in report.pending] == [(ADA, "invalid: no")]
    relay.refuses = {}
    assert laptop.runs().is_synced


def test_the_share_tag_survives_an_edit(laptop: Laptop, relay: MemoryRelay, personas: Any) -> None:
    laptop.has(personas)
    laptop.runs()
    head = laptop.head(ADA)
    assert head is not None
    shared = (*head.tags, ("shared", "true"))
    relay.takes(head.resigned(laptop.key, created_at=head.created_at + 1, tags=shared))
    laptop.has(edited(personas))
    laptop.runs()
    now = laptop.head(ADA)
    assert now is not None
    assert now.tags == shared


def test_an_edit_made_while_publishing_goes_out_in_the_same_run(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    class Editing(Migrator):
        def publish(self) -> list[tuple[Outgoing, Answer]]:
            answers = super().publish()
            if prompt(laptop.head(ADA)) != "Edited meanwhile.":
                laptop.has(edited(personas, "Edited meanwhile."))
            return answers

    laptop.has(personas)
    assert laptop.runs(Editing).is_synced
    assert prompt(laptop.head(ADA)) == "Edited meanwhile."
    assert not laptop.runs().published


def test_a_head_that_does_not_verify_is_not_believed(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    forged = draft_of(ADA, '{"display_name":"Forged"}', at=NOW + 50).signed_by(laptop.key)
    relay.kept[laptop.key.pubkey, ADA] = forged.altered(sig="0" * 128)
    laptop.has(personas)
    report = laptop.runs()
    assert any("not valid" in one.reason for one in report.notes)


def test_a_damaged_row_is_made_good_from_file_and_relay(
    laptop: Laptop, relay: MemoryRelay, personas: Any
) -> None:
    laptop.has(personas)
    laptop.runs()
    store = laptop.store()
    store._db.execute("UPDATE persona_events SET raw_event = '{' WHERE d_tag = ?", (ADA,))
    store.close()
    report = laptop.runs()
    assert report.is_synced
    assert report.adopted == [ADA]
    assert len(relay.came) == 3


def test_a_plan_touches_nothing(laptop: Laptop, relay: MemoryRelay, personas: Any) -> None:
    laptop.has(personas)
    store = laptop.store()
    migrator = Migrator(
        base=laptop.base, key=laptop.key, store=store, transport=relay, now=lambda: NOW
    )
    report = migrator.plan()
    assert report.planned == dict.fromkeys((one["id"] for one in personas[1:]), "publish")
    assert store.rows() == {}
    assert relay.came == []
    store.close()


def test_reports_hold_no_secret(laptop: Laptop, personas: Any, tmp_path: Path) -> None:
    laptop.has(personas)
    text = orjson.dumps(laptop.runs().to_json()).decode()
    assert "not-a-real-token" not in text
    assert laptop.key.secret_hex() not in text
    assert "You review code" not in text
