"""Relays with one deviation each: the proof that each check can fail, and fails alone.

A rogue is a class that overrides one rule of policy.py under a `@rogue` decorator. The decorator
names the exact clauses that the rogue turns red, those that it leaves undecided because a control
cannot be seen on it, and says in one sentence what a real relay would have done wrong to behave
so. One class here is all it takes to add one.
"""

from __future__ import annotations

import asyncio
import itertools
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from string import ascii_letters, ascii_lowercase, digits
from typing import Any

import orjson

from nip_ap.nostr import DELETION, NOTE, PERSONA, Event, Filter, is_addressable
from nip_ap_relay import policy as rules
from nip_ap_relay.channels import CHANNEL_KINDS, channel_of
from nip_ap_relay.couriers import Courier, HangUp, Send
from nip_ap_relay.policy import JUNE, NOVEMBER, Caller, Policy, Submission
from nip_ap_relay.store import SUPERSEDED, Condition, Row, Store

ANYTHING = "*"
"""For `blinds`: this rogue takes along whatever runs just then, so any check may be undecided."""

DEVIATION, GENERAL, NOISE, UNSTABLE = "deviation", "general", "noise", "unstable"


@dataclass(frozen=True)
class Rogue:
    """A named deviation.

    kind: `deviation` turns exactly its list red; `general` is broken all over, and no check with a
    negative claim may pass on it; `noise` is conformant and must stay green; `unstable` differs
    from one repetition to the next.
    by_chance: clauses whose check searches by chance and finds this rogue in most runs, not in all.
    """

    name: str
    because: str
    turns_red: frozenset[str]
    blinds: frozenset[str]
    by_chance: frozenset[str]
    kind: str
    spec: str
    policy: type[Policy]

    def relay_policy(self, spec: str) -> Policy:
        """A policy of this rogue, which calls itself by its name."""
        made = self.policy(spec)
        made.name = self.name
        return made


ROGUES: dict[str, Rogue] = {}


def rogue(
    name: str,
    *,
    because: str,
    turns_red: str = "",
    blinds: str = "",
    by_chance: str = "",
    kind: str = DEVIATION,
    spec: str = NOVEMBER,
) -> Callable[[type[Policy]], type[Policy]]:
    """Declare a rogue; clauses are given as ids in one string, separated by spaces."""

    def register(policy: type[Policy]) -> type[Policy]:
        if name in ROGUES:
            raise ValueError(f"two rogues are named {name}")
        red, blind = frozenset(turns_red.split()), frozenset(blinds.split())
        chance = frozenset(by_chance.split())
        ROGUES[name] = Rogue(name, because, red, blind, chance, kind, spec, policy)
        return policy

    return register


def rogue_named(name: str) -> Rogue:
    """The rogue of that name. Raises KeyError."""
    return ROGUES[name]


# -- SLUG ------------------------------------------------------------------------


@rogue(
    "slug-max-63",
    turns_red="AP-SLUG-01",
    because="It reads {0,63} as the length of the whole slug, or compares with < for <=.",
)
class SlugMax63(Policy):
    longest_slug = 63


@rogue(
    "slug-no-digit-first",
    turns_red="AP-SLUG-01",
    because="It takes the grammar for that of identifiers, which begin with a letter.",
)
class SlugNoDigitFirst(Policy):
    first_characters = frozenset(ascii_lowercase)


@rogue(
    "slug-no-underscore",
    turns_red="AP-SLUG-01",
    because="It uses the host-name grammar, which knows the dash and not the underscore.",
)
class SlugNoUnderscore(Policy):
    further_characters = frozenset(ascii_lowercase + digits + "-")


@rogue(
    "slug-empty-accepted",
    turns_red="AP-SLUG-02",
    because="NIP-01 lets an addressable event have an empty `d`, and it stops there.",
)
class SlugEmptyAccepted(Policy):
    def is_no_slug(self, value: str | None) -> bool:
        return value is None


@rogue(
    "slug-missing-accepted",
    turns_red="AP-SLUG-03",
    because="It refuses more than one `d` and forgets that none is wrong too.",
)
class SlugMissingAccepted(Policy):
    def number_of_d_tags_is_good(self, found: int) -> bool:
        return found <= 1


@rogue(
    "slug-max-65",
    turns_red="AP-SLUG-04",
    because="It is off by one: {0,64} after the first character.",
)
class SlugMax65(Policy):
    longest_slug = 65


@rogue(
    "slug-truncated",
    turns_red="AP-SLUG-04",
    because="Its column is 64 characters wide and cuts what is longer.",
)
class SlugTruncated(Policy):
    def slug_of(self, event: Event) -> str:
        return event.slug[:64]


@rogue(
    "slug-uppercase-accepted",
    turns_red="AP-SLUG-05",
    because="It checks the grammar with a case-insensitive expression.",
)
class SlugUppercaseAccepted(Policy):
    first_characters = frozenset(ascii_letters + digits)
    further_characters = frozenset(ascii_letters + digits + "_-")


@rogue(
    "slug-case-folded",
    turns_red="AP-SLUG-05",
    because="It lower-cases the slug before it looks at it.",
)
class SlugCaseFolded(Policy):
    def slug_of(self, event: Event) -> str:
        return event.slug.lower() if event.kind == PERSONA else event.slug


@rogue(
    "slug-leading-dash-accepted",
    turns_red="AP-SLUG-06",
    because="It applies one character class to the whole slug.",
)
class SlugLeadingDashAccepted(Policy):
    first_characters = Policy.further_characters


@rogue(
    "slug-trailing-newline-accepted",
    turns_red="AP-SLUG-07",
    because="Its expression ends in $, which matches before a final newline.",
)
class SlugTrailingNewlineAccepted(Policy):
    def rest_is_good(self, rest: str) -> bool:
        return super().rest_is_good(rest.removesuffix("\n"))


@rogue(
    "slug-dot-accepted",
    turns_red="AP-SLUG-07",
    because="It forgets to escape the dash or dot in a character class.",
)
class SlugDotAccepted(Policy):
    further_characters = Policy.further_characters | {"."}


@rogue(
    "slug-unicode-lower-accepted",
    turns_red="AP-SLUG-07",
    because="It asks the language whether a character is a lower-case letter or a digit.",
)
class SlugUnicodeLowerAccepted(Policy):
    def rest_is_good(self, rest: str) -> bool:
        return all(one.islower() or one.isdigit() or one in "_-" for one in rest)


@rogue(
    "slug-trimmed",
    turns_red="AP-SLUG-07",
    because="It trims white space off tag values as a courtesy.",
)
class SlugTrimmed(Policy):
    def slug_of(self, event: Event) -> str:
        return event.slug.strip()


@rogue(
    "slug-cut-at-nul",
    turns_red="AP-SLUG-07",
    because="It passes the slug through a C string.",
)
class SlugCutAtNul(Policy):
    def slug_of(self, event: Event) -> str:
        return event.slug.partition("\0")[0] or event.slug


def _is_for_its_slug(refusal: str) -> bool:
    return refusal.startswith("invalid: persona event `d`")


@rogue(
    "refused-but-stored",
    turns_red="AP-SLUG-08",
    because="It validates after the insert and forgets to roll back.",
)
class RefusedButStored(Policy):
    def stores_although_refused(self, event: Event, refusal: str) -> bool:
        return _is_for_its_slug(refusal)


@rogue(
    "refused-but-fanned-out",
    turns_red="AP-SLUG-08",
    because="It publishes to subscribers before it validates.",
)
class RefusedButFannedOut(Policy):
    def delivers_although_refused(self, event: Event, refusal: str) -> bool:
        return _is_for_its_slug(refusal)


@rogue(
    "refusal-without-prefix",
    turns_red="AP-SLUG-09",
    because="It sends the validator's own text, without the machine-readable prefix.",
)
class RefusalWithoutPrefix(Policy):
    def refusal(self, submission: Submission) -> str | None:
        refusal = super().refusal(submission)
        if refusal is not None and _is_for_its_slug(refusal):
            return refusal.removeprefix("invalid: ")
        return refusal


@rogue(
    "http-hides-the-reason",
    turns_red="AP-HTTP-01 AP-SLUG-09",
    because="Its HTTP layer replaces the text of every refusal by a phrase of its own.",
)
class HttpHidesTheReason(Policy):
    def refusal_over_http(self, refusal: str) -> str:
        return "invalid: bad request"


@rogue(
    "slug-grammar-on-every-kind",
    turns_red="AP-SLUG-10",
    because="It puts the check where all addressable kinds come by.",
)
class SlugGrammarOnEveryKind(Policy):
    def grammar_binds(self, kind: int) -> bool:
        return is_addressable(kind)


# -- ENV -------------------------------------------------------------------------


@rogue(
    "two-d-first-wins",
    turns_red="AP-ENV-01 AP-ENV-03",
    because="It takes the first `d` tag that it finds and looks no further.",
)
class TwoDFirstWins(Policy):
    def d_tags(self, event: Event) -> list[str | None]:
        return super().d_tags(event)[:1]


@rogue(
    "two-d-same-accepted",
    turns_red="AP-ENV-01",
    because="It gathers tag values in a set before it counts them.",
)
class TwoDSameAccepted(Policy):
    def d_tags(self, event: Event) -> list[str | None]:
        return list(dict.fromkeys(super().d_tags(event)))


@rogue(
    "valueless-d-accepted",
    turns_red="AP-ENV-02",
    because='It reads a missing value as a wildcard slug where "" is refused.',
)
class ValuelessDAccepted(Policy):
    def is_no_slug(self, value: str | None) -> bool:
        return value == ""


@rogue(
    "valueless-d-ignored",
    turns_red="AP-ENV-03",
    because="It counts only tags of two elements, as the real relay did in June.",
)
class ValuelessDIgnored(Policy):
    def d_tags(self, event: Event) -> list[str | None]:
        return [value for value in super().d_tags(event) if value is not None]


@rogue(
    "alt-refused",
    turns_red="AP-ENV-04 AP-ENV-06",
    because="It lets only the tags pass that it has heard of.",
)
class AltRefused(Policy):
    def further_tags_are_not_judged(self, submission: Submission) -> str | None:
        if submission.event.kind == PERSONA and submission.event.tag_values("alt"):
            return "invalid: unexpected tag"
        return None


@rogue(
    "d-must-be-first",
    turns_red="AP-ENV-04",
    because="It reads the slug from the first tag, whatever its name.",
)
class DMustBeFirst(Policy):
    def further_tags_are_not_judged(self, submission: Submission) -> str | None:
        if submission.event.kind == PERSONA and submission.event.tags[0][0] != "d":
            return "invalid: the first tag must be `d`"
        return None


@rogue(
    "content-validated",
    turns_red="AP-ENV-05 AP-ENV-06",
    because="It parses the content and refuses what is not a JSON object.",
)
class ContentValidated(Policy):
    def persona_content_is_not_judged(self, submission: Submission) -> str | None:
        if submission.event.kind != PERSONA:
            return None
        try:
            parsed = orjson.loads(submission.event.content)
        except orjson.JSONDecodeError:
            return "invalid: content is not JSON"
        return None if isinstance(parsed, dict) else "invalid: content is no object"


@rogue(
    "prompt-required",
    turns_red="AP-ENV-05 AP-ENV-06",
    because="It enforces the June list of required fields, which was a duty of writers.",
)
class PromptRequired(Policy):
    def persona_content_is_not_judged(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind == PERSONA and "system_prompt" not in event.content:
            return "invalid: persona content must have a system_prompt"
        return None


@rogue(
    "content-reserialised",
    turns_red="AP-ENV-06",
    because="It stores content in a JSON column, which does not keep the text.",
)
class ContentReserialised(Policy):
    def as_stored(self, event: Event) -> Event:
        try:
            parsed = orjson.loads(event.content)
        except orjson.JSONDecodeError:
            return event
        return event.altered(content=orjson.dumps(parsed).decode())


@rogue(
    "content-nfc-normalised",
    turns_red="AP-ENV-06",
    because="It normalises all text to NFC on the way in.",
)
class ContentNfcNormalised(Policy):
    def as_stored(self, event: Event) -> Event:
        return event.altered(content=unicodedata.normalize("NFC", event.content))


@rogue(
    "tags-sorted",
    turns_red="AP-ENV-06",
    because="It keeps tags in a table of their own and returns them in the order of its key.",
)
class TagsSorted(Policy):
    def as_stored(self, event: Event) -> Event:
        return event.altered(tags=tuple(sorted(event.tags)))


@rogue(
    "body-limit-32k",
    turns_red="AP-ENV-07",
    because="It caps content below what NIP-AP allows a writer.",
)
class BodyLimit32k(Policy):
    longest_content = 32_768


@rogue(
    "serves-altered-event",
    turns_red="AP-ENV-08 AP-ROB-04",
    because="It drops signatures to save space and fills in zeros.",
)
class ServesAlteredEvent(Policy):
    def as_served(self, raw: str) -> str:
        return orjson.dumps(orjson.loads(raw) | {"sig": "0" * 128}).decode()


# -- INT -------------------------------------------------------------------------


@rogue(
    "id-unchecked",
    turns_red="AP-INT-01 AP-INT-03",
    because="It verifies the signature over the id that was given and never computes the id.",
)
class IdUnchecked(Policy):
    def id_is_the_hash(self, submission: Submission) -> str | None:
        return None


@rogue(
    "id-recomputed",
    turns_red="AP-INT-01",
    because="It verifies the signature over the id that it computes and keeps the id it was given.",
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
    turns_red="AP-INT-02",
    because="It trusts that whoever computed the id also held the key.",
)
class SigUnchecked(Policy):
    def signature_is_valid(self, submission: Submission) -> str | None:
        return None


@rogue(
    "ok-missing",
    turns_red="AP-INT-04",
    blinds="AP-HTTP-01 AP-HTTP-02 AP-SCOPE-02",
    because="It answers only for kinds that it has a handler for.",
)
class OkMissing(Policy):
    def ok(self, event: Event, accepted: bool, message: str) -> list[Any] | None:
        return None if event.kind == NOTE else super().ok(event, accepted, message)


@rogue(
    "ok-wrong-id",
    turns_red="AP-INT-04",
    blinds="AP-HTTP-01 AP-HTTP-02 AP-SCOPE-02",
    because="It fills the OK of a note with the author's key.",
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
)
class DuplicateRefused(Policy):
    def answer_to_duplicate(self, event: Event) -> tuple[bool, str]:
        return False, "duplicate: exists"


@rogue(
    "duplicate-stored",
    turns_red="AP-INT-05",
    because="It appends to a log and has no unique key on the id.",
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
)
class DuplicateFannedOut(Policy):
    def delivers_although_known(self, event: Event) -> bool:
        return True


@rogue(
    "malformed-crashes",
    turns_red="AP-INT-06 AP-ROB-01 AP-ROB-02",
    blinds=ANYTHING,
    by_chance="AP-HTTP-03",
    because="An exception in one connection's handler ends the process.",
)
class MalformedCrashes(Policy):
    def survives(self, complaint: str) -> bool:
        return False


# -- REPL ------------------------------------------------------------------------


@rogue(
    "keeps-all-versions",
    turns_red="AP-GATE-10 AP-READ-13 AP-REPL-01 AP-REPL-07 AP-REPL-10 AP-REPL-14",
    because="It knows kind 30175 only as a number and stores it like a note.",
)
class KeepsAllVersions(Policy):
    def retires(self, head: Row) -> bool:
        return False


@rogue(
    "first-write-wins",
    turns_red=(
        "AP-DEL-06 AP-GATE-08 AP-GATE-10 AP-REPL-01 AP-REPL-03 AP-REPL-07 AP-REPL-09 "
        "AP-REPL-10 AP-REPL-11 AP-REPL-14 AP-ROB-06"
    ),
    because="It inserts with ON CONFLICT DO NOTHING on the address.",
)
class FirstWriteWins(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        return False


@rogue(
    "last-write-wins",
    turns_red="AP-REPL-02 AP-REPL-03 AP-REPL-07 AP-REPL-08 AP-REPL-09 AP-REPL-10",
    because="It replaces by arrival and never compares created_at.",
)
class LastWriteWins(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        return True


@rogue(
    "tie-highest-id",
    turns_red="AP-REPL-03 AP-REPL-08 AP-REPL-09",
    because="It compares ids the wrong way round.",
)
class TieHighestId(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        return (incoming.created_at, incoming.id) > (head.created_at, head.id)


@rogue(
    "tie-last-write",
    turns_red="AP-REPL-03 AP-REPL-08 AP-REPL-09",
    because="It replaces where created_at is greater or equal.",
)
class TieLastWrite(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        return incoming.created_at >= head.created_at


@rogue(
    "tie-first-write",
    turns_red="AP-REPL-03 AP-REPL-09",
    because="It replaces only where created_at is greater.",
)
class TieFirstWrite(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        return incoming.created_at > head.created_at


@rogue(
    "key-ignores-author",
    turns_red="AP-READ-04 AP-REPL-04 AP-REPL-09",
    blinds="AP-DEL-03",
    by_chance="AP-DEL-03",
    because="Its unique index is over kind and `d` alone.",
)
class KeyIgnoresAuthor(Policy):
    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(kind, "" if kind == PERSONA else pubkey, slug)


@rogue(
    "key-ignores-slug",
    turns_red=(
        "AP-ENV-08 AP-READ-03 AP-READ-05 AP-READ-06 AP-READ-07 AP-READ-09 AP-READ-15 AP-REPL-05 "
        "AP-REPL-09 AP-ROB-06"
    ),
    blinds=ANYTHING,
    because="It treats the kind as replaceable rather than addressable.",
)
class KeyIgnoresSlug(Policy):
    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(kind, pubkey, "" if kind == PERSONA else slug)

    def supersedes(self, incoming: Event, head: Row) -> bool:
        return incoming.slug != head.slug or super().supersedes(incoming, head)


@rogue(
    "slug-prefix-match",
    turns_red="AP-REPL-05 AP-REPL-09",
    blinds="AP-DEL-03",
    because="It scans its key-value store by prefix and replaces all that it finds.",
)
class SlugPrefixMatch(Policy):
    def head_at(self, address: str, store: Store) -> Row | None:
        for length in range(address.rindex(":") + 2, len(address)):
            for row in store.rows_at(address[:length]):
                store.remove(row, SUPERSEDED)
        return super().head_at(address, store)


@rogue(
    "key-ignores-kind",
    turns_red="AP-REPL-06",
    because="Its unique index is over author and `d` alone.",
)
class KeyIgnoresKind(Policy):
    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return super().address_for(PERSONA if is_addressable(kind) else kind, pubkey, slug)


@rogue(
    "superseded-in-list",
    turns_red="AP-GATE-10 AP-READ-13 AP-REPL-01 AP-REPL-07 AP-REPL-14",
    because="It looks for heads only where a filter names `d`.",
)
class SupersededInList(Policy):
    def retires(self, head: Row) -> bool:
        return False

    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        if not all("d" in one.tags for one in filters):
            return rows
        heads: dict[str | None, Row] = {}
        for row in sorted(rows, key=lambda row: row.order):
            heads.setdefault(row.address, row)
        return [row for row in rows if heads[row.address] is row]


@rogue(
    "stale-fanned-out",
    turns_red="AP-REPL-08",
    because="It publishes to subscribers whatever the store made of the event.",
)
class StaleFannedOut(Policy):
    def delivers_although_stale(self, event: Event) -> bool:
        return True


@rogue(
    "replace-race",
    turns_red="AP-REPL-10",
    because="It reads the head and writes the new one without a lock in between.",
)
class ReplaceRace(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._seen: dict[str, Row | None] = {}

    def head_at(self, address: str, store: Store) -> Row | None:
        if address not in self._seen:
            self._seen[address] = super().head_at(address, store)
        return self._seen[address]

    def batch_is_committed(self) -> None:
        self._seen.clear()


@rogue(
    "future-clamped",
    turns_red="AP-REPL-11",
    because="It takes a date ahead of its clock for now, so two of them are a tie that it keeps.",
)
class FutureClamped(Policy):
    def supersedes(self, incoming: Event, head: Row) -> bool:
        if min(incoming.created_at, head.created_at) > self.now():
            return False
        return super().supersedes(incoming, head)


@rogue(
    "clock-guard-too-tight",
    turns_red="AP-REPL-11 AP-REPL-12",
    because="It expects every client's clock within 45 seconds of its own.",
)
class ClockGuardTooTight(Policy):
    clock_tolerance = 45


@rogue(
    "superseded-resurrected",
    turns_red="AP-REPL-09 AP-REPL-14",
    because="It finds the old row by its id, marks it live again and forgets the newer one.",
)
class SupersededResurrected(Policy):
    def is_known_already(self, event: Event, store: Store) -> bool:
        known = super().is_known_already(event, store)
        if known and store.event_by_id(event.id) is None:
            head = self.head_at(self.address(event) or "", store)
            if head is not None:
                store.remove(head, SUPERSEDED)
            store.restore(event.id)
        return known


# -- READ ------------------------------------------------------------------------


@rogue(
    "eose-missing",
    turns_red="AP-READ-01",
    blinds="AP-REPL-02 AP-REPL-03 AP-REPL-10 AP-REPL-14",
    because="It ends its loop at the limit and skips the line after the loop.",
)
class EoseMissing(Policy):
    def ends_stored_events(self, rows: list[Row], filters: Sequence[Filter]) -> bool:
        return not (len(rows) == 1 and any(one.limit == 1 for one in filters))


@rogue(
    "list-capped-at-100",
    turns_red="AP-READ-02",
    because="It applies a default page size where the filter has no limit.",
)
class ListCappedAt100(Policy):
    def row_limit(self, one: Filter) -> int:
        return 100 if one.limit is None else super().row_limit(one)


def _without_tag(one: Filter, name: str) -> Filter:
    return one.changed(tags={key: value for key, value in one.tags.items() if key != name})


@rogue(
    "d-filter-ignored",
    turns_red="AP-READ-03 AP-READ-09 AP-ENV-08 AP-REPL-10",
    because="It indexes only `e` and `p` tags and ignores other conditions.",
)
class DFilterIgnored(Policy):
    def understood(self, one: Filter) -> Filter:
        return _without_tag(one, "d")


@rogue(
    "d-filter-prefix",
    turns_red="AP-READ-03 AP-SCOPE-07",
    because="It answers tag filters by a prefix scan.",
)
class DFilterPrefix(Policy):
    def tag_comparison(self) -> Callable[[str, str], bool]:
        return str.startswith


@rogue(
    "d-filter-first-value-only",
    turns_red="AP-READ-03",
    because="Its fast path for one author and one kind looks up a single value.",
)
class DFilterFirstValueOnly(Policy):
    def understood(self, one: Filter) -> Filter:
        tags = {name: tuple(sorted(values))[:1] for name, values in one.tags.items()}
        return one.changed(tags=tags)


@rogue(
    "authors-filter-ignored",
    turns_red="AP-READ-04",
    because="Where a filter names `d` it takes the tag index and checks nothing else.",
)
class AuthorsFilterIgnored(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(authors=None) if "d" in one.tags else one


@rogue(
    "ids-filter-ignored",
    turns_red="AP-READ-05 AP-READ-09 AP-ROB-04",
    blinds="AP-GATE-11",
    because="It prefers the author index and drops the condition on ids.",
)
class IdsFilterIgnored(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(ids=None)


@rogue(
    "since-exclusive",
    turns_red="AP-READ-06",
    because="It writes > for >=.",
)
class SinceExclusive(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(since=None if one.since is None else one.since + 1)


@rogue(
    "until-exclusive",
    turns_red="AP-READ-06",
    because="It writes < for <=.",
)
class UntilExclusive(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(until=None if one.until is None else one.until - 1)


@rogue(
    "since-ignored",
    turns_red="AP-READ-06",
    because="It reads `until` and forgets `since`.",
)
class SinceIgnored(Policy):
    def understood(self, one: Filter) -> Filter:
        return one.changed(since=None)


@rogue(
    "limit-gives-oldest",
    turns_red="AP-READ-07 AP-READ-15",
    because="It cuts before it sorts.",
)
class LimitGivesOldest(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        return sorted(rows, key=lambda row: row.order)

    def newest_first(self) -> bool:
        return False


@rogue(
    "order-oldest-first",
    turns_red="AP-READ-15",
    because="It returns events in the order in which it stored them.",
)
class OrderOldestFirst(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        return rows[::-1]


@rogue(
    "tie-order-arbitrary",
    turns_red="AP-READ-15",
    because="It sorts by created_at alone.",
)
class TieOrderArbitrary(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        return sorted(rows, key=lambda row: (-row.created_at, row.id[::-1]))


@rogue(
    "limit-zero-is-unlimited",
    turns_red="AP-READ-08",
    because="It takes 0 for the absence of a limit.",
)
class LimitZeroIsUnlimited(Policy):
    def row_limit(self, one: Filter) -> int:
        return super().row_limit(one) or self.largest_limit


@rogue(
    "filters-anded",
    turns_red="AP-READ-09",
    blinds="AP-HTTP-02",
    because="It joins the filters of a REQ with AND.",
)
class FiltersAnded(Policy):
    def combines_filters_by_or(self) -> bool:
        return False


@rogue(
    "filters-repeat-events",
    turns_red="AP-READ-16",
    because="It runs one query a filter and sends what each finds.",
)
class FiltersRepeatEvents(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        def hits(row: Row) -> Iterable[Row]:
            event = Event.from_json(orjson.loads(row.raw))
            return itertools.repeat(row, sum(one.matches(event) for one in filters))

        return [one for row in rows for one in hits(row)] if len(filters) > 1 else rows


@rogue(
    "no-live-delivery",
    turns_red=(
        "AP-GATE-08 AP-GATE-09 AP-READ-08 AP-READ-10 AP-READ-11 AP-ROB-05 AP-ROB-06 AP-SCOPE-06 "
        "AP-THREAD-11"
    ),
    blinds="AP-ENV-08 AP-GATE-05 AP-INT-05 AP-READ-14 AP-REPL-08 AP-SLUG-08 AP-THREAD-12",
    because="It answers queries and never looks at open subscriptions again.",
)
class NoLiveDelivery(Policy):
    def delivers_live(self, event: Event) -> bool:
        return False


@rogue(
    "live-ignores-filter",
    turns_red="AP-READ-10",
    because="It matches live events by kind and author and ignores tags.",
)
class LiveIgnoresFilter(Policy):
    def live_match(self, one: Filter, event: Event) -> bool:
        return super().live_match(_without_tag(one, "d"), event)


@rogue(
    "duplicates-deliveries",
    turns_red="AP-READ-10 AP-INT-05 AP-ROB-06",
    because="It delivers from its own queue and again from its database's notification.",
)
class DuplicatesDeliveries(Policy):
    def live_copies(self, event: Event) -> int:
        return 2


@rogue(
    "close-ignored",
    turns_red="AP-READ-11",
    by_chance="AP-REPL-09",  # where its sequences take more subscriptions than there may be
    because="It answers CLOSE and keeps the subscription.",
)
class CloseIgnored(Policy):
    def close_ends(self) -> bool:
        return False


@rogue(
    "ok-before-store",
    turns_red="AP-ENV-06 AP-READ-02 AP-READ-12 AP-REPL-09 AP-ROB-04 AP-ROB-06",
    because="It answers from memory and writes behind, a moment later, when a buffer is full.",
)
class OkBeforeStore(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._writes: Counter[str] = Counter()

    def stores_before_answering(self, event: Event) -> bool:
        self._writes[event.pubkey] += 1
        return self._writes[event.pubkey] % 29 != 0


@rogue(
    "count-counts-versions",
    turns_red="AP-GATE-06 AP-GATE-07 AP-GATE-11 AP-READ-13 AP-REPL-01",
    because="Its COUNT runs over the history table.",
)
class CountCountsVersions(Policy):
    def count(self, rows: int, versions: int) -> int:
        return versions


@rogue(
    "search-mixes",
    turns_red="AP-READ-14",
    because="It ignores `search` where another filter of the REQ has none.",
)
class SearchMixes(Policy):
    def mixes_search(self, filters: Iterable[Filter]) -> bool:
        return False


@rogue(
    "search-stays-live",
    turns_red="AP-READ-14",
    because="It registers every REQ for live delivery, searches too.",
)
class SearchStaysLive(Policy):
    def keeps_search_open(self) -> bool:
        return True


# -- SCOPE -------------------------------------------------------------------------------


@rogue(
    "persona-needs-channel",
    turns_red=(
        "AP-ENV-04 AP-ENV-05 AP-ENV-06 AP-ENV-07 AP-GATE-01 AP-REPL-03 AP-REPL-06 "
        "AP-REPL-11 AP-REPL-12 AP-SCOPE-01 AP-SCOPE-02 AP-SCOPE-05 AP-SLUG-01"
    ),
    blinds=ANYTHING,
    because="It asks for a channel membership before anything may be written.",
)
class PersonaNeedsChannel(Policy):
    def persona_content_is_not_judged(self, submission: Submission) -> str | None:
        if submission.event.kind != PERSONA:
            return None
        return "invalid: join a channel first"


@rogue(
    "scope-unchecked",
    turns_red="AP-SCOPE-02",
    because="It reads the scopes of a credential and never asks for one.",
)
class ScopeUnchecked(Policy):
    def credential_has_the_scope(self, submission: Submission) -> str | None:
        return None


@rogue(
    "scope-messages-write",
    turns_red="AP-SCOPE-02",
    because="It files personas under messages, by the kind's range.",
)
class ScopeMessagesWrite(Policy):
    def scope_for(self, event: Event) -> str:
        return "messages:write" if event.kind == PERSONA else super().scope_for(event)


@rogue(
    "auth-not-enforced",
    turns_red="AP-SCOPE-03 AP-AUTH-03",
    because="It sends a challenge and then serves everybody, answered or not.",
)
class AuthNotEnforced(Policy):
    def caller_is_authenticated(self, submission: Submission) -> str | None:
        return None

    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        known = Caller(caller.pubkey or "", caller.scopes)
        return super().read_refusal(filters, known, store)


@rogue(
    "author-mismatch-accepted",
    turns_red="AP-SCOPE-04",
    because="It relays any event with a good signature, as NIP-01 relays do.",
)
class AuthorMismatchAccepted(Policy):
    def author_is_caller(self, submission: Submission) -> str | None:
        return None


@rogue(
    "h-tag-scopes",
    turns_red="AP-SCOPE-05 AP-SCOPE-07",
    because="It stores every event under the channel of its `h` tag.",
)
class HTagScopes(Policy):
    def channel_of_stored(self, event: Event) -> str | None:
        return channel_of(event)


@rogue(
    "h-tag-refused",
    turns_red="AP-SCOPE-05",
    blinds="AP-SCOPE-06 AP-SCOPE-07",
    because="It takes an `h` tag on a global kind for a mistake of the client.",
)
class HTagRefused(Policy):
    def further_tags_are_not_judged(self, submission: Submission) -> str | None:
        if submission.event.kind == PERSONA and submission.event.tag_values("h"):
            return "invalid: a global event must not name a channel"
        return None


@rogue(
    "h-tag-fans-out-to-channel",
    turns_red="AP-SCOPE-06",
    because="Its fan-out looks at the `h` tag, whatever the kind.",
)
class HTagFansOutToChannel(Policy):
    def in_live_scope(self, filters: tuple[Filter, ...], event: Event) -> bool:
        return event.kind == PERSONA or super().in_live_scope(filters, event)


@rogue(
    "h-tag-in-channel-query",
    turns_red="AP-SCOPE-07",
    because="It answers `#h` by tag value, as NIP-01 reads, not by channel.",
)
class HTagInChannelQuery(Policy):
    def channel_condition(self, channel: str) -> Condition:
        tagged = "number IN (SELECT event FROM tags WHERE name = 'h' AND value = ?)"
        return Condition(f"(channel = ? OR (channel IS NULL AND {tagged}))", (channel, channel))


# -- GATE --------------------------------------------------------------------------------


@rogue(
    "shared-tag-refused",
    turns_red="AP-GATE-01 AP-SCOPE-05",
    blinds=(
        "AP-AUTH-03 AP-GATE-02 AP-GATE-05 AP-GATE-06 AP-GATE-08 AP-GATE-09 AP-GATE-10 "
        "AP-GATE-12 AP-GATE-13 AP-READ-04 AP-READ-11 AP-READ-14"
    ),
    because="It knows no tag but `d`, and refuses what it does not know.",
)
class SharedTagRefused(Policy):
    def further_tags_are_not_judged(self, submission: Submission) -> str | None:
        if submission.event.kind == PERSONA and self.is_shared(submission.event):
            return "invalid: unknown tag `shared`"
        return None


@rogue(
    "shared-false-accepted",
    turns_red="AP-GATE-02",
    because="It reads the value as a boolean, and false is one.",
)
class SharedFalseAccepted(Policy):
    def shared_tag_is_exact(self, tag: tuple[str, ...]) -> bool:
        return tag in (("shared", "true"), ("shared", "false"))


@rogue(
    "shared-twice-accepted",
    turns_red="AP-GATE-02",
    because="It looks for one good `shared` tag and does not count them.",
)
class SharedTwiceAccepted(Policy):
    def shared_tags_at_most(self) -> int:
        return 2


@rogue(
    "shared-third-element-accepted",
    turns_red="AP-GATE-02",
    because="It checks the value of the tag and not its length.",
)
class SharedThirdElementAccepted(Policy):
    def shared_tag_is_exact(self, tag: tuple[str, ...]) -> bool:
        return tag[:2] == ("shared", "true")


@rogue(
    "gate-off-req",
    turns_red="AP-GATE-03 AP-GATE-10 AP-GATE-11 AP-GATE-12",
    because="It gates by id, live and in counts, and forgot the plain filter.",
)
class GateOffReq(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        return surface == rules.REQ or super().may_read(row, reader, surface)


@rogue(
    "gate-off-mixed-kinds",
    turns_red="AP-GATE-03 AP-GATE-11",
    because="It gates filters whose only kind is the persona's.",
)
class GateOffMixedKinds(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        return surface == rules.MIXED or super().may_read(row, reader, surface)


@rogue(
    "gate-off-ids",
    turns_red="AP-GATE-04 AP-GATE-10 AP-GATE-11",
    because="It takes an id for a capability: who knows it may read.",
)
class GateOffIds(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        return surface == rules.IDS or super().may_read(row, reader, surface)


@rogue(
    "gate-off-live",
    turns_red="AP-GATE-05",
    because="Its fan-out matches filters and does not ask who reads.",
)
class GateOffLive(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        return surface == rules.LIVE or super().may_read(row, reader, surface)


@rogue(
    "gate-off-count",
    turns_red="AP-GATE-06 AP-GATE-11",
    because="COUNT runs in the database, below the gate.",
)
class GateOffCount(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        return surface == rules.COUNT or super().may_read(row, reader, surface)


@rogue(
    "gate-off-count-for-nobody",
    turns_red="AP-AUTH-03 AP-GATE-06 AP-GATE-11",
    because="It lets everybody read, and counts for those whose name it does not know.",
)
class GateOffCountForNobody(Policy):
    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        return None if caller.pubkey is None else super().read_refusal(filters, caller, store)

    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        nobody_counts = reader is None and surface == rules.COUNT
        return nobody_counts or super().may_read(row, reader, surface)


@rogue(
    "gate-off-http",
    turns_red="AP-GATE-07 AP-GATE-10 AP-GATE-11 AP-GATE-12 AP-GATE-13",
    because="The bridge reads the database by itself.",
)
class GateOffHttp(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        return surface in (rules.HTTP_QUERY, rules.HTTP_COUNT) or super().may_read(
            row, reader, surface
        )


@rogue(
    "gate-off-search",
    turns_red="AP-GATE-13",
    because="The search index knows nothing of the gate.",
)
class GateOffSearch(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        return surface == rules.SEARCH or super().may_read(row, reader, surface)


@rogue(
    "gate-always-on",
    turns_red="AP-GATE-08 AP-READ-04 AP-SCOPE-05",
    blinds="AP-GATE-05 AP-GATE-10 AP-GATE-12 AP-GATE-13 AP-READ-11",
    because="It keeps personas to their authors and never looks at the tag.",
)
class GateAlwaysOn(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        return row.pubkey == reader if self.gates(row) else True


@rogue(
    "gate-before-its-time",
    turns_red="AP-GATE-14",
    spec=JUNE,
    because="It speaks June and keeps personas to their authors already.",
)
class GateBeforeItsTime(Policy):
    def gates(self, row: Row) -> bool:
        return row.kind == PERSONA


@rogue(
    "gate-blocks-author",
    turns_red="AP-GATE-09",
    because="Once an answer holds something shared it is taken for a catalogue, author or not.",
)
class GateBlocksAuthor(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        personas = [row for row in rows if row.kind == PERSONA]
        if any(row.shared for row in personas):
            return [row for row in rows if row.kind != PERSONA or row.shared]
        return rows


@rogue(
    "unshare-leaves-old",
    turns_red="AP-GATE-10",
    because="It keeps what was shared once in a catalogue that nothing leaves.",
)
class UnshareLeavesOld(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._incoming_is_shared = True

    def supersedes(self, incoming: Event, head: Row) -> bool:
        self._incoming_is_shared = self.is_shared(incoming)
        return super().supersedes(incoming, head)

    def retires(self, head: Row) -> bool:
        return self._incoming_is_shared or not head.shared


@rogue(
    "existence-oracle",
    turns_red="AP-GATE-11",
    because="It tells a stranger that he may not see what he asks for by its id.",
)
class ExistenceOracle(Policy):
    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        asked = list(filters)
        for identifier in (one for each in asked for one in each.ids or ()):
            row = store.event_by_id(identifier)
            if row is not None and not self.may_read(row, caller.pubkey, rules.IDS):
                return "restricted: this persona is not shared"
        return super().read_refusal(asked, caller, store)


@rogue(
    "gate-after-limit",
    turns_red="AP-GATE-12",
    because="It fetches as many rows as the limit says and then drops the hidden ones.",
)
class GateAfterLimit(Policy):
    def gate_before_limit(self) -> bool:
        return False


# -- DEL ---------------------------------------------------------------------------------


@rogue(
    "a-deletion-ignored",
    turns_red="AP-DEL-01",
    blinds="AP-DEL-02 AP-DEL-03 AP-DEL-04 AP-DEL-05 AP-DEL-07",
    because="It knows deletion by `e` alone.",
)
class ADeletionIgnored(Policy):
    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        return []


@rogue(
    "foreign-deletion-honoured",
    turns_red="AP-DEL-02",
    because="It carries out what a valid event asks for, whoever signed it.",
)
class ForeignDeletionHonoured(Policy):
    def address_may_be_deleted(self, address: str, author: str) -> str | None:
        return None

    def may_delete(self, target: Row, author: str) -> bool:
        return True


@rogue(
    "deletion-of-all-slugs",
    turns_red="AP-DEL-03",
    by_chance="AP-REPL-09",
    because="It deletes by kind and author, and leaves the `d` of the address out.",
)
class DeletionOfAllSlugs(Policy):
    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        if not super().deletion_by_address(request, store):
            return []
        of_author = "pubkey = ? AND kind = ? AND gone = 0"
        return list(store.select(of_author, (request.pubkey, PERSONA)))


@rogue(
    "deleted-for-ever",
    turns_red="AP-DEL-04",
    by_chance="AP-REPL-09",
    because="A tombstone at the address stops every later write, not only older ones.",
)
class DeletedForEver(Policy):
    def is_known_already(self, event: Event, store: Store) -> bool:
        at_address = "address = ? AND gone = 2"
        deleted = store.count_versions(at_address, (self.address(event) or "",))
        return deleted > 0 or super().is_known_already(event, store)


@rogue(
    "deletion-ignores-time",
    turns_red="AP-DEL-05 AP-REPL-09",
    because="It removes whatever stands at the address, however new.",
)
class DeletionIgnoresTime(Policy):
    def deletion_reaches(self, request: Event, row: Row) -> bool:
        return True


@rogue(
    "e-deletion-ignored",
    turns_red="AP-DEL-06",
    blinds="AP-DEL-02 AP-DEL-07",
    because="It deletes addressable events by address alone.",
)
class EDeletionIgnored(Policy):
    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        found = super().deletion_by_id(request, store)
        return [row for row in found if row.kind != PERSONA]


@rogue(
    "e-deletion-takes-the-address",
    turns_red="AP-DEL-06",
    because="It turns the id into an address and deletes there.",
)
class EDeletionTakesTheAddress(Policy):
    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        found = super().deletion_by_id(request, store)
        for identifier in request.tag_values("e"):
            for old in store.select("id = ? AND pubkey = ?", (identifier, request.pubkey)):
                found += store.rows_at(old.address or "")
        return found


@rogue(
    "deleted-resurrected-by-resend",
    turns_red="AP-DEL-07",
    because="It forgets what it deleted, and takes it for new.",
)
class DeletedResurrectedByResend(Policy):
    def is_known_already(self, event: Event, store: Store) -> bool:
        store.forget_deleted(event.id)
        return super().is_known_already(event, store)


@rogue(
    "deletion-request-hidden",
    turns_red="AP-DEL-08",
    because="It carries a request out and serves it to nobody.",
)
class DeletionRequestHidden(Policy):
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        return [row for row in rows if row.kind != DELETION]


# -- THREAD ------------------------------------------------------------------------------


@rogue(
    "message-without-channel-accepted",
    turns_red="AP-THREAD-01",
    because="It takes a message without an `h` tag for one to everybody.",
)
class MessageWithoutChannelAccepted(Policy):
    def message_names_a_channel(self, submission: Submission) -> str | None:
        return None

    def author_may_use_the_channel(self, submission: Submission) -> str | None:
        if channel_of(submission.event) is None:
            return None
        return super().author_may_use_the_channel(submission)


@rogue(
    "depth-off-by-one",
    turns_red="AP-THREAD-02 AP-THREAD-09 AP-THREAD-10",
    because="It compares with < where <= is meant.",
)
class DepthOffByOne(Policy):
    def within_depth(self, depth: int, limit: int) -> bool:
        return depth < limit


@rogue(
    "depth-limit-ignored",
    turns_red="AP-THREAD-02 AP-THREAD-09 AP-THREAD-10",
    because="It gives the whole thread, as deep as it is.",
)
class DepthLimitIgnored(Policy):
    def within_depth(self, depth: int, limit: int) -> bool:
        return True


@rogue(
    "thread-ignores-root",
    turns_red="AP-THREAD-03",
    because="It reads replies by channel and depth, and forgets whose they are.",
)
class ThreadIgnoresRoot(Policy):
    def belongs_to_thread(self, root: str, wanted: str) -> bool:
        return True


@rogue(
    "unknown-parent-accepted",
    turns_red="AP-THREAD-04 AP-THREAD-10",
    because="It records the parent's id without looking for the parent.",
)
class UnknownParentAccepted(Policy):
    def answer_to_unknown_parent(self) -> str | None:
        return None


@rogue(
    "cross-channel-parent-accepted",
    turns_red="AP-THREAD-05",
    because="It finds the parent by id and does not ask where that stands.",
)
class CrossChannelParentAccepted(Policy):
    def parent_is_of_the_channel(self, parent: Row, event: Event) -> str | None:
        return None


@rogue(
    "wrong-root-accepted",
    turns_red="AP-THREAD-06",
    because="It believes the client's `root` marker.",
)
class WrongRootAccepted(Policy):
    def root_is_the_parents(self, named: str, root: str) -> bool:
        return True


@rogue(
    "depth-unlimited",
    turns_red="AP-THREAD-07",
    because="It counts the depth and sets it no limit.",
)
class DepthUnlimited(Policy):
    deepest_thread = 1_000_000


@rogue(
    "broadcast-any-value",
    turns_red="AP-THREAD-08",
    because="It takes any `broadcast` tag for a yes.",
)
class BroadcastAnyValue(Policy):
    def is_broadcast(self, event: Event) -> bool:
        return any(tag[0] == "broadcast" for tag in event.tags)


@rogue(
    "broadcast-value-normalised",
    turns_red="AP-THREAD-08",
    because="It keeps the flag as a truth value and writes the tag anew from that.",
)
class BroadcastValueNormalised(Policy):
    def as_stored(self, event: Event) -> Event:
        tags = tuple(("broadcast", "1") if tag[0] == "broadcast" else tag for tag in event.tags)
        return event.altered(tags=tags)


@rogue(
    "broadcast-ignored",
    turns_red="AP-THREAD-08 AP-THREAD-09",
    because="Its top level is depth 0, and replies are never in it.",
)
class BroadcastIgnored(Policy):
    def is_top_level(self, depth: int | None, broadcast: bool) -> bool:
        return not depth


@rogue(
    "broadcast-at-any-depth",
    turns_red="AP-THREAD-09",
    because="It shows whatever is broadcast, a reply to a reply too.",
)
class BroadcastAtAnyDepth(Policy):
    def is_top_level(self, depth: int | None, broadcast: bool) -> bool:
        return not depth or broadcast


@rogue(
    "replies-at-top-level",
    turns_red="AP-THREAD-08 AP-THREAD-09",
    because="Its top level is every message of the channel.",
)
class RepliesAtTopLevel(Policy):
    def is_top_level(self, depth: int | None, broadcast: bool) -> bool:
        return True


@rogue(
    "deleted-reply-in-thread",
    turns_red="AP-THREAD-10",
    because="It reads the thread's records and not whether the event lives.",
)
class DeletedReplyInThread(Policy):
    def thread_shows_deleted(self) -> bool:
        return True


@rogue(
    "channel-leak",
    turns_red="AP-THREAD-11",
    because="It delivers a channel's messages to the subscribers of every channel.",
)
class ChannelLeak(Policy):
    def in_live_scope(self, filters: tuple[Filter, ...], event: Event) -> bool:
        return event.kind in CHANNEL_KINDS or super().in_live_scope(filters, event)

    def live_match(self, one: Filter, event: Event) -> bool:
        if event.kind in CHANNEL_KINDS and "h" in one.tags:
            one = one.changed(tags={name: one.tags[name] for name in one.tags if name != "h"})
        return super().live_match(one, event)


@rogue(
    "private-channel-readable",
    turns_red="AP-THREAD-12",
    because="It asks who may write to a channel, and lets everybody read.",
)
class PrivateChannelReadable(Policy):
    def may_read_channel(self, named: str, reader: str | None, store: Store) -> bool:
        return True


@rogue(
    "private-channel-followable",
    turns_red="AP-THREAD-12",
    because="It asks for the membership in answers to queries, and not when it delivers live.",
)
class PrivateChannelFollowable(Policy):
    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        refusal = super().read_refusal(filters, caller, store)
        return None if refusal == "restricted: not a channel member" else refusal

    def may_follow_channel(self, named: str, reader: str | None, store: Store) -> bool:
        return True


# -- HTTP --------------------------------------------------------------------------------


@rogue(
    "http-receipt-without-id",
    turns_red="AP-HTTP-01",
    because="It answers 200 and a message, and leaves the id to be guessed.",
)
class HttpReceiptWithoutId(Policy):
    def http_receipt(self, event: Event, accepted: bool, message: str) -> dict[str, Any]:
        return {"event_id": "", "accepted": accepted, "message": message}


@rogue(
    "http-403-for-nobody",
    turns_red="AP-HTTP-03 AP-HTTP-04 AP-HTTP-05",
    because="It does not tell who you are from what you may do.",
)
class Http403ForNobody(Policy):
    def http_answers_nobody(self) -> int:
        return 403


@rogue(
    "http-500-on-large-body",
    turns_red="AP-HTTP-03",
    because="Its limit is the memory that it gets.",
)
class Http500OnLargeBody(Policy):
    def http_answers_large_body(self) -> int:
        return 500


@rogue(
    "http-500-on-bad-json",
    turns_red="AP-HTTP-03 AP-INT-06",
    because="It does not catch the parser's exception.",
)
class Http500OnBadJson(Policy):
    def http_answers_bad_json(self) -> int:
        return 500


@rogue(
    "doors-differ",
    turns_red="AP-HTTP-01",
    because="The bridge has a validator of its own, which knows no tags beside `d`.",
)
class DoorsDiffer(Policy):
    def objection_at_the_bridge(self, event: Event) -> str | None:
        if event.kind == PERSONA and event.tag_values("alt"):
            return "invalid: unknown tag `alt`"
        return None


@rogue(
    "http-count-differs",
    turns_red="AP-HTTP-02",
    because="The bridge counts in a table of its own, which holds no notes.",
)
class HttpCountDiffers(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        if surface == rules.HTTP_COUNT and row.kind == NOTE:
            return False
        return super().may_read(row, reader, surface)


@rogue(
    "http-query-differs",
    turns_red="AP-HTTP-02",
    blinds="AP-SCOPE-02",
    because="The bridge reads a table of its own, which holds no notes.",
)
class HttpQueryDiffers(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        if surface == rules.HTTP_QUERY and row.kind == NOTE:
            return False
        return super().may_read(row, reader, surface)


@rogue(
    "nip98-unchecked-url",
    turns_red="AP-HTTP-04",
    because="It does not compare `u` with the address it was called by.",
)
class Nip98UncheckedUrl(Policy):
    def http_url_matches(self, given: str, own: str) -> bool:
        return True


@rogue(
    "nip98-unchecked-method",
    turns_red="AP-HTTP-04",
    because="It takes an authorization to read for one to write.",
)
class Nip98UncheckedMethod(Policy):
    def http_method_matches(self, given: str, own: str) -> bool:
        return True


@rogue(
    "nip98-unchecked-payload",
    turns_red="AP-HTTP-04",
    because="It skips the payload hash, which NIP-98 leaves to servers.",
)
class Nip98UncheckedPayload(Policy):
    def http_payload_matches(self, given: str, digest: str) -> bool:
        return True


@rogue(
    "nip98-unchecked-time",
    turns_red="AP-HTTP-04",
    because="It lets an authorization live for ever.",
)
class Nip98UncheckedTime(Policy):
    def http_time_is_near(self, created_at: int, now: int) -> bool:
        return True


@rogue(
    "nip98-replay",
    turns_red="AP-HTTP-05",
    because="It keeps no list of the authorizations that it has seen.",
)
class Nip98Replay(Policy):
    def http_replay_is_refused(self) -> bool:
        return False


# -- AUTH --------------------------------------------------------------------------------


@rogue(
    "challenge-constant",
    turns_red="AP-AUTH-01",
    because="It makes one challenge at its start and sends it to everybody.",
)
class ChallengeConstant(Policy):
    def challenge(self, random: str) -> str:
        return "c0ffee" * 10


@rogue(
    "auth-unchecked-challenge",
    turns_red="AP-AUTH-02",
    because="It looks for a `challenge` tag and not at its value.",
)
class AuthUncheckedChallenge(Policy):
    def auth_challenge_matches(self, given: str, sent: str) -> bool:
        return True


@rogue(
    "auth-unchecked-relay",
    turns_red="AP-AUTH-02",
    because="It does not know its own address, so it cannot compare.",
)
class AuthUncheckedRelay(Policy):
    def auth_relay_matches(self, given: str, own: str) -> bool:
        return True


@rogue(
    "auth-unchecked-signature",
    turns_red="AP-AUTH-02",
    because="It reads the challenge out of the event and trusts the rest.",
)
class AuthUncheckedSignature(Policy):
    def auth_event_is_sound(self, event: Event) -> bool:
        return True


@rogue(
    "auth-unchecked-time",
    turns_red="AP-AUTH-02",
    because="It accepts an answer of last year.",
)
class AuthUncheckedTime(Policy):
    def auth_time_is_near(self, created_at: int, now: int) -> bool:
        return True


# -- ROB ---------------------------------------------------------------------------------


@rogue(
    "frame-limit-exclusive",
    turns_red="AP-ROB-02",
    because="It reads frames below the limit that it announces, and not those of just the limit.",
)
class FrameLimitExclusive(Policy):
    def frame_fits(self, size: int) -> bool:
        return size < self.frame_limit


@rogue(
    "large-frame-crashes",
    turns_red="AP-ROB-01 AP-ROB-02",
    blinds=ANYTHING,
    because="It reads a frame into a fixed buffer.",
)
class LargeFrameCrashes(Policy):
    def survives(self, complaint: str) -> bool:
        return "too large" not in complaint


@rogue(
    "req-silent",
    turns_red="AP-ROB-03",
    because="It drops filters that can match nothing, and the answer with them.",
)
class ReqSilent(Policy):
    def ends_stored_events(self, rows: list[Row], filters: Sequence[Filter]) -> bool:
        return not any(one.kinds == () or one.authors == () for one in filters)


@rogue(
    "drops-in-a-burst",
    turns_red="AP-ROB-04",
    because="Its queue overflows under one author's burst, after the OK.",
)
class DropsInABurst(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._written: Counter[str] = Counter()

    def keeps(self, event: Event) -> bool:
        self._written[event.pubkey] += 1
        return self._written[event.pubkey] < 350 or self._written[event.pubkey] % 7 > 0


@rogue(
    "drops-under-load",
    turns_red="AP-ROB-06",
    because="Each key has a pool of connections; who finds no place there writes into nothing.",
)
class DropsUnderLoad(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._connections: Counter[str] = Counter()
        self._crowded: Counter[str] = Counter()

    def auth_event_is_sound(self, event: Event) -> bool:
        self._connections[event.pubkey] += 1
        return super().auth_event_is_sound(event)

    def keeps(self, event: Event) -> bool:
        if self._connections[event.pubkey] < 18:
            return True
        self._crowded[event.pubkey] += 1
        return self._crowded[event.pubkey] % 5 > 0


class _OneAtATime(Courier):
    """Waits with frames of a middling size behind every other connection."""

    def __init__(self, turn: asyncio.Lock) -> None:
        self._turn = turn

    async def carry(self, frames: list[str], send: Send) -> None:
        for frame in frames:
            if 15_000 < len(frame) < 20_000:
                async with self._turn:
                    await send(frame)
            else:
                await send(frame)


@rogue(
    "slow-reader-blocks-all",
    turns_red="AP-ROB-05",
    blinds=ANYTHING,
    because="One buffer for frames of some kilobytes serves all, until the frame is out.",
)
class SlowReaderBlocksAll(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._turn = asyncio.Lock()

    def courier(self) -> Courier:
        return _OneAtATime(self._turn)


# -- broken all over, conformant noise, and instability ------------------------------------


@rogue(
    "accepts-everything",
    kind=GENERAL,
    because="It checks nothing at all: no event, no version, no subscription, no reader.",
)
class AcceptsEverything(Policy):
    def refusal(self, submission: Submission) -> str | None:
        return None

    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        return None

    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        return True

    def may_read_channel(self, named: str, reader: str | None, store: Store) -> bool:
        return True

    def in_live_scope(self, filters: tuple[Filter, ...], event: Event) -> bool:
        return True

    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        return []

    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        return []

    def thread_shows_deleted(self) -> bool:
        return True

    def auth_event_is_sound(self, event: Event) -> bool:
        return True

    def auth_challenge_matches(self, given: str, sent: str) -> bool:
        return True

    def supersedes(self, incoming: Event, head: Row) -> bool:
        return True

    def retires(self, head: Row) -> bool:
        return False

    def delivers_although_known(self, event: Event) -> bool:
        return True

    def live_match(self, one: Filter, event: Event) -> bool:
        return True

    def close_ends(self) -> bool:
        return False


@rogue("refuses-everything", kind=GENERAL, because="It is closed to writers.")
class RefusesEverything(Policy):
    def refusal(self, submission: Submission) -> str | None:
        return super().refusal(submission) or "blocked: nobody may write here"


@rogue("stores-nothing", kind=GENERAL, because="Its storage is a null device.")
class StoresNothing(Policy):
    def keeps(self, event: Event) -> bool:
        return False


class _Silent(Courier):
    async def carry(self, frames: list[str], send: Send) -> None:
        return


@rogue("answers-nothing", kind=GENERAL, because="It reads and is silent.")
class AnswersNothing(Policy):
    def courier(self) -> Courier:
        return _Silent()


class _HangsUp(Courier):
    async def carry(self, frames: list[str], send: Send) -> None:
        for frame in frames:
            if not frame.startswith('["AUTH"'):
                raise HangUp("no reason given")
            await send(frame)


@rogue("hangs-up", kind=GENERAL, because="It closes the connection instead of answering.")
class HangsUp(Policy):
    def courier(self) -> Courier:
        return _HangsUp()


class _Slow(Courier):
    async def carry(self, frames: list[str], send: Send) -> None:
        await asyncio.sleep(0.2)
        await super().carry(frames, send)


@rogue("slow", kind=NOISE, because="It takes 200 ms for an answer, which is no fault.")
class Slow(Policy):
    def courier(self) -> Courier:
        return _Slow()


class _Reordering(Courier):
    """Swaps answers of different requests; what belongs to one subscription keeps its order."""

    async def carry(self, frames: list[str], send: Send) -> None:
        await asyncio.sleep(0.002)
        by_request: dict[str, list[str]] = {}
        for frame in frames:
            by_request.setdefault(str(orjson.loads(frame)[1]), []).append(frame)
        for answers in reversed(by_request.values()):
            await super().carry(answers, send)


@rogue("reorders-answers", kind=NOISE, because="It answers concurrent requests as they get ready.")
class ReordersAnswers(Policy):
    def courier(self) -> Courier:
        return _Reordering()


class _Notices(Courier):
    async def carry(self, frames: list[str], send: Send) -> None:
        for frame in frames:
            await send('["NOTICE","have a nice day"]')
            await send(frame)


@rogue("sends-notices", kind=NOISE, because="It chats in NOTICEs between answers.")
class SendsNotices(Policy):
    def courier(self) -> Courier:
        return _Notices()


@rogue(
    "every-fifth-time",
    kind=UNSTABLE,
    turns_red="AP-SLUG-02",
    because="One of its five workers still runs the release without the check.",
)
class EveryFifthTime(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._seen = 0

    def is_no_slug(self, value: str | None) -> bool:
        if value != "":
            return super().is_no_slug(value)
        self._seen += 1
        return self._seen % 5 != 0


# -- DUR -------------------------------------------------------------------------


@rogue(
    "forgets-on-crash",
    turns_red="AP-DUR-01",
    blinds="AP-DUR-02",
    because="It answers from a write buffer that reaches the disk at a clean stop only.",
)
class ForgetsOnCrash(Policy):
    def commits_before_answering(self) -> bool:
        return False


@rogue(
    "resurrects-on-restart",
    turns_red="AP-DUR-02",
    because="At its start it reads a log that has every version and no deletion.",
)
class ResurrectsOnRestart(Policy):
    def opens(self, store: Store) -> None:
        store.restore_everything()


@rogue(
    "stop-ignored",
    turns_red="AP-DUR-03",
    because="Asked to stop, it waits for its clients to leave first, and they do not.",
)
class StopIgnored(Policy):
    def stops_when_asked(self) -> bool:
        return False
