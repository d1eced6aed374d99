"""Rogues of who may write."""

from __future__ import annotations

from collections.abc import Iterable

from nip_ap.nostr import PERSONA, Event, Filter
from nip_ap_relay.channels import channel_of
from nip_ap_relay.policy import Caller, Policy, Submission
from nip_ap_relay.rogues.declaring import ANYTHING, rogue
from nip_ap_relay.store import Condition, Store


@rogue(
    "persona-needs-channel",
    turns_red=(
        "AP-ENV-04 AP-ENV-05 AP-ENV-06 AP-ENV-07 AP-GATE-01 AP-REPL-03 AP-REPL-11 "
        "AP-REPL-12 AP-SCOPE-01 AP-SCOPE-02 AP-SCOPE-05 AP-SLUG-01 AP-SLUG-11"
    ),
    by_chance="AP-AUTH-01 AP-AUTH-02 AP-AUTH-10 AP-AUTH-11 AP-AUTH-12",
    blinds=ANYTHING,
    because="It asks for a channel membership before anything may be written.",
    remedy="Accept personas without a channel: they are global.",
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
    remedy="Require the scope `users:write` for personas.",
)
class ScopeUnchecked(Policy):
    def credential_has_the_scope(self, submission: Submission) -> str | None:
        return None


@rogue(
    "scope-messages-write",
    turns_red="AP-SCOPE-02",
    because="It files personas under messages, by the kind's range.",
    remedy="Require `users:write` for personas, and not `messages:write`.",
)
class ScopeMessagesWrite(Policy):
    def scope_for(self, event: Event) -> str:
        return "messages:write" if event.kind == PERSONA else super().scope_for(event)


@rogue(
    "auth-not-enforced",
    turns_red="AP-SCOPE-03 AP-AUTH-03",
    because="It sends a challenge and then serves everybody, answered or not.",
    remedy="Refuse reads and writes until the client is authenticated, where you announce that.",
)
class AuthNotEnforced(Policy):
    def caller_is_authenticated(self, submission: Submission) -> str | None:
        return None

    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        known = Caller(caller.pubkey or "", caller.scopes)
        return super().read_refusal(filters, known, store)


@rogue(
    "author-mismatch-accepted",
    turns_red="AP-GATE-35 AP-SCOPE-04",
    because="It relays any event with a good signature, as NIP-01 relays do.",
    remedy="Refuse an event whose pubkey is not the authenticated one.",
)
class AuthorMismatchAccepted(Policy):
    def author_is_caller(self, submission: Submission) -> str | None:
        return None


@rogue(
    "h-tag-scopes",
    turns_red="AP-SCOPE-05 AP-SCOPE-07 AP-TEAM-07",
    because="It stores every event under the channel of its `h` tag.",
    remedy="Ignore the `h` tag on personas: they belong to no channel.",
)
class HTagScopes(Policy):
    def channel_of_stored(self, event: Event) -> str | None:
        return channel_of(event)


@rogue(
    "h-tag-refused",
    turns_red="AP-SCOPE-05",
    blinds="AP-SCOPE-06 AP-SCOPE-07",
    because="It takes an `h` tag on a global kind for a mistake of the client.",
    remedy="Accept a persona with an `h` tag, and ignore the tag.",
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
    remedy="Deliver personas by filter alone, without looking at `h`.",
)
class HTagFansOutToChannel(Policy):
    def in_live_scope(self, filters: tuple[Filter, ...], event: Event) -> bool:
        return event.kind == PERSONA or super().in_live_scope(filters, event)


@rogue(
    "h-tag-in-channel-query",
    turns_red="AP-SCOPE-07 AP-TEAM-07",
    because="It answers `#h` by tag value, as NIP-01 reads, not by channel.",
    remedy="Answer `#h` by the channel of an event, which a persona does not have.",
)
class HTagInChannelQuery(Policy):
    def channel_condition(self, channel: str) -> Condition:
        tagged = "number IN (SELECT event FROM tags WHERE name = 'h' AND value = ?)"
        return Condition(f"(channel = ? OR (channel IS NULL AND {tagged}))", (channel, channel))
