"""Rogues of threads in channels."""

from __future__ import annotations

from collections.abc import Iterable

from nip_ap.nostr import Event, Filter
from nip_ap_relay.channels import CHANNEL_KINDS, channel_of
from nip_ap_relay.policy import Caller, Policy, Submission
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row, Store


@rogue(
    "message-without-channel-accepted",
    turns_red="AP-THREAD-01",
    because="It takes a message without an `h` tag for one to everybody.",
    remedy="Refuse a channel message without an `h` tag.",
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
    remedy="Compare the depth with <=.",
)
class DepthOffByOne(Policy):
    def within_depth(self, depth: int, limit: int) -> bool:
        return depth < limit


@rogue(
    "depth-limit-ignored",
    turns_red="AP-THREAD-02 AP-THREAD-09 AP-THREAD-10",
    because="It gives the whole thread, as deep as it is.",
    remedy="Apply `depth_limit` of the filter to the thread.",
)
class DepthLimitIgnored(Policy):
    def within_depth(self, depth: int, limit: int) -> bool:
        return True


@rogue(
    "thread-ignores-root",
    turns_red="AP-THREAD-03",
    because="It reads replies by channel and depth, and forgets whose they are.",
    remedy="Include the root in the condition of the thread query.",
)
class ThreadIgnoresRoot(Policy):
    def belongs_to_thread(self, root: str, wanted: str) -> bool:
        return True


@rogue(
    "unknown-parent-accepted",
    turns_red="AP-THREAD-04 AP-THREAD-10",
    because="It records the parent's id without looking for the parent.",
    remedy="Look up the parent, and refuse a reply to an event that you do not have.",
)
class UnknownParentAccepted(Policy):
    def answer_to_unknown_parent(self) -> str | None:
        return None


@rogue(
    "cross-channel-parent-accepted",
    turns_red="AP-THREAD-05",
    because="It finds the parent by id and does not ask where that stands.",
    remedy="Refuse a reply whose parent is in another channel.",
)
class CrossChannelParentAccepted(Policy):
    def parent_is_of_the_channel(self, parent: Row, event: Event) -> str | None:
        return None


@rogue(
    "wrong-root-accepted",
    turns_red="AP-THREAD-06",
    because="It believes the client's `root` marker.",
    remedy="Derive the root from the parent, and refuse a reply that names another.",
)
class WrongRootAccepted(Policy):
    def root_is_the_parents(self, named: str, root: str) -> bool:
        return True


@rogue(
    "depth-unlimited",
    turns_red="AP-THREAD-07",
    because="It counts the depth and sets it no limit.",
    remedy="Refuse replies deeper than the limit.",
)
class DepthUnlimited(Policy):
    deepest_thread = 1_000_000


@rogue(
    "broadcast-any-value",
    turns_red="AP-THREAD-08",
    because="It takes any `broadcast` tag for a yes.",
    remedy='Treat only `["broadcast", "1"]` as a broadcast.',
)
class BroadcastAnyValue(Policy):
    def is_broadcast(self, event: Event) -> bool:
        return any(tag[0] == "broadcast" for tag in event.tags)


@rogue(
    "broadcast-value-normalised",
    turns_red="AP-THREAD-08",
    because="It keeps the flag as a truth value and writes the tag anew from that.",
    remedy="Keep the tag as it was signed.",
)
class BroadcastValueNormalised(Policy):
    def as_stored(self, event: Event) -> Event:
        tags = tuple(("broadcast", "1") if tag[0] == "broadcast" else tag for tag in event.tags)
        return event.altered(tags=tags)


@rogue(
    "broadcast-ignored",
    turns_red="AP-THREAD-08 AP-THREAD-09",
    because="Its top level is depth 0, and replies are never in it.",
    remedy="Include broadcast replies at the top level of a channel.",
)
class BroadcastIgnored(Policy):
    def is_top_level(self, depth: int | None, broadcast: bool) -> bool:
        return not depth


@rogue(
    "broadcast-at-any-depth",
    turns_red="AP-THREAD-09",
    because="It shows whatever is broadcast, a reply to a reply too.",
    remedy="Show only broadcast replies of depth 1 at the top level.",
)
class BroadcastAtAnyDepth(Policy):
    def is_top_level(self, depth: int | None, broadcast: bool) -> bool:
        return not depth or broadcast


@rogue(
    "replies-at-top-level",
    turns_red="AP-THREAD-08 AP-THREAD-09",
    because="Its top level is every message of the channel.",
    remedy="Leave replies that are not broadcast out of the top level.",
)
class RepliesAtTopLevel(Policy):
    def is_top_level(self, depth: int | None, broadcast: bool) -> bool:
        return True


@rogue(
    "deleted-reply-in-thread",
    turns_red="AP-THREAD-10",
    because="It reads the thread's records and not whether the event lives.",
    remedy="Leave deleted events out of the thread.",
)
class DeletedReplyInThread(Policy):
    def thread_shows_deleted(self) -> bool:
        return True


@rogue(
    "channel-leak",
    turns_red="AP-THREAD-11",
    because="It delivers a channel's messages to the subscribers of every channel.",
    remedy="Deliver a channel's messages only to subscriptions of that channel.",
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
    turns_red="AP-DM-07 AP-DM-08 AP-DM-10 AP-GATE-30 AP-GATE-31 AP-GATE-32 AP-GATE-33 AP-THREAD-12",
    because="It asks who may write to a channel, and lets everybody read.",
    remedy="Check the membership before you serve a private channel.",
)
class PrivateChannelReadable(Policy):
    def may_read_channel(self, named: str, reader: str | None, store: Store) -> bool:
        return True


@rogue(
    "private-channel-followable",
    turns_red="AP-DM-08 AP-GATE-32 AP-THREAD-12",
    because="It asks for the membership in answers to queries, and not when it delivers live.",
    remedy="Check the membership for live delivery too.",
)
class PrivateChannelFollowable(Policy):
    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        refusal = super().read_refusal(filters, caller, store)
        return None if refusal == "restricted: not a channel member" else refusal

    def may_follow_channel(self, named: str, reader: str | None, store: Store) -> bool:
        return True
