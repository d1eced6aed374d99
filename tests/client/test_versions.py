"""Instructions against a relay in memory: one version per change, and none that is in doubt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from nip_ap.nostr import INSTRUCTIONS, PERSONA, Draft, Event
from nip_ap.wire import Answer, Unreachable
from nip_ap_client.instructions import opened, version_of
from nip_ap_client.report import Report, State
from nip_ap_client.versions import InstructionsMigrator
from tests.client.conftest import NOW, Laptop, MemoryRelay

SUBJECT = ("t", "readers")
SLUG = "t:readers"


class Versions(MemoryRelay):
    """Keeps every version, and serves the current one of a subject."""

    def __init__(self) -> None:
        super().__init__()
        self.versions: list[Event] = []

    def heads(self, owner: str, slugs: Sequence[str], kind: int = PERSONA) -> dict[str, Event]:
        if not self.up:
            raise Unreachable("down")
        newest = sorted(self.versions, key=lambda one: one.order)
        return {
            slug: next(one for one in newest if tuple(slug.split(":", 1)) in one.tags)
            for slug in slugs
            if any(tuple(slug.split(":", 1)) in one.tags for one in newest)
        }

    def submit(self, events: Sequence[Event]) -> Iterator[Answer]:
        for event in events:
            if not self.up:
                raise Unreachable("down")
            self.versions.append(event)
            yield Answer(event.id, True, "", "ws")


@pytest.fixture
def relay() -> Versions:
    return Versions()


def writes(laptop: Laptop, text: str, updated_at: str = "2025-01-01T00:00:00+00:00") -> Report:
    laptop.has([])
    record = {"id": "readers", "name": "Readers", "instructions": text, "updated_at": updated_at}
    (laptop.base / "teams.json").write_text(json.dumps([record]))
    return laptop.runs(InstructionsMigrator)


def texts(laptop: Laptop, relay: Versions) -> list[str]:
    return [opened(one.content, laptop.key) for one in relay.versions]


def test_a_version_for_each_change_and_none_for_none(laptop: Laptop, relay: Versions) -> None:
    for text in ("One.", "One.", "Two.", "Two.", "One."):
        assert writes(laptop, text).state is State.SYNCED
    assert texts(laptop, relay) == ["One.", "Two.", "One."]
    dates = [one.created_at for one in relay.versions]
    assert dates == sorted(set(dates))
    assert {one.kind for one in relay.versions} == {INSTRUCTIONS}


def test_an_empty_text_is_a_text(laptop: Laptop, relay: Versions) -> None:
    writes(laptop, "")
    assert texts(laptop, relay) == [""]


def test_what_waits_goes_out_as_it_was_signed(laptop: Laptop, relay: Versions) -> None:
    relay.up = False
    assert [one.slug for one in writes(laptop, "One.").pending] == [SLUG]
    store = laptop.store()
    kept = store.rows(INSTRUCTIONS)[SLUG].event
    store.close()
    relay.up = True
    writes(laptop, "One.")
    assert relay.versions == [kept]


def test_another_device_with_the_same_text_signs_nothing(
    laptop: Laptop, phone: Laptop, relay: Versions
) -> None:
    writes(laptop, "One.")
    assert writes(phone, "One.").adopted == [SLUG]
    assert len(relay.versions) == 1


def test_a_newer_text_of_another_device_is_not_lost(
    laptop: Laptop, phone: Laptop, relay: Versions
) -> None:
    writes(laptop, "One.")
    writes(phone, "One.")
    relay.now += 5
    writes(phone, "Two.")
    (standing,) = writes(laptop, "One.").standings
    assert "changed elsewhere" in standing.reason
    assert texts(laptop, relay)[-1] == "Two."


@pytest.mark.parametrize(("edited", "replaced"), [("2025-01-01", False), ("2035-01-01", True)])
def test_an_invalid_version_is_replaced_by_an_edit_alone(
    laptop: Laptop, relay: Versions, edited: str, replaced: bool
) -> None:
    invalid = Draft(INSTRUCTIONS, NOW, (SUBJECT,), "no ciphertext").signed_by(laptop.key)
    relay.versions.append(invalid)
    report = writes(laptop, "One.", f"{edited}T00:00:00+00:00")
    assert (len(relay.versions) == 2) is replaced
    assert (report.state is State.SYNCED) is replaced
    assert "invalid" in report.standings[0].reason


def test_a_version_that_is_stored_and_not_current_is_told(laptop: Laptop, relay: Versions) -> None:
    class Overtaken(InstructionsMigrator):
        def settle(self, answers: Any) -> bool:
            newer = version_of(SUBJECT, "Theirs.", self.key, now=NOW + 30)
            relay.versions.append(newer)
            return super().settle(answers)

    writes(laptop, "One.")
    (laptop.base / "teams.json").write_text(
        json.dumps([{"id": "readers", "instructions": "Two.", "updated_at": ""}])
    )
    report = laptop.runs(Overtaken)
    (note,) = report.notes
    assert note.reason == "stored, but another version is the current one"


@pytest.mark.parametrize("text", ["x" * 131_073, "a\0b"])
def test_a_text_that_may_not_be_published_is_a_fault(
    laptop: Laptop, relay: Versions, text: str
) -> None:
    assert writes(laptop, text).state is State.FAILED
    assert relay.versions == []


def test_what_leaves_its_file_is_not_deleted(laptop: Laptop, relay: Versions) -> None:
    writes(laptop, "One.")
    (laptop.base / "teams.json").write_text("[]")
    assert laptop.runs(InstructionsMigrator).state is State.SYNCED
    assert len(relay.versions) == 1
