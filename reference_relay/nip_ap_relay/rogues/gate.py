"""Rogues of the sharing gate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nip_ap.nostr import PERSONA, Event, Filter
from nip_ap_relay import surfaces
from nip_ap_relay.audience import SHARED, Readers, author_unless_shared
from nip_ap_relay.channels import channel_of
from nip_ap_relay.policy import JUNE, NOVEMBER, Caller, Policy, Submission
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row, Store


@rogue(
    "shared-tag-refused",
    turns_red="AP-GATE-01 AP-SCOPE-05",
    blinds=(
        "AP-AUTH-03 AP-CAT-08 AP-DEL-17 AP-GATE-02 AP-GATE-05 AP-GATE-06 AP-GATE-08 "
        "AP-GATE-09 AP-GATE-10 AP-GATE-12 AP-GATE-13 AP-GATE-15 AP-HTTP-06 "
        "AP-INSTR-09 AP-INSTR-12 AP-INSTR-16 AP-READ-04 AP-READ-11 AP-READ-12 "
        "AP-READ-14 AP-READ-17 AP-READ-18 AP-READ-19 AP-READ-20 AP-READ-21 AP-REPL-15 "
        "AP-REPL-16 AP-WRAP-08"
    ),
    because="It knows no tag but `d`, and refuses what it does not know.",
    remedy='Accept the tag `["shared", "true"]` on personas.',
)
class SharedTagRefused(Policy):
    def further_tags_are_not_judged(self, submission: Submission) -> str | None:
        if submission.event.kind == PERSONA and SHARED in submission.event.tags:
            return "invalid: unknown tag `shared`"
        return None


@rogue(
    "shared-false-accepted",
    turns_red="AP-CAT-07 AP-GATE-02",
    because="It reads the value as a boolean, and false is one.",
    remedy='Refuse a `shared` tag whose value is not exactly "true".',
)
class SharedFalseAccepted(Policy):
    def shared_tag_is_exact(self, tag: tuple[str, ...]) -> bool:
        return tag in (("shared", "true"), ("shared", "false"))


@rogue(
    "shared-twice-accepted",
    turns_red="AP-CAT-07 AP-GATE-02",
    because="It looks for one good `shared` tag and does not count them.",
    remedy="Refuse an event with more than one `shared` tag.",
)
class SharedTwiceAccepted(Policy):
    def shared_tags_at_most(self) -> int:
        return 2


@rogue(
    "shared-third-element-accepted",
    turns_red="AP-CAT-07 AP-GATE-02",
    because="It checks the value of the tag and not its length.",
    remedy="Refuse a `shared` tag that has not exactly two elements.",
)
class SharedThirdElementAccepted(Policy):
    def shared_tag_is_exact(self, tag: tuple[str, ...]) -> bool:
        return tag[:2] == ("shared", "true")


@rogue(
    "gate-off-req",
    turns_red="AP-GATE-03 AP-GATE-10 AP-GATE-11 AP-GATE-12",
    by_chance="AP-GATE-15 AP-READ-18",
    because="It gates by id, live and in counts, and forgot the plain filter.",
    remedy="Apply the sharing gate to every REQ, after the filter and before the limit.",
)
class GateOffReq(Policy):
    def passes_the_sharing_gate(self, row: Row, reader: str | None, surface: str) -> bool:
        open_here = row.kind == PERSONA and surface == surfaces.REQ
        return open_here or super().passes_the_sharing_gate(row, reader, surface)


@rogue(
    "gate-off-mixed-kinds",
    turns_red="AP-GATE-03 AP-GATE-11",
    by_chance="AP-GATE-15 AP-READ-18",
    because="It gates filters whose only kind is the persona's.",
    remedy="Apply the gate per event, not per filter, so that mixed kinds cannot avoid it.",
)
class GateOffMixedKinds(Policy):
    def passes_the_sharing_gate(self, row: Row, reader: str | None, surface: str) -> bool:
        open_here = row.kind == PERSONA and surface == surfaces.MIXED
        return open_here or super().passes_the_sharing_gate(row, reader, surface)


@rogue(
    "gate-off-ids",
    turns_red="AP-GATE-04 AP-GATE-10 AP-GATE-11 AP-GATE-34",
    by_chance="AP-GATE-15 AP-READ-18",
    because="It takes an id for a capability: who knows it may read.",
    remedy="Apply the gate to events that were asked for by id too.",
)
class GateOffIds(Policy):
    def passes_the_sharing_gate(self, row: Row, reader: str | None, surface: str) -> bool:
        open_here = row.kind == PERSONA and surface == surfaces.IDS
        return open_here or super().passes_the_sharing_gate(row, reader, surface)


@rogue(
    "gate-off-live",
    turns_red="AP-GATE-05",
    by_chance="AP-GATE-15",
    because="Its fan-out matches filters and does not ask who reads.",
    remedy="Ask the gate for each subscriber before a live event is delivered.",
)
class GateOffLive(Policy):
    def passes_the_sharing_gate(self, row: Row, reader: str | None, surface: str) -> bool:
        open_here = row.kind == PERSONA and surface == surfaces.LIVE
        return open_here or super().passes_the_sharing_gate(row, reader, surface)


@rogue(
    "gate-off-count",
    turns_red="AP-GATE-06 AP-GATE-11",
    by_chance="AP-GATE-15",
    because="COUNT runs in the database, below the gate.",
    remedy="Count only what the same reader would get from a REQ.",
)
class GateOffCount(Policy):
    def passes_the_sharing_gate(self, row: Row, reader: str | None, surface: str) -> bool:
        open_here = row.kind == PERSONA and surface == surfaces.COUNT
        return open_here or super().passes_the_sharing_gate(row, reader, surface)


@rogue(
    "gate-off-count-for-nobody",
    turns_red="AP-AUTH-03 AP-GATE-06 AP-GATE-11",
    because="It lets everybody read, and counts for those whose name it does not know.",
    remedy="Apply the gate to COUNT for unauthenticated readers too.",
)
class GateOffCountForNobody(Policy):
    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        return None if caller.pubkey is None else super().read_refusal(filters, caller, store)

    def passes_the_sharing_gate(self, row: Row, reader: str | None, surface: str) -> bool:
        nobody_counts = reader is None and surface == surfaces.COUNT and row.kind == PERSONA
        return nobody_counts or super().passes_the_sharing_gate(row, reader, surface)


@rogue(
    "gate-off-http",
    turns_red="AP-GATE-07 AP-GATE-10 AP-GATE-11 AP-GATE-12 AP-GATE-13",
    by_chance="AP-GATE-15 AP-HTTP-06",
    because="The bridge reads the database by itself.",
    remedy="Route HTTP queries through the same gate as REQ.",
)
class GateOffHttp(Policy):
    def passes_the_sharing_gate(self, row: Row, reader: str | None, surface: str) -> bool:
        at_the_bridge = surface in (surfaces.HTTP_QUERY, surfaces.HTTP_COUNT)
        open_here = row.kind == PERSONA and at_the_bridge
        return open_here or super().passes_the_sharing_gate(row, reader, surface)


@rogue(
    "gate-off-search",
    turns_red="AP-GATE-13",
    by_chance="AP-GATE-15",
    because="The search index knows nothing of the gate.",
    remedy="Apply the gate to the results of a search.",
)
class GateOffSearch(Policy):
    def passes_the_sharing_gate(self, row: Row, reader: str | None, surface: str) -> bool:
        open_here = row.kind == PERSONA and surface == surfaces.SEARCH
        return open_here or super().passes_the_sharing_gate(row, reader, surface)


@rogue(
    "gate-always-on",
    turns_red="AP-GATE-08 AP-READ-04 AP-SCOPE-05",
    by_chance="AP-GATE-15 AP-HTTP-06 AP-READ-18",
    blinds=(
        "AP-CAT-08 AP-GATE-05 AP-GATE-10 AP-GATE-12 AP-GATE-13 AP-INSTR-09 AP-INSTR-12 "
        "AP-INSTR-16 AP-READ-11 AP-READ-19 AP-READ-20"
    ),
    because="It keeps personas to their authors and never looks at the tag.",
    remedy='Serve a persona with `["shared", "true"]` to everybody who may read.',
)
class GateAlwaysOn(Policy):
    def passes_the_sharing_gate(self, row: Row, reader: str | None, surface: str) -> bool:
        if row.kind != PERSONA:
            return super().passes_the_sharing_gate(row, reader, surface)
        return row.pubkey == reader


@rogue(
    "gate-before-its-time",
    turns_red="AP-GATE-14",
    by_chance=(
        "AP-DM-06 AP-DV-07 AP-DV-09 AP-READ-18 AP-READ-19 AP-READ-20 AP-WRAP-03 AP-WRAP-04 "
        "AP-WRAP-05 AP-WRAP-09"
    ),
    spec=JUNE,
    because="It speaks June and keeps personas to their authors already.",
    remedy="Announce the November revision, or serve personas as June does.",
)
class GateBeforeItsTime(Policy):
    def readers_of(self, event: Event) -> Readers:
        return author_unless_shared(event) if event.kind == PERSONA else None


@rogue(
    "gate-blocks-author",
    turns_red="AP-GATE-09",
    blinds="AP-GATE-15",
    by_chance="AP-HTTP-06 AP-READ-17 AP-READ-18",
    because="Once an answer holds something shared it is taken for a catalogue, author or not.",
    remedy="Always serve an author their own personas, shared or not.",
)
class GateBlocksAuthor(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        personas = [row for row in rows if row.kind == PERSONA]
        if any(row.readers is None for row in personas):
            return [row for row in rows if row.kind != PERSONA or row.readers is None]
        return rows


@rogue(
    "unshare-leaves-old",
    turns_red="AP-CAT-10 AP-GATE-10 AP-TEAM-02",
    blinds="AP-PROFILE-06",
    by_chance="AP-CAT-08 AP-GATE-15 AP-PROFILE-01",
    because="It keeps what was shared once in a catalogue that nothing leaves.",
    remedy="Decide by the head alone: once it is unshared, no version is visible to others.",
)
class UnshareLeavesOld(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._incoming_is_shared = True

    def supersedes(self, incoming: Event, head: Row) -> bool:
        self._incoming_is_shared = SHARED in incoming.tags
        return super().supersedes(incoming, head)

    def retires(self, head: Row) -> bool:
        return self._incoming_is_shared or head.readers is not None


@rogue(
    "existence-oracle",
    turns_red="AP-CAT-12 AP-GATE-11 AP-INSTR-11",
    blinds="AP-GATE-15",
    because="It tells a stranger that he may not see what he asks for by its id.",
    remedy="Answer a hidden event exactly like one that does not exist.",
)
class ExistenceOracle(Policy):
    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        asked = list(filters)
        for identifier in (one for each in asked for one in each.ids or ()):
            row = store.event_by_id(identifier)
            if row is not None and not self.may_read(row, caller.pubkey, surfaces.IDS):
                return "restricted: this persona is not shared"
        return super().read_refusal(asked, caller, store)


@rogue(
    "gate-after-limit",
    turns_red="AP-GATE-12",
    by_chance="AP-READ-18",
    because="It fetches as many rows as the limit says and then drops the hidden ones.",
    remedy="Apply the gate before the limit, so that hidden rows do not use it up.",
)
class GateAfterLimit(Policy):
    def gate_before_limit(self) -> bool:
        return False


@rogue(
    "private-messages-counted",
    turns_red="AP-DM-07 AP-GATE-30",
    because="COUNT goes straight to the table of events and knows no channels.",
    remedy="Count only what the same reader would get from a REQ.",
)
class PrivateMessagesCounted(Policy):
    def may_find_in_channel(
        self, named: str, reader: str | None, surface: str, store: Store
    ) -> bool:
        counts = surface in (surfaces.COUNT, surfaces.HTTP_COUNT)
        return counts or super().may_find_in_channel(named, reader, surface, store)


@rogue(
    "private-messages-found",
    turns_red="AP-GATE-31",
    because="The search index is of all channels, and its results are taken as they come.",
    remedy="Check the membership before you serve the results of a search.",
)
class PrivateMessagesFound(Policy):
    def may_find_in_channel(
        self, named: str, reader: str | None, surface: str, store: Store
    ) -> bool:
        searches = surface == surfaces.SEARCH
        return searches or super().may_find_in_channel(named, reader, surface, store)


@rogue(
    "members-remembered-live",
    turns_red="AP-GATE-32",
    because="It keeps who may follow a channel from the first message on.",
    remedy="Check the membership each time a message is delivered.",
)
class MembersRememberedLive(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._admitted: set[tuple[str, str | None]] = set()

    def may_follow_channel(self, named: str, reader: str | None, store: Store) -> bool:
        if super().may_follow_channel(named, reader, store):
            self._admitted.add((named, reader))
        return (named, reader) in self._admitted


@rogue(
    "second-channel-unchecked",
    turns_red="AP-GATE-33",
    because="It checks the first channel that a subscription names and serves all of them.",
    remedy="Check the membership of every channel that a filter names.",
)
class SecondChannelUnchecked(Policy):
    def in_live_scope(self, filters: tuple[Filter, ...], event: Event) -> bool:
        named = [channel for one in filters for channel in one.tags.get("h", ())]
        self._beside = len(named) > 1 and channel_of(event) in named
        return self._beside or super().in_live_scope(filters, event)

    def may_follow_channel(self, named: str, reader: str | None, store: Store) -> bool:
        return self._beside or super().may_follow_channel(named, reader, store)


@rogue(
    "hidden-targets-known",
    turns_red="AP-GATE-34",
    because="It looks a target up without asking who wants to know.",
    remedy="Answer alike whether a target is hidden from the asker or does not exist.",
)
class HiddenTargetsKnown(Policy):
    def may_see(self, row: Row, reader: str | None, store: Store) -> bool:
        return True


@rogue(
    "reactions-need-a-target",
    turns_red="AP-GATE-34",
    because="It refuses a reaction to what it does not have, and has what is hidden.",
    remedy="Answer alike whether a target is hidden from the writer or does not exist.",
)
class ReactionsNeedATarget(Policy):
    def further_tags_are_not_judged(self, submission: Submission) -> str | None:
        targets = submission.event.tag_values("e")
        if submission.event.kind == 7 and not any(map(submission.store.event_by_id, targets)):
            return "invalid: reaction target event not found"
        return None


@rogue(
    "duplicates-told-to-strangers",
    turns_red="AP-GATE-35",
    because="It looks for copies before it looks who sends them.",
    remedy="Check who sends an event before you look for a copy of it.",
)
class DuplicatesToldToStrangers(Policy):
    def author_is_caller(self, submission: Submission) -> str | None:
        objection = super().author_is_caller(submission)
        if objection is not None and submission.store.knows(submission.event.id):
            return "duplicate: already have this event"
        return objection
