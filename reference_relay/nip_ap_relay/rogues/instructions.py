"""Rogues that get instructions (44300) wrong."""

from __future__ import annotations

from collections.abc import Iterable

from nip_ap.nostr import DELETION, INSTRUCTIONS, Event, Filter
from nip_ap_relay import surfaces
from nip_ap_relay.audience import Readers
from nip_ap_relay.policy import Caller, Policy, Submission
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Condition, Row, Store

_COUNTS = (surfaces.COUNT, surfaces.HTTP_COUNT)


@rogue(
    "instructions-of-teams-refused",
    turns_red="AP-INSTR-01",
    blinds="AP-INSTR-02 AP-INSTR-03 AP-INSTR-06",
    because="It knows instructions of agents alone.",
    remedy="Accept a `t` tag with a team id as the subject.",
)
class InstructionsOfTeamsRefused(Policy):
    def subject_is_well_formed(self, name: str, value: str) -> bool:
        return name == "p" and super().subject_is_well_formed(name, value)


@rogue(
    "instructions-subjects-by-value",
    turns_red="AP-INSTR-02",
    because="It collects the values of the subject tags, and one without a value is none.",
    remedy="Count subject tags by their first element.",
)
class InstructionsSubjectsByValue(Policy):
    def subject_tags(self, event: Event) -> list[tuple[str, ...]]:
        return [tag for tag in super().subject_tags(event) if len(tag) > 1]


@rogue(
    "instructions-of-several-subjects",
    turns_red="AP-INSTR-02",
    because="It asks for at least one subject.",
    remedy="Refuse instructions that have not exactly one subject tag.",
)
class InstructionsOfSeveralSubjects(Policy):
    def number_of_subjects_is_good(self, found: int) -> bool:
        return found >= 1


@rogue(
    "instructions-subject-with-a-hint",
    turns_red="AP-INSTR-02",
    because="It lets a subject tag have a relay hint, as other `p` tags do.",
    remedy="Refuse a subject tag that has not exactly two elements.",
)
class InstructionsSubjectWithAHint(Policy):
    def subject_has_two_elements(self, tag: tuple[str, ...]) -> bool:
        return len(tag) >= 2


@rogue(
    "instructions-key-of-any-case",
    turns_red="AP-INSTR-03",
    because="It reads a key in upper-case hex as well.",
    remedy="Refuse a `p` that is not 64 lower-case hex digits.",
)
class InstructionsKeyOfAnyCase(Policy):
    def subject_is_well_formed(self, name: str, value: str) -> bool:
        return super().subject_is_well_formed(name, value.lower() if name == "p" else value)


@rogue(
    "instructions-team-unchecked",
    turns_red="AP-INSTR-03",
    because="It takes a `t` tag for a hashtag, which may be anything.",
    remedy="Hold the `t` of instructions to the rules of a team id.",
)
class InstructionsTeamUnchecked(Policy):
    def subject_is_well_formed(self, name: str, value: str) -> bool:
        return name == "t" or super().subject_is_well_formed(name, value)


@rogue(
    "instructions-in-channels",
    turns_red="AP-INSTR-04",
    because="It lets every kind carry an `h` tag.",
    remedy="Refuse instructions with an `h` tag.",
)
class InstructionsInChannels(Policy):
    def instructions_are_global(self, submission: Submission) -> str | None:
        return None


@rogue(
    "instructions-empty",
    turns_red="AP-INSTR-05",
    because="It bounds content above and not below.",
    remedy="Refuse instructions with empty content.",
)
class InstructionsEmpty(Policy):
    def size_of_instructions_is_good(self, size: int) -> bool:
        return size <= self.longest_instructions


@rogue(
    "instructions-too-long",
    turns_red="AP-INSTR-05",
    because="It has the bound of every event and no other.",
    remedy="Refuse content of more than 218,548 bytes.",
)
class InstructionsTooLong(Policy):
    longest_instructions = 262_144


@rogue(
    "instructions-bound-too-low",
    turns_red="AP-INSTR-05",
    because="It reckons with the length prefix of 16 bits, which ends at 65,535 bytes of text.",
    remedy="Accept content up to 218,548 bytes.",
)
class InstructionsBoundTooLow(Policy):
    longest_instructions = 87_472


@rogue(
    "instructions-replaced",
    turns_red="AP-INSTR-06",
    blinds="AP-INSTR-17",
    by_chance="AP-INSTR-07 AP-INSTR-13",
    because="It keeps one version of each subject, as for an addressable kind.",
    remedy="Keep every version: kind 44300 is a regular one.",
)
class InstructionsReplaced(Policy):
    def address(self, event: Event) -> str | None:
        if event.kind != INSTRUCTIONS:
            return super().address(event)
        return self.address_for(event.kind, event.pubkey, str(event.tags[-1]))


@rogue(
    "instructions-limit-before-tags",
    turns_red="AP-INSTR-07",
    because="It takes the newest events of an author and looks at their tags afterwards.",
    remedy="Match tags before the limit is applied.",
)
class InstructionsLimitBeforeTags(Policy):
    def served(self, rows: list[Row], filters: Iterable[Filter]) -> list[Row]:
        subjects = [value for one in filters for value in one.tags.get("p", ())]
        return [row for row in rows if not self._is_behind_others(row, subjects, filters)]

    def _is_behind_others(self, row: Row, subjects: list[str], filters: Iterable[Filter]) -> bool:
        limited = any(one.limit == 1 for one in filters)
        return row.kind == INSTRUCTIONS and bool(subjects) and limited and self._newest != row.id

    _newest = ""

    def readers_of(self, event: Event) -> Readers:
        if event.kind == INSTRUCTIONS:
            self._newest = event.id
        return super().readers_of(event)


class _Open(Policy):
    """A relay that shows instructions to others at some surfaces."""

    open_at: tuple[str, ...] = ()

    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        is_open = row.kind == INSTRUCTIONS and surface in self.open_at
        return is_open or super().may_read(row, reader, surface)


@rogue(
    "instructions-for-everybody",
    turns_red="AP-INSTR-08 AP-INSTR-09 AP-INSTR-10 AP-INSTR-11",
    because="It stores a kind that it does not know, and serves it like any other.",
    remedy="Serve instructions to their author alone.",
)
class InstructionsForEverybody(Policy):
    def readers_of(self, event: Event) -> Readers:
        return None if event.kind == INSTRUCTIONS else super().readers_of(event)


@rogue(
    "instructions-for-their-subject",
    turns_red="AP-INSTR-08 AP-INSTR-09 AP-INSTR-10 AP-INSTR-11",
    because="It takes the `p` tag for an address: whom it names may read.",
    remedy="Keep instructions from the subject's key too.",
)
class InstructionsForTheirSubject(Policy):
    def readers_of(self, event: Event) -> Readers:
        readers = super().readers_of(event)
        if event.kind != INSTRUCTIONS or readers is None:
            return readers
        return readers | frozenset(event.tag_values("p"))


@rogue(
    "instructions-live-to-everybody",
    turns_red="AP-INSTR-09",
    because="Its fan-out matches filters and does not ask who reads.",
    remedy="Ask for each subscriber whether the event is theirs to read.",
)
class InstructionsLiveToEverybody(_Open):
    open_at = (surfaces.LIVE,)


@rogue(
    "instructions-counted-for-everybody",
    turns_red="AP-INSTR-10 AP-INSTR-11",
    because="COUNT runs in the database, below who may read what.",
    remedy="Count only what the same reader would get from a REQ.",
)
class InstructionsCountedForEverybody(_Open):
    open_at = _COUNTS


@rogue(
    "instructions-existence-oracle",
    turns_red="AP-INSTR-11",
    because="It tells whoever asks by an id that the event is another's.",
    remedy="Answer as for an id that does not exist.",
)
class InstructionsExistenceOracle(Policy):
    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        asked = list(filters)
        if len(asked) == 1 and asked[0].kinds == (INSTRUCTIONS,) and not asked[0].authors:
            rows = [store.event_by_id(identifier) for identifier in asked[0].ids or ()]
            if any(row is not None and row.pubkey != caller.pubkey for row in rows):
                return "restricted: author-only"
        return super().read_refusal(asked, caller, store)


@rogue(
    "instructions-searched",
    turns_red="AP-INSTR-12",
    because="It indexes everything, and shows a result to whoever may read it.",
    remedy="Leave kind 44300 out of search, for its author too.",
)
class InstructionsSearched(Policy):
    def never_searched(self) -> frozenset[int]:
        return super().never_searched() - {INSTRUCTIONS}


@rogue(
    "instructions-cursor-by-date",
    turns_red="AP-INSTR-13",
    because="It pages by date alone, so that a page begins where the one before began.",
    remedy="Go on behind the id that `before_id` names, within its second.",
)
class InstructionsCursorByDate(Policy):
    def page(self, one: Filter) -> Condition | None:
        return None


@rogue(
    "instructions-cursor-skips-a-second",
    turns_red="AP-INSTR-13 AP-INSTR-14",
    because="It goes on with the second before, and loses the rest of this one.",
    remedy="Give the events of the same second whose id is higher.",
)
class InstructionsCursorSkipsASecond(Policy):
    def page(self, one: Filter) -> Condition | None:
        found = super().page(one)
        return None if found is None else Condition("created_at < ?", found.values[:1])


@rogue(
    "instructions-half-a-cursor",
    turns_red="AP-INSTR-14",
    because="It drops a cursor that it cannot use, and begins at the first page.",
    remedy="Refuse `before_id` without `until`, and one that is not 64 hex digits.",
)
class InstructionsHalfACursor(Policy):
    def cursor_refusal(self, one: Filter) -> str | None:
        return None

    def page(self, one: Filter) -> Condition | None:
        return None if super().cursor_refusal(one) else super().page(one)


@rogue(
    "instructions-deleted-without-k",
    turns_red="AP-INSTR-15",
    because="It deletes what an `e` tag names, and takes `k` for a hint.",
    remedy='Refuse a deletion of instructions without `["k","44300"]`.',
)
class InstructionsDeletedWithoutK(Policy):
    def deletion_of_instructions_is_in_order(self, submission: Submission) -> str | None:
        if not self.says_that_it_deletes_instructions(submission.event):
            return None
        return super().deletion_of_instructions_is_in_order(submission)


@rogue(
    "instructions-k-as-a-number",
    turns_red="AP-INSTR-15",
    because="It reads the `k` tag as a number, so that `044300` is one too.",
    remedy="Compare the `k` tag with the canonical number as text.",
)
class InstructionsKAsANumber(Policy):
    def says_that_it_deletes_instructions(self, event: Event) -> bool:
        return any(one.lstrip("+0") == str(INSTRUCTIONS) for one in event.tag_values("k"))


@rogue(
    "instructions-deletions-public",
    turns_red="AP-INSTR-16",
    because="It serves every deletion to everybody, so that others learn what was there.",
    remedy='Serve a deletion with `["k","44300"]` to its author alone.',
)
class InstructionsDeletionsPublic(Policy):
    def readers_of(self, event: Event) -> Readers:
        return None if event.kind == DELETION else super().readers_of(event)


@rogue(
    "instructions-deletions-live",
    turns_red="AP-INSTR-16",
    because="It delivers deletions live before it asks who may read them.",
    remedy="Ask for each subscriber whether the deletion is theirs to read.",
)
class InstructionsDeletionsLive(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        is_open = row.kind == DELETION and surface == surfaces.LIVE
        return is_open or super().may_read(row, reader, surface)


@rogue(
    "instructions-deletions-counted",
    turns_red="AP-INSTR-16",
    because="COUNT has deletions of instructions for everybody.",
    remedy="Count only what the same reader would get from a REQ.",
)
class InstructionsDeletionsCounted(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        is_open = row.kind == DELETION and surface in _COUNTS
        return is_open or super().may_read(row, reader, surface)


@rogue(
    "instructions-refusals-tell",
    turns_red="AP-INSTR-17",
    because="It says that a stranger is not the author, of what is there.",
    remedy="Refuse a deletion without authority in the same words, whatever there is.",
)
class InstructionsRefusalsTell(Policy):
    def answer_without_authority(self, target: Row | None) -> str | None:
        return "invalid: must be event author" if target else super().answer_without_authority(None)
