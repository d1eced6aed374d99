"""Rogues of direct messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nip_ap.nostr import Event, Filter
from nip_ap.nostr.direct_message import (
    HIDDEN_DIRECT_MESSAGES,
    MEMBER_ADDED,
    MEMBER_REMOVED,
    WIDEN_DIRECT_MESSAGE,
)
from nip_ap_relay import surfaces
from nip_ap_relay.channels import channel_of
from nip_ap_relay.policy import Caller, Policy, Submission
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row, Store


@rogue(
    "dm-opened-anew",
    turns_red="AP-DM-01 AP-DM-02",
    blinds="AP-DV-03 AP-DV-04",
    because="It makes a channel for each command, and does not look whether these people have one.",
    remedy="Look up the direct message by its set of people before you make one.",
)
class DmOpenedAnew(Policy):
    def finds_again(self, found: str | None, people: frozenset[str], event: Event) -> str | None:
        return None


@rogue(
    "dm-always-created",
    turns_red="AP-DM-01",
    because="It answers every opening alike.",
    remedy="Say `created` false where the direct message was there.",
)
class DmAlwaysCreated(Policy):
    def says_created(self, is_new: bool) -> bool:
        return True


@rogue(
    "dm-opener-counted-twice",
    turns_red="AP-DM-02",
    because="It keys the direct message by the list that came, the opener's own key included.",
    remedy="Add the opener to a set, and key the direct message by that.",
)
class DmOpenerCountedTwice(Policy):
    def finds_again(self, found: str | None, people: frozenset[str], event: Event) -> str | None:
        return None if event.pubkey in event.tag_values("p") else found


@rogue(
    "dm-not-marked",
    turns_red="AP-DM-03",
    because="It describes a direct message as it does any channel.",
    remedy="Put the tags `hidden` and `private` into the kind 39000 of a direct message.",
)
class DmNotMarked(Policy):
    def direct_message_tags(self) -> tuple[str, ...]:
        return ()


@rogue(
    "dm-members-one-short",
    turns_red="AP-DM-03 AP-DM-10",
    by_chance="AP-DV-06",
    because="Its list of members ends one too early.",
    remedy="Name every member in the kind 39002.",
)
class DmMembersOneShort(Policy):
    def members_named(self, members: Sequence[str]) -> Sequence[str]:
        return members[:-1]


@rogue(
    "dm-opener-not-told",
    turns_red="AP-DM-04",
    blinds="AP-DM-06",
    because="It tells those who were asked, and takes it that the opener knows.",
    remedy="Write a kind 44100 for the opener too: they may have other devices.",
)
class DmOpenerNotTold(Policy):
    def people_told(self, people: Sequence[str], opener: str) -> Sequence[str]:
        return [one for one in people if one != opener]


@rogue(
    "dm-notice-not-live",
    turns_red="AP-DM-05",
    because="It stores the notices and leaves them to be found.",
    remedy="Deliver kind 44100 to the open subscriptions of whom it names.",
)
class DmNoticeNotLive(Policy):
    def delivers_live(self, event: Event) -> bool:
        return event.kind != MEMBER_ADDED


class _Leak(Policy):
    """Lets notices out at some surfaces; the question itself is refused as it should be."""

    leaks: frozenset[str] = frozenset()

    def may_read_addressed(self, row: Row, reader: str | None, surface: str) -> bool:
        leaked = row.kind == MEMBER_ADDED and surface in self.leaks
        return leaked or super().may_read_addressed(row, reader, surface)


@rogue(
    "dm-notice-leaks-by-id",
    turns_red="AP-DM-06",
    because="It takes the id of a notice for the right to read it.",
    remedy="Ask for whom a kind 44100 is, also where it is asked for by its id.",
)
class DmNoticeLeaksById(_Leak):
    leaks = frozenset((surfaces.IDS,))


@rogue(
    "dm-notice-leaks-over-http",
    turns_red="AP-DM-06",
    because="The bridge reads notices without asking for whom they are.",
    remedy="Route HTTP queries through the same rule as REQ.",
)
class DmNoticeLeaksOverHttp(_Leak):
    leaks = frozenset((surfaces.HTTP_QUERY,))


class _OpenToAll(Policy):
    """Does not close a subscription of a direct message, whoever asks."""

    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        refusal = super().read_refusal(filters, caller, store)
        return None if refusal == "restricted: not a channel member" else refusal


@rogue(
    "dm-readable-by-anybody",
    turns_red="AP-DM-07 AP-DM-10",
    because="It checks the membership of private channels, and forgot that these are such.",
    remedy="Check who is in a direct message before you serve what is said there.",
)
class DmReadableByAnybody(_OpenToAll):
    def may_find_in_channel(
        self, named: str, reader: str | None, surface: str, store: Store
    ) -> bool:
        is_direct = bool(store.direct.people_of(named))
        return is_direct or super().may_find_in_channel(named, reader, surface, store)


@rogue(
    "dm-followable-by-anybody",
    turns_red="AP-DM-08",
    because="It checks who is in a direct message in answers, and not when it delivers live.",
    remedy="Check who is in a direct message for live delivery too.",
)
class DmFollowableByAnybody(_OpenToAll):
    def may_follow_channel(self, named: str, reader: str | None, store: Store) -> bool:
        is_direct = bool(store.direct.people_of(named))
        return is_direct or super().may_follow_channel(named, reader, store)


@rogue(
    "dm-writable-by-anybody",
    turns_red="AP-DM-09",
    because="Who knows the id of a direct message may write to it.",
    remedy="Refuse a message by a key that is not in the direct message.",
)
class DmWritableByAnybody(Policy):
    def author_may_use_the_channel(self, submission: Submission) -> str | None:
        if submission.store.direct.people_of(channel_of(submission.event) or ""):
            return None
        return super().author_may_use_the_channel(submission)


@rogue(
    "dm-widened-in-place",
    turns_red="AP-DM-10",
    because="It adds people to the channel that is there, with all that was said before.",
    remedy="Open a new direct message for the larger set of people.",
)
class DmWidenedInPlace(Policy):
    def widens_in_place(self) -> bool:
        return True


@rogue(
    "dm-with-oneself",
    turns_red="AP-DM-11",
    because="It counts the people and forgets that the opener is one of them.",
    remedy="Refuse a direct message that names nobody but its opener.",
)
class DmWithOneself(Policy):
    def somebody_else_is_named(self, submission: Submission) -> str | None:
        return None


@rogue(
    "dm-of-any-size",
    turns_red="AP-DM-11",
    because="It sets a direct message no limit.",
    remedy="Refuse a direct message of more than nine people.",
)
class DmOfAnySize(Policy):
    def not_too_many_are_named(self, submission: Submission) -> str | None:
        return None


@rogue(
    "dm-widened-by-outsiders",
    turns_red="AP-DM-11",
    because="It does not ask who widens a direct message, so that strangers join by widening it.",
    remedy="Refuse a kind 41011 by a key that is not in the direct message.",
)
class DmWidenedByOutsiders(Policy):
    def author_is_in_the_direct_message(self, submission: Submission) -> str | None:
        if submission.event.kind == WIDEN_DIRECT_MESSAGE:
            return None
        return super().author_is_in_the_direct_message(submission)


@rogue(
    "dm-any-channel-hidden",
    turns_red="AP-DM-11",
    because="It hides whatever channel it is told to.",
    remedy="Refuse a kind 41012 for a channel that is not a direct message.",
)
class DmAnyChannelHidden(Policy):
    def channel_is_a_direct_message(self, submission: Submission) -> str | None:
        return None


@rogue(
    "dm-notices-from-anybody",
    turns_red="AP-DM-12",
    because="It takes the relay's own kinds from whoever signs them.",
    remedy="Refuse kinds 44100, 44101 and 30622 from clients.",
)
class DmNoticesFromAnybody(Policy):
    _own = frozenset((MEMBER_ADDED, MEMBER_REMOVED, HIDDEN_DIRECT_MESSAGES))

    def kind_may_be_submitted(self, submission: Submission) -> str | None:
        if submission.event.kind in self._own:
            return None
        return super().kind_may_be_submitted(submission)

    def kind_is_known(self, submission: Submission) -> str | None:
        if submission.event.kind in self._own:
            return None
        return super().kind_is_known(submission)

    def scope_for(self, event: Event) -> str:
        return "messages:write" if event.kind in self._own else super().scope_for(event)


@rogue(
    "dm-notice-refused-to-whom-it-names",
    turns_red="AP-DM-04",
    blinds="AP-DM-05 AP-DM-06",
    because="It takes its notices of members for its own use, and closes every question for them.",
    remedy="Answer a question for kind 44100 whose `#p` names its reader alone.",
)
class DmNoticeRefusedToWhomItNames(Policy):
    def asks_for_its_own(self, one: Filter, reader: str | None) -> bool:
        return MEMBER_ADDED not in (one.kinds or ()) and super().asks_for_its_own(one, reader)
