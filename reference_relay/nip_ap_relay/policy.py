"""Every rule of the relay as a small method, in the order in which an event meets them.

Reading this file is reading the specification: NIP-AP for personas, NIP-01 for everything else,
and facts/relay-behaviour.md for the order and the texts, which are those of the real relay.
A rogue (rogues/) is a subclass that overrides one of these methods.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase, digits
from typing import TYPE_CHECKING, Any

from nip_ap.nostr import (
    DELETION,
    PERSONA,
    Event,
    Filter,
    is_addressable,
    is_replaceable,
)
from nip_ap.nostr.auth import HTTP_AUTH, RELAY_AUTH
from nip_ap.version import __version__
from nip_ap_relay.channels import (
    CHANNEL_KINDS,
    ChannelRules,
    channel_of,
)
from nip_ap_relay.couriers import Courier
from nip_ap_relay.kinds import (
    ALL_SCOPES,
    NIPS,
    RELAY_ONLY_KINDS,
    SCOPE_OF_KIND,
    SCOPE_OF_TAGGED_KIND,
)
from nip_ap_relay.limits import JUNE, NOVEMBER, Limits
from nip_ap_relay.manners import AGAIN, CONNECT, LATE
from nip_ap_relay.store import Condition

if TYPE_CHECKING:
    from nip_ap_relay.store import Row, Store

__all__ = ["JUNE", "NOVEMBER", "REVISIONS", "Caller", "Policy", "Rule", "Submission"]

REVISIONS = (JUNE, NOVEMBER)

# What a read goes through; the sharing gate names each of them.
REQ, MIXED, IDS, LIVE = "req", "mixed kinds", "ids", "live"
COUNT, HTTP_QUERY, HTTP_COUNT, SEARCH = "count", "http query", "http count", "search"

_HEX_PUBKEY = re.compile(r"[0-9a-f]{64}\Z")
_KIND = re.compile(r"[0-9]{1,5}\Z")


@dataclass(frozen=True)
class Caller:
    """Who is at the door: the authenticated key, if any, and what its credential may write."""

    pubkey: str | None
    scopes: frozenset[str] = ALL_SCOPES


@dataclass(frozen=True)
class Submission:
    """One event at the door, with all that a rule may look at."""

    event: Event
    caller: Caller
    now: int
    store: Store


Rule = Callable[[Submission], "str | None"]


class Policy(ChannelRules, Limits):
    """The rules. A rule returns the text of its refusal, or None where it has no objection."""

    name = "reference"
    longest_slug = 64
    first_characters = frozenset(ascii_lowercase + digits)
    further_characters = frozenset(ascii_lowercase + digits + "_-")
    deepest_thread = 100

    def __init__(self, spec: str = NOVEMBER) -> None:
        self.spec = spec
        self.frame_limit = self.frame_limits[spec]
        self._rules = self.rules()

    def now(self) -> int:
        """The relay's clock, Unix seconds."""
        return int(time.time())

    # -- the ingest pipeline ---------------------------------------------------

    def rules(self) -> tuple[Rule, ...]:
        """Every rule an event has to pass, in this order (facts/relay-behaviour.md section 4)."""
        return (
            self.caller_is_authenticated,
            self.author_is_caller,
            self.kind_may_be_submitted,
            self.id_is_the_hash,
            self.signature_is_valid,
            self.time_is_near,
            self.content_fits,
            self.kind_is_known,
            self.credential_has_the_scope,
            self.persona_shared_tag_is_well_formed,
            self.persona_has_one_d_tag,
            self.slug_is_not_empty,
            self.slug_is_not_too_long,
            self.slug_starts_with_letter_or_digit,
            self.slug_goes_on_with_its_characters,
            self.persona_content_is_not_judged,
            self.further_tags_are_not_judged,
            self.deletion_names_a_target,
            *self.channel_rules(),
        )

    def refusal(self, submission: Submission) -> str | None:
        """The first objection of any rule."""
        for rule in self._rules:
            objection = rule(submission)
            if objection is not None:
                return objection
        return None

    def caller_is_authenticated(self, submission: Submission) -> str | None:
        if self.auth_to_write and submission.caller.pubkey is None:
            return "auth-required: not authenticated"
        return None

    def author_is_caller(self, submission: Submission) -> str | None:
        caller = submission.caller.pubkey
        if caller is not None and submission.event.pubkey != caller:
            return "invalid: event pubkey does not match authenticated identity"
        return None

    def kind_may_be_submitted(self, submission: Submission) -> str | None:
        if submission.event.kind in (RELAY_AUTH, HTTP_AUTH):
            return "invalid: AUTH events cannot be submitted via EVENT"
        if submission.event.kind in RELAY_ONLY_KINDS:
            return "restricted: relay-only kind"
        return None

    def id_is_the_hash(self, submission: Submission) -> str | None:
        computed = submission.event.computed_id
        if computed != submission.event.id:
            return f"invalid: invalid event id: computed {computed}, got {submission.event.id}"
        return None

    def signature_is_valid(self, submission: Submission) -> str | None:
        if not submission.event.signature_verifies:
            return "invalid: invalid schnorr signature"
        return None

    def time_is_near(self, submission: Submission) -> str | None:
        if abs(submission.event.created_at - submission.now) > self.clock_tolerance:
            return "invalid: event timestamp too far from server time"
        return None

    def content_fits(self, submission: Submission) -> str | None:
        size = len(submission.event.content.encode())
        if size > self.longest_content:
            return (
                f"invalid: content exceeds maximum size of {self.longest_content} bytes "
                f"(got {size})"
            )
        return None

    def kind_is_known(self, submission: Submission) -> str | None:
        if submission.event.kind not in SCOPE_OF_KIND:
            return "restricted: unknown event kind"
        return None

    def credential_has_the_scope(self, submission: Submission) -> str | None:
        needed = self.scope_for(submission.event)
        if needed not in submission.caller.scopes:
            return f"restricted: insufficient scope (need {needed})"
        return None

    def scope_for(self, event: Event) -> str:
        """The scope that writing this event takes."""
        for name, *_ in event.tags:
            if scope := SCOPE_OF_TAGGED_KIND.get((event.kind, name)):
                return scope
        return SCOPE_OF_KIND[event.kind]

    # -- personas: NIP-AP, "Event envelope", "Slugs" and "Ingest validation" ---

    def grammar_binds(self, kind: int) -> bool:
        """The slug grammar and the one-`d` rule are for personas alone."""
        return kind == PERSONA

    def d_tags(self, event: Event) -> list[str | None]:
        """The `d` tags that count, by value; None stands for a valueless one.

        In June a valueless `["d"]` was not counted; since November it is.
        """
        values = [tag[1] if len(tag) > 1 else None for tag in event.tags if tag[0] == "d"]
        if self.spec == JUNE:
            return [value for value in values if value is not None]
        return values

    def slug_of(self, event: Event) -> str:
        """The slug under which an addressable event is stored: its first `d` value."""
        return event.slug

    def persona_shared_tag_is_well_formed(self, submission: Submission) -> str | None:
        if submission.event.kind != PERSONA or self.spec == JUNE:
            return None
        shared = [tag for tag in submission.event.tags if tag[0] == "shared"]
        if len(shared) > self.shared_tags_at_most():
            return f"invalid: persona event must have at most one `shared` tag (got {len(shared)})"
        for tag in shared:
            if not self.shared_tag_is_exact(tag):
                shown = ",".join(f'"{element}"' for element in tag)
                return (
                    'invalid: persona event `shared` tag must be exactly ["shared","true"] '
                    f"(got [{shown}])"
                )
        return None

    def shared_tags_at_most(self) -> int:
        return 1

    def shared_tag_is_exact(self, tag: tuple[str, ...]) -> bool:
        return tag == ("shared", "true")

    def persona_has_one_d_tag(self, submission: Submission) -> str | None:
        if not self.grammar_binds(submission.event.kind):
            return None
        found = len(self.d_tags(submission.event))
        if not self.number_of_d_tags_is_good(found):
            return f"invalid: persona event must have exactly one `d` tag (got {found})"
        return None

    def number_of_d_tags_is_good(self, found: int) -> bool:
        return found == 1

    def slug_is_not_empty(self, submission: Submission) -> str | None:
        if not self.grammar_binds(submission.event.kind):
            return None
        if any(self.is_no_slug(value) for value in self.d_tags(submission.event)):
            return "invalid: persona event `d` tag must not be empty"
        return None

    def is_no_slug(self, value: str | None) -> bool:
        """The empty string, and a `d` tag that has no value (None), name nothing."""
        return not value

    def slug_is_not_too_long(self, submission: Submission) -> str | None:
        if not self.grammar_binds(submission.event.kind):
            return None
        size = len(self.slug_of(submission.event).encode())
        if size > self.longest_slug:
            return (
                f"invalid: persona event `d` tag too long ({size} chars, max {self.longest_slug})"
            )
        return None

    def slug_starts_with_letter_or_digit(self, submission: Submission) -> str | None:
        if not self.grammar_binds(submission.event.kind):
            return None
        if not self.first_characters.issuperset(self.slug_of(submission.event)[:1]):
            return "invalid: persona event `d` tag must start with a lowercase letter or digit"
        return None

    def slug_goes_on_with_its_characters(self, submission: Submission) -> str | None:
        if not self.grammar_binds(submission.event.kind):
            return None
        if not self.rest_is_good(self.slug_of(submission.event)[1:]):
            return "invalid: persona event `d` tag must match [a-z0-9_-] after the first character"
        return None

    def rest_is_good(self, rest: str) -> bool:
        return self.further_characters.issuperset(rest)

    def persona_content_is_not_judged(self, submission: Submission) -> str | None:
        """Content is opaque: empty, not JSON, without a prompt, all are stored."""
        return None

    def further_tags_are_not_judged(self, submission: Submission) -> str | None:
        """Tags beside `d` and `shared` have no effect on validity."""
        return None

    def is_shared(self, event: Event) -> bool:
        """Whether strangers may read a persona (from the November text on)."""
        return ("shared", "true") in event.tags

    # -- deletion: NIP-09 ------------------------------------------------------

    def deletion_names_a_target(self, submission: Submission) -> str | None:
        """Malformed targets are refused; foreign ones too, as the real relay does."""
        event = submission.event
        if event.kind != DELETION:
            return None
        ids, addresses = event.tag_values("e"), event.tag_values("a")
        if not ids and not addresses:
            return "invalid: missing e or a tag for target"
        for address in addresses:
            objection = self.address_may_be_deleted(address, event.pubkey)
            if objection is not None:
                return objection
        for identifier in ids:
            target = submission.store.event_by_id(identifier)
            if target is not None and not self.may_delete(target, event.pubkey):
                return "invalid: must be event author"
        return None

    def address_may_be_deleted(self, address: str, author: str) -> str | None:
        if ":" not in address:
            return "invalid: invalid a-tag format"
        pubkey = address.split(":")[1]
        if not _HEX_PUBKEY.match(pubkey):
            return "invalid: invalid pubkey in a-tag"
        if pubkey != author:
            return "invalid: must be event author"
        return None

    def may_delete(self, target: Row, author: str) -> bool:
        return target.pubkey == author

    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        """The rows that the `a` tags of a deletion request take away.

        A request that names somebody else's address has been refused before.
        """
        doomed = []
        for address in request.tag_values("a"):
            kind, _, rest = address.partition(":")
            pubkey, _, slug = rest.partition(":")
            if _KIND.match(kind):
                doomed += store.rows_at(self.address_for(int(kind), pubkey, slug))
        return [row for row in doomed if self.deletion_reaches(request, row)]

    def deletion_reaches(self, request: Event, row: Row) -> bool:
        """NIP-09: versions up to the request's own time; a later one survives."""
        return row.created_at <= request.created_at

    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        """The rows that the `e` tags of a deletion request take away."""
        found = [store.event_by_id(identifier) for identifier in request.tag_values("e")]
        return [
            row
            for row in found
            if row is not None and row.kind != DELETION and self.may_delete(row, request.pubkey)
        ]

    # -- replacement: NIP-01 ---------------------------------------------------

    def address(self, event: Event) -> str | None:
        """The coordinate at which only one event lives; None for a regular event."""
        if is_addressable(event.kind):
            return self.address_for(event.kind, event.pubkey, self.slug_of(event))
        if is_replaceable(event.kind):
            return self.address_for(event.kind, event.pubkey, "")
        return None

    def address_for(self, kind: int, pubkey: str, slug: str) -> str:
        return f"{kind}:{pubkey}:{slug}"

    def is_known_already(self, event: Event, store: Store) -> bool:
        """Whether this very event was stored before, also if it was replaced or deleted since."""
        return store.knows(event.id)

    def head_at(self, address: str, store: Store) -> Row | None:
        """The event that an incoming one has to beat."""
        rows = store.rows_at(address)
        return min(rows, key=lambda row: row.order) if rows else None

    def supersedes(self, incoming: Event, head: Row) -> bool:
        """Newer wins; in one second the lowest id wins."""
        return incoming.order < head.order

    def retires(self, head: Row) -> bool:
        """Whether a beaten head leaves every answer."""
        return True

    def answer_to_stale(self, event: Event) -> tuple[bool, str]:
        """What a write that lost is told: accepted, as the real relay does."""
        return True, "duplicate:"

    def answer_to_duplicate(self, event: Event) -> tuple[bool, str]:
        return True, "duplicate:"

    def keeps(self, event: Event) -> bool:
        """Whether an accepted event is stored at all."""
        return True

    def batch_is_committed(self) -> None:
        """A group commit has ended; nothing is remembered from one write to the next."""

    def commits_before_answering(self) -> bool:
        """OK true means durable: whatever ends the process, it is there afterwards."""
        return True

    def opens(self, store: Store) -> None:
        """A store from before is taken as it is: what was replaced or deleted stays so."""

    def stops_when_asked(self) -> bool:
        """SIGTERM closes every connection and ends the process."""
        return True

    def as_stored(self, event: Event) -> Event:
        """Stored byte for byte."""
        return event

    # -- what else happens around a write --------------------------------------

    def stores_although_refused(self, event: Event, refusal: str) -> bool:
        return False

    def delivers_although_refused(self, event: Event, refusal: str) -> bool:
        return False

    def delivers_although_stale(self, event: Event) -> bool:
        return False

    def delivers_although_known(self, event: Event) -> bool:
        return False

    def ok(self, event: Event, accepted: bool, message: str) -> list[Any] | None:
        """The answer to an EVENT: one OK that names its id."""
        return ["OK", event.id, accepted, message]

    def stores_before_answering(self, event: Event) -> bool:
        """OK true means stored: what follows reads it."""
        return True

    # -- reads: NIP-01 ---------------------------------------------------------

    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        """Why a REQ, COUNT or query is not answered at all."""
        if self.auth_to_read and caller.pubkey is None:
            return "auth-required: not authenticated"
        for one in filters:
            channels = one.tags.get("h", ())
            if len(channels) == 1 and not self.may_read_channel(channels[0], caller.pubkey, store):
                return "restricted: not a channel member"
        return None

    def mixes_search(self, filters: Iterable[Filter]) -> bool:
        """A search goes alone: no REQ mixes it with ordinary filters."""
        return len({type(one.search) for one in filters}) > 1

    def understood(self, one: Filter) -> Filter:
        """The filter as this relay reads it: as it was written."""
        return one

    def row_limit(self, one: Filter) -> int:
        """How many stored events a filter gives at most."""
        return self.largest_limit if one.limit is None else min(one.limit, self.largest_limit)

    def newest_first(self) -> bool:
        """Stored events come newest first, in one second the lowest id first."""
        return True

    def tag_comparison(self) -> Callable[[str, str], bool] | None:
        """How a tag's value is compared with a wanted one; None is whole and case-sensitively.

        For that the index answers.
        """
        return None

    def channel_condition(self, channel: str) -> Condition:
        """What `#h` of one channel means: stored under it; a stray `h` on a persona is not."""
        return Condition("channel = ?", (channel,))

    def combines_filters_by_or(self) -> bool:
        return True

    def gates(self, row: Row) -> bool:
        """Kinds that the sharing gate stands before: personas, from the November text on."""
        return row.kind == PERSONA and self.spec != JUNE

    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        """Author only, unless shared - at every surface alike."""
        if self.gates(row) and not row.shared:
            return row.pubkey == reader
        return True

    def gate_before_limit(self) -> bool:
        """Hidden events do not use up the limit of a reader who may not see them."""
        return True

    def as_served(self, raw: str) -> str:
        """The JSON text of an event as it leaves the relay: as it came."""
        return raw

    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        """The stored events of one answer."""
        return rows

    def ends_stored_events(self, rows: list[Row], filters: Sequence[Filter]) -> bool:
        """EOSE closes the stored part of every answer."""
        return True

    def keeps_search_open(self) -> bool:
        """A search is answered once and not kept for live events (facts 5.6)."""
        return False

    def count(self, rows: int, versions: int) -> int:
        """COUNT counts heads; `versions` is what was ever stored for the same filters."""
        return rows

    # -- live delivery ---------------------------------------------------------

    def delivers_live(self, event: Event) -> bool:
        return True

    def live_copies(self, event: Event) -> int:
        """How often one subscription gets one event."""
        return 1

    def live_match(self, one: Filter, event: Event) -> bool:
        """Whether a new event belongs to a subscription's filter."""
        return one.matches(event)

    def in_live_scope(self, filters: tuple[Filter, ...], event: Event) -> bool:
        """Channel events go to that channel's subscriptions, all else to the others.

        A stray `h` on a persona does not make it a channel event (facts 5.7).
        """
        channel = channel_of(event) if event.kind in CHANNEL_KINDS else None
        named = {one.tags["h"][0] if len(one.tags.get("h", ())) == 1 else None for one in filters}
        wanted = named.pop() if len(named) == 1 else None
        return channel == wanted

    def close_ends(self) -> bool:
        """CLOSE ends a subscription."""
        return True

    # -- malformed input -------------------------------------------------------

    def frame_fits(self, size: int) -> bool:
        """Whether a frame of that many bytes is read at all; NIP-11 announces the limit."""
        return size <= self.frame_limit

    def words_on_large_frame(self, size: int) -> str:
        return f"error: frame too large ({size} bytes, limit {self.frame_limit})"

    def announces_hanging_up(self) -> bool:
        """Later relays say why they close; that of June closes without a word (facts 7)."""
        return self.spec != JUNE

    def survives(self, complaint: str) -> bool:
        """Bad input gets a notice; nobody else's connection suffers."""
        return True

    def courier(self) -> Courier:
        """Who carries the answers of one connection."""
        return Courier()

    # -- what the relay says of itself: NIP-11 ---------------------------------

    def claimed_nips(self) -> list[int]:
        return list(NIPS)

    def version(self) -> str:
        return f"{__version__}+{self.spec}"

    # -- authentication: NIP-42 and NIP-98 -------------------------------------

    def challenges_on_connect(self) -> bool:
        return self.challenge_moment in (CONNECT, AGAIN)

    def challenges_later(self) -> bool:
        """Whether a new challenge comes a moment after the connection was made."""
        return self.challenge_moment in (LATE, AGAIN)

    def challenges_with(self, moment: str, refusal: str) -> bool:
        """Whether the refusal of a read or a write brings a challenge."""
        return self.challenge_moment == moment and refusal.startswith("auth-required:")

    def allows_another_attempt(self) -> bool:
        """Whether a wrong answer may be followed by another; the real relay allows one (2.1)."""
        return self.challenge_moment == AGAIN

    def challenge(self, random: str) -> str:
        """Fresh for each connection."""
        return random

    def auth_event_is_sound(self, event: Event) -> bool:
        """Kind, id and signature of an answer to a challenge."""
        return event.kind == RELAY_AUTH and not event.problems

    def auth_challenge_matches(self, given: str, sent: str) -> bool:
        return given == sent

    def auth_relay_matches(self, given: str, own: str) -> bool:
        return given == own

    def auth_time_is_near(self, created_at: int, now: int) -> bool:
        return abs(created_at - now) <= self.auth_window

    def http_url_matches(self, given: str, own: str) -> bool:
        return given == own

    def http_method_matches(self, given: str, own: str) -> bool:
        return given.upper() == own

    def http_payload_matches(self, given: str, digest: str) -> bool:
        return given == digest

    def http_time_is_near(self, created_at: int, now: int) -> bool:
        return abs(created_at - now) <= self.auth_window

    def http_replay_is_refused(self) -> bool:
        return True

    def refusal_over_http(self, refusal: str) -> str:
        """The text of a refusal over HTTP: the one that the WebSocket's OK has."""
        return refusal

    def http_status(self, refusal: str) -> int:
        """The HTTP status of a refusal (facts 1.3)."""
        forbidden = ("restricted: insufficient scope", "invalid: event pubkey does not match")
        return 403 if refusal.startswith(forbidden) else 400

    def http_receipt(self, event: Event, accepted: bool, message: str) -> dict[str, Any]:
        """The body that answers a POST /events which was not refused (facts 1.3)."""
        return {"event_id": event.id, "accepted": accepted, "message": message}

    def http_answers_nobody(self) -> int:
        """The HTTP status for a request whose sender is not known."""
        return 401

    def http_answers_large_body(self) -> int:
        """The HTTP status for a body over the limit."""
        return 413

    def objection_at_the_bridge(self, event: Event) -> str | None:
        """Two doors, one room: the bridge has no rules of its own."""
        return None

    def http_answers_bad_json(self) -> int:
        """The HTTP status for a body that cannot be read."""
        return 400
