"""Every rule of the relay as a small method, in the order in which an event meets them.

Reading this file is reading the specification: NIP-AP for personas, NIP-01 and NIP-09 for the
rest; order and texts are those of the real relay. The rules of channels, threads and the rest of
the agent family are in files of their own (*_rules.py), what the revisions differ in is in
revisions.py, and what the relay does around its rules is in seams.py.
A rogue (rogues/) is a subclass that overrides one of these methods or one of the seams.
Longer than most modules, for it is one specification that is read from top to bottom.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from string import ascii_lowercase, digits

from nip_ap.nostr import (
    DELETION,
    PERSONA,
    Event,
    Filter,
    is_addressable,
    is_replaceable,
)
from nip_ap.nostr.auth import HTTP_AUTH, RELAY_AUTH
from nip_ap.nostr.direct_message import MEMBER_ADDED, MEMBER_REMOVED
from nip_ap_relay.audience import ADDRESSED, PRIVATE, SHARED, Readers, everybody, is_reader
from nip_ap_relay.channel_rules import ChannelRules
from nip_ap_relay.channels import CHANNEL_KINDS, channel_of
from nip_ap_relay.direct_message_rules import DirectMessageRules
from nip_ap_relay.family_rules import FamilyRules
from nip_ap_relay.instruction_rules import InstructionRules
from nip_ap_relay.kinds import (
    NAME_OF_KIND,
    RELAY_ONLY_KINDS,
    SCOPE_OF_KIND,
    SCOPE_OF_TAGGED_KIND,
)
from nip_ap_relay.limits import JULY, JUNE, NOVEMBER
from nip_ap_relay.media_rules import MediaRules
from nip_ap_relay.private_rules import PrivateRules
from nip_ap_relay.profile_rules import ProfileRules
from nip_ap_relay.revisions import REVISIONS
from nip_ap_relay.seams import Seams
from nip_ap_relay.searching import words_of
from nip_ap_relay.store import Row, Store
from nip_ap_relay.submission import Caller, Rule, Submission
from nip_ap_relay.surfaces import COUNT, HTTP_COUNT, HTTP_QUERY, IDS, LIVE, MIXED, REQ, SEARCH
from nip_ap_relay.thread_rules import ThreadRules

# With these names a rogue can override any rule.
__all__ = [
    "COUNT",
    "HTTP_COUNT",
    "HTTP_QUERY",
    "IDS",
    "JULY",
    "JUNE",
    "LIVE",
    "MIXED",
    "NOVEMBER",
    "REQ",
    "REVISIONS",
    "SEARCH",
    "Caller",
    "Policy",
    "Submission",
]

_HEX_PUBKEY = re.compile(r"[0-9a-f]{64}\Z")
_KIND = re.compile(r"[0-9]{1,5}\Z")


class Policy(
    ChannelRules,
    ThreadRules,
    FamilyRules,
    InstructionRules,
    PrivateRules,
    DirectMessageRules,
    ProfileRules,
    MediaRules,
    Seams,
):
    """The rules. A rule returns the text of its refusal, or None where it has no objection."""

    name = "reference"
    longest_slug = 64
    first_characters = frozenset(ascii_lowercase + digits)
    further_characters = frozenset(ascii_lowercase + digits + "_-")

    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._rules = self.rules()

    def now(self) -> int:
        """The relay's clock, Unix seconds."""
        return int(time.time())

    # -- the ingest pipeline ---------------------------------------------------

    def rules(self) -> tuple[Rule, ...]:
        """Every rule an event has to pass, in this order."""
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
            self.shared_tag_is_well_formed,
            self.persona_has_one_d_tag,
            self.slug_is_not_empty,
            self.slug_is_not_too_long,
            self.slug_starts_with_letter_or_digit,
            self.slug_goes_on_with_its_characters,
            *self.family_rules(),
            *self.instruction_rules(),
            self.persona_content_is_not_judged,
            self.further_tags_are_not_judged,
            self.deletion_names_a_target,
            *self.channel_rules(),
            *self.direct_message_rules(),
            *self.profile_rules(),
            *self.media_rules(),
            self.reply_stands_in_a_thread,
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
        if self.has_a_one_time_author(submission.event.kind):
            return None
        if caller is not None and submission.event.pubkey != caller:
            return "invalid: event pubkey does not match authenticated identity"
        return None

    def kind_may_be_submitted(self, submission: Submission) -> str | None:
        if submission.event.kind in (RELAY_AUTH, HTTP_AUTH):
            return "invalid: AUTH events cannot be submitted via EVENT"
        if submission.event.kind in (MEMBER_ADDED, MEMBER_REMOVED):
            return "invalid: membership notifications are relay-signed only"
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
        kind = submission.event.kind
        if kind not in SCOPE_OF_KIND or not self.revision.knows(kind):
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
        if self.revision.counts_valueless_tags:
            return values
        return [value for value in values if value is not None]

    def slug_of(self, event: Event) -> str:
        """The slug under which an addressable event is stored: its first `d` value."""
        return event.slug

    def shared_tag_is_well_formed(self, submission: Submission) -> str | None:
        """Of every kind that the tag opens to others."""
        kind = submission.event.kind
        if not self.minds_shared_tags(kind):
            return None
        what = NAME_OF_KIND[kind]
        shared = [tag for tag in submission.event.tags if tag[0] == "shared"]
        if len(shared) > self.shared_tags_at_most():
            return f"invalid: {what} event must have at most one `shared` tag (got {len(shared)})"
        for tag in shared:
            if not self.shared_tag_is_exact(tag):
                shown = ",".join(f'"{element}"' for element in tag)
                return (
                    f'invalid: {what} event `shared` tag must be exactly ["shared","true"] '
                    f"(got [{shown}])"
                )
        return None

    def minds_shared_tags(self, kind: int) -> bool:
        """Whether the tag opens a kind to others, so that its shape matters."""
        return self.revision.is_shareable(kind)

    def shared_tags_at_most(self) -> int:
        return 1

    def shared_tag_is_exact(self, tag: tuple[str, ...]) -> bool:
        return tag == SHARED

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
        """Tags other than `d` and `shared` have no effect on validity."""
        return None

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
            target = self.target_of(identifier, submission)
            if target is not None and not self.may_delete(target, event.pubkey):
                return "invalid: must be event author"
        return None

    def target_of(self, identifier: str, submission: Submission) -> Row | None:
        """The event that a write names; one that its author may not read is as good as none."""
        row = submission.store.event_by_id(identifier)
        if row is None or not self.may_see(row, submission.event.pubkey, submission.store):
            return None
        return row

    def may_see(self, row: Row, reader: str | None, store: Store) -> bool:
        """Whether an event may be read by its id, its channel included."""
        if row.channel is not None and not self.may_read_channel(row.channel, reader, store):
            return False
        return self.may_read(row, reader, IDS)

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

    # -- reads: NIP-01 ---------------------------------------------------------

    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        """Why a REQ, COUNT or query is not answered at all."""
        if self.auth_to_read and caller.pubkey is None:
            return "auth-required: not authenticated"
        filters = list(filters)
        for one in filters:
            if refusal := self.cursor_refusal(one):
                return refusal
            channels = one.tags.get("h", ())
            if len(channels) == 1 and not self.may_read_channel(channels[0], caller.pubkey, store):
                return "restricted: not a channel member"
        return self.private_read_refusal(filters, caller)

    def searches_too_much(self, filters: Iterable[Filter]) -> str | None:
        """Why a search is not looked up: each of its words costs, and everybody waits meanwhile."""
        most = self.words_searched
        if all(len(words_of(one.search or "")) <= most for one in filters):
            return None
        return f"a search has at most {most} different words"

    def mixes_search(self, filters: Iterable[Filter]) -> bool:
        """A search goes alone: no REQ mixes it with ordinary filters."""
        return len({type(one.search) for one in filters}) > 1

    def readers_of(self, event: Event) -> Readers:
        """The keys that alone may read an event, by its kind; None is everybody."""
        audience = self.revision.audiences.get(event.kind) or PRIVATE.get(event.kind, everybody)
        return audience(event)

    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        """Whether an event is for a reader - at every surface alike."""
        if row.kind in ADDRESSED:
            return self.may_read_addressed(row, reader, surface)
        return self.passes_the_sharing_gate(row, reader, surface)

    def passes_the_sharing_gate(self, row: Row, reader: str | None, surface: str) -> bool:
        return is_reader(row.readers, reader)

    # -- live delivery ---------------------------------------------------------

    def in_live_scope(self, filters: tuple[Filter, ...], event: Event) -> bool:
        """Channel events go to that channel's subscriptions, all else to the others.

        A stray `h` on a persona does not make it a channel event.
        """
        channel = channel_of(event) if event.kind in CHANNEL_KINDS else None
        named = {one.tags["h"][0] if len(one.tags.get("h", ())) == 1 else None for one in filters}
        wanted = named.pop() if len(named) == 1 else None
        return channel == wanted
