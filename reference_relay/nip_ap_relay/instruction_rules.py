"""The rules of instructions (kind 44300): one subject, no channel, deletions that say so, pages."""

from __future__ import annotations

import re

from nip_ap.nostr import DELETION, INSTRUCTIONS, Event, Filter
from nip_ap_relay.audience import deletes_instructions
from nip_ap_relay.store import Condition, Row, Store
from nip_ap_relay.submission import Rule, Submission

_HEX = re.compile(r"[0-9a-f]{64}\Z")

NO_TARGET = "invalid: deletion target not found"


class InstructionRules:
    """The rules of instructions, each a method that a rogue can override."""

    longest_instructions = 218_548
    """Bytes of ciphertext, which is what 131,072 bytes of text come to."""

    def instruction_rules(self) -> tuple[Rule, ...]:
        return (
            self.instructions_have_one_subject,
            self.instructions_are_global,
            self.instructions_fit,
            self.deletion_of_instructions_is_in_order,
        )

    def instructions_have_one_subject(self, submission: Submission) -> str | None:
        if submission.event.kind != INSTRUCTIONS:
            return None
        subjects = self.subject_tags(submission.event)
        if not self.number_of_subjects_is_good(len(subjects)):
            return (
                "invalid: instructions event must have exactly one subject tag, `p` or `t` "
                f"(got {len(subjects)})"
            )
        for tag in subjects:
            if not self.subject_has_two_elements(tag):
                return "invalid: instructions event subject tag must have exactly two elements"
            if not self.subject_is_well_formed(tag[0], tag[1]):
                return f"invalid: instructions event `{tag[0]}` tag is malformed"
        return None

    def subject_tags(self, event: Event) -> list[tuple[str, ...]]:
        """Counted by their first element; a valueless one counts."""
        return [tag for tag in event.tags if tag[0] in ("p", "t")]

    def number_of_subjects_is_good(self, found: int) -> bool:
        return found == 1

    def subject_has_two_elements(self, tag: tuple[str, ...]) -> bool:
        return len(tag) == 2

    def subject_is_well_formed(self, name: str, value: str) -> bool:
        """A key in lower-case hex, or a team id."""
        if name == "p":
            return _HEX.match(value) is not None
        return self.objection_to_team_id(value) is None

    def objection_to_team_id(self, value: str) -> str | None:
        """What is wrong with a team id (family_rules.py)."""
        raise NotImplementedError

    def instructions_are_global(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind == INSTRUCTIONS and any(tag[0] == "h" for tag in event.tags):
            return "invalid: instructions event must not have an `h` tag"
        return None

    def instructions_fit(self, submission: Submission) -> str | None:
        if submission.event.kind != INSTRUCTIONS:
            return None
        size = len(submission.event.content.encode())
        if not self.size_of_instructions_is_good(size):
            return (
                f"invalid: instructions event content must have 1 to {self.longest_instructions} "
                f"bytes (got {size})"
            )
        return None

    def size_of_instructions_is_good(self, size: int) -> bool:
        return 1 <= size <= self.longest_instructions

    # -- deletion --------------------------------------------------------------

    def deletion_of_instructions_is_in_order(self, submission: Submission) -> str | None:
        """It says what it deletes, and tells nobody else whether there is a target."""
        event = submission.event
        if event.kind != DELETION:
            return None
        says_so = self.says_that_it_deletes_instructions(event)
        for identifier in event.tag_values("e"):
            target = self.instructions_named(identifier, submission.store)
            own = target is not None and target.pubkey == event.pubkey
            if own and not says_so:
                return 'invalid: a deletion of kind 44300 needs ["k","44300"]'
            if says_so and not own:
                return self.answer_without_authority(target)
        return None

    def says_that_it_deletes_instructions(self, event: Event) -> bool:
        return deletes_instructions(event)

    def answer_without_authority(self, target: Row | None) -> str | None:
        """One answer, whether the target is missing, live, deleted or hidden."""
        return NO_TARGET

    def instructions_named(self, identifier: str, store: Store) -> Row | None:
        """Instructions of that id, live or deleted."""
        rows = [
            row
            for one in store.numbers_of([identifier])
            for row in store.select("number = ?", (one,))
        ]
        return next((row for row in rows if row.kind == INSTRUCTIONS), None)

    # -- pages: `until` with `before_id` ---------------------------------------

    def cursor_refusal(self, one: Filter) -> str | None:
        """Why a page cannot be asked for: half a cursor, or no event id in it."""
        before = one.extension.get("before_id")
        if before is None or one.extension.get("top_level"):
            return None
        if not isinstance(before, str) or not _HEX.match(before):
            return "invalid: before_id must be a 64-hex event id"
        if one.until is None:
            return "invalid: before_id requires until"
        return None

    def page(self, one: Filter) -> Condition | None:
        """What lies behind a cursor: older, or of its second with a higher id."""
        before = one.extension.get("before_id")
        if before is None or one.until is None:
            return None
        return Condition("(created_at < ? OR id > ?)", (one.until, before))
