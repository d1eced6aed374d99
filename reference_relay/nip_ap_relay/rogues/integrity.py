"""Rogues of ids and signatures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from nip_ap.nostr import NOTE, PERSONA, Event, Filter
from nip_ap_relay.policy import NOVEMBER, Policy, Submission
from nip_ap_relay.rogues.declaring import ANYTHING, rogue
from nip_ap_relay.store import Row, Store


@rogue(
    "id-unchecked",
    turns_red="AP-DEL-16 AP-INT-01 AP-INT-03",
    blinds="AP-INT-08",
    because="It verifies the signature over the id that was given and never computes the id.",
    remedy="Compute the id from the event and compare it with the one that was given.",
)
class IdUnchecked(Policy):
    def id_is_the_hash(self, submission: Submission) -> str | None:
        return None


@rogue(
    "id-recomputed",
    turns_red="AP-INT-01",
    because="It verifies the signature over the id that it computes and keeps the id it was given.",
    remedy="Compare the id with the hash of the fields before you verify the signature.",
)
class IdRecomputed(Policy):
    def id_is_the_hash(self, submission: Submission) -> str | None:
        return None

    def signature_is_valid(self, submission: Submission) -> str | None:
        event = submission.event
        right = event.altered(id=event.computed_id)
        return None if right.signature_verifies else "invalid: invalid schnorr signature"


@rogue(
    "sig-unchecked",
    turns_red="AP-DEL-16 AP-INT-02",
    blinds="AP-INT-08",
    because="It trusts that whoever computed the id also held the key.",
    remedy="Verify the BIP-340 signature of every event.",
)
class SigUnchecked(Policy):
    def signature_is_valid(self, submission: Submission) -> str | None:
        return None


@rogue(
    "ok-missing",
    turns_red="AP-INT-04",
    blinds=(
        "AP-DM-12 AP-HTTP-01 AP-HTTP-02 AP-MEDIA-15 AP-MEDIA-16 AP-READ-20 AP-SCOPE-02 AP-TEAM-08"
    ),
    because="It answers only for kinds that it has a handler for.",
    remedy="Answer every EVENT with OK, whatever its kind.",
)
class OkMissing(Policy):
    def ok(self, event: Event, accepted: bool, message: str) -> list[Any] | None:
        return None if event.kind == NOTE else super().ok(event, accepted, message)


@rogue(
    "ok-wrong-id",
    turns_red="AP-INT-04",
    by_chance="AP-GATE-34",
    blinds="AP-HTTP-01 AP-HTTP-02 AP-READ-20 AP-SCOPE-02",
    because="It fills the OK of a note with the author's key.",
    remedy="Put the id of the submitted event into its OK.",
)
class OkWrongId(Policy):
    def ok(self, event: Event, accepted: bool, message: str) -> list[Any] | None:
        frame = super().ok(event, accepted, message)
        if frame is not None and event.kind == NOTE:
            frame[1] = event.pubkey
        return frame


@rogue(
    "valueless-tag-unanswered",
    turns_red="AP-INT-04",
    because="It takes the second element of a `d` tag that has none, and its handler ends there.",
    remedy="Guard every access to a tag's value; answer with OK false where there is none.",
)
class ValuelessTagUnanswered(Policy):
    def ok(self, event: Event, accepted: bool, message: str) -> list[Any] | None:
        if event.kind == PERSONA and ("d",) in event.tags:
            return None
        return super().ok(event, accepted, message)


@rogue(
    "refusal-without-id",
    turns_red="AP-INT-04",
    because="It refuses before it has read the id, and leaves that empty.",
    remedy="Read the id first, and put it into the OK of a refusal.",
)
class RefusalWithoutId(Policy):
    def ok(self, event: Event, accepted: bool, message: str) -> list[Any] | None:
        if event.signature_verifies:
            return super().ok(event, accepted, message)
        return ["OK", "", accepted, message]


@rogue(
    "duplicate-refused",
    turns_red="AP-INT-05",
    because="It answers a violated unique key with OK false.",
    remedy="Answer an event that you have with OK true and `duplicate:`.",
)
class DuplicateRefused(Policy):
    def answer_to_duplicate(self, event: Event) -> tuple[bool, str]:
        return False, "duplicate: exists"


@rogue(
    "duplicate-stored",
    turns_red="AP-INT-05",
    because="It appends to a log and has no unique key on the id.",
    remedy="Make the id a unique key.",
)
class DuplicateStored(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._copies: Counter[str] = Counter()

    def is_known_already(self, event: Event, store: Store) -> bool:
        known = super().is_known_already(event, store)
        self._copies[event.id] += known
        return known

    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        return [row for row in rows for _ in range(1 + self._copies[row.id])]


@rogue(
    "duplicate-fanned-out",
    turns_red="AP-INT-05",
    because="It publishes to subscribers before it looks whether it has the event.",
    remedy="Deliver an event live only if it was newly stored.",
)
class DuplicateFannedOut(Policy):
    def delivers_although_known(self, event: Event) -> bool:
        return True


@rogue(
    "malformed-crashes",
    turns_red="AP-INT-06 AP-INT-07 AP-ROB-01 AP-ROB-02",
    blinds=ANYTHING,
    by_chance="AP-HTTP-03",
    because="An exception in one connection's handler ends the process.",
    remedy="Catch exceptions per connection, so that one cannot end the process.",
)
class MalformedCrashes(Policy):
    def survives(self, complaint: str) -> bool:
        return False


@rogue(
    "ids-noted-before-they-are-verified",
    turns_red="AP-INT-08",
    blinds="AP-DEL-16 AP-INT-01 AP-INT-02 AP-INT-03",
    because="Its cache of ids against copies comes before its check of signatures.",
    remedy="Note an id as seen only after the event is verified and stored.",
)
class IdsNotedBeforeTheyAreVerified(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._noted: set[str] = set()

    def refusal(self, submission: Submission) -> str | None:
        found = super().refusal(submission)
        if found is not None and ("signature" in found or "event id" in found):
            self._noted.add(submission.event.id)
        return found

    def is_known_already(self, event: Event, store: Store) -> bool:
        return event.id in self._noted or super().is_known_already(event, store)


@rogue(
    "half-a-character-served",
    turns_red="AP-INT-07",
    because="Its strings may hold half a character; only what it hashes is put right.",
    remedy="Refuse a lone surrogate, or serve exactly the text that was hashed.",
)
class HalfACharacterServed(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._halved: set[str] = set()

    def as_received(self, text: str) -> str:
        if "\\ud800" not in text:
            return text
        self._halved |= set(re.findall(r'"id": ?"([0-9a-f]{64})"', text))
        return text.replace("\\ud800", "\ufffd")

    def as_served(self, raw: str) -> str:
        halved = any(f'"id":"{one}"' in raw for one in self._halved)
        return raw.replace("\ufffd", "\\ud800") if halved else raw
