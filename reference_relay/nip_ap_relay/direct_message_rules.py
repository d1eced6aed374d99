"""The rules of direct messages: what a command has to be, and what the relay says of a channel.

What a command then does is in direct_messages.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nip_ap.nostr import Event
from nip_ap.nostr.channel import is_channel_id
from nip_ap.nostr.direct_message import (
    HIDE_DIRECT_MESSAGE,
    MOST_OTHERS,
    OPEN_DIRECT_MESSAGE,
    WIDEN_DIRECT_MESSAGE,
)
from nip_ap_relay.rehearsable import answers_show
from nip_ap_relay.submission import Rule, Submission

_PUBKEY = re.compile(r"[0-9a-f]{64}\Z")


class DirectMessageRules:
    """The rules of direct messages, each a method that a rogue can override."""

    def direct_message_rules(self) -> tuple[Rule, ...]:
        return (
            self.people_are_named_by_keys,
            self.somebody_else_is_named,
            self.not_too_many_are_named,
            self.command_names_a_channel,
            self.author_is_in_the_direct_message,
            self.channel_is_a_direct_message,
            self.somebody_is_added,
        )

    def people_are_named_by_keys(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind not in (OPEN_DIRECT_MESSAGE, WIDEN_DIRECT_MESSAGE):
            return None
        if not all(_PUBKEY.match(one) for one in event.tag_values("p")):
            return "invalid: bad pubkey in a p tag"
        return None

    def somebody_else_is_named(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind == OPEN_DIRECT_MESSAGE and not others_in(event):
            return "invalid: pubkeys must contain at least 1 other participant"
        return None

    def not_too_many_are_named(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind == OPEN_DIRECT_MESSAGE and len(others_in(event)) > MOST_OTHERS:
            return f"invalid: at most {MOST_OTHERS} other participants ({MOST_OTHERS + 1} total)"
        if event.kind == WIDEN_DIRECT_MESSAGE:
            people = submission.store.direct.people_of(_channel_in(event))
            if people and len(people | set(event.tag_values("p"))) > MOST_OTHERS + 1:
                return f"invalid: DM supports at most {MOST_OTHERS + 1} participants"
        return None

    def command_names_a_channel(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind not in (WIDEN_DIRECT_MESSAGE, HIDE_DIRECT_MESSAGE):
            return None
        if not event.tag_values("h"):
            return "invalid: missing h tag (channel_id)"
        if not is_channel_id(_channel_in(event)):
            return "invalid: bad channel_id format"
        return None

    def author_is_in_the_direct_message(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind not in (WIDEN_DIRECT_MESSAGE, HIDE_DIRECT_MESSAGE):
            return None
        channel = submission.store.channel(_channel_in(event))
        if channel is None or event.pubkey not in channel.roles:
            return "forbidden: not a member of this DM"
        return None

    def channel_is_a_direct_message(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind not in (WIDEN_DIRECT_MESSAGE, HIDE_DIRECT_MESSAGE):
            return None
        if not submission.store.direct.people_of(_channel_in(event)):
            return "invalid: channel is not a DM"
        return None

    def somebody_is_added(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind != WIDEN_DIRECT_MESSAGE:
            return None
        people = submission.store.direct.people_of(_channel_in(event))
        if not set(event.tag_values("p")) - people:
            return "invalid: must specify at least 1 new participant in p tags"
        return None

    # -- what the relay makes of a command ------------------------------------------

    @answers_show
    def people_of_opening(self, event: Event) -> frozenset[str]:
        """A direct message is for this set of people, whoever of them opens it."""
        return frozenset((event.pubkey, *event.tag_values("p")))

    @answers_show
    def finds_again(self, found: str | None, people: frozenset[str], event: Event) -> str | None:
        """The channel that these people have already: they open the same one, however often."""
        return found

    @answers_show
    def says_created(self, is_new: bool) -> bool:
        return is_new

    @answers_show
    def members_named(self, members: Sequence[str]) -> Sequence[str]:
        """Whom the description of the channel names as its members: all."""
        return members

    @answers_show
    def direct_message_tags(self) -> tuple[str, ...]:
        """What the description of the channel says besides its id."""
        return ("hidden", "private")

    @answers_show
    def people_told(self, people: Sequence[str], opener: str) -> Sequence[str]:
        """Who is told of a new direct message: each of its people, the opener too."""
        return people

    @answers_show
    def widens_in_place(self) -> bool:
        """Whether who is added comes into the old channel; they get a new one."""
        return False

    # -- what a viewer hid ------------------------------------------------------------

    @answers_show
    def hiding_leaves(self) -> bool:
        """Whether who hides a direct message is a member no more."""
        return False

    @answers_show
    def viewers_hidden_from(self, viewer: str, people: Sequence[str]) -> Sequence[str]:
        """Whose list a command to hide changes: that of its author."""
        return (viewer,)

    @answers_show
    def listed_as_hidden(self, hidden: Sequence[str], changed: str) -> Sequence[str]:
        """What a snapshot names: all that is hidden, not what has just changed."""
        return hidden

    @answers_show
    def tells_of_reopening(self) -> bool:
        """Opening what was hidden is a new snapshot too."""
        return True

    @answers_show
    def snapshot_time(self, now: int, previous: int) -> int:
        """Strictly newer than the one before, also within a second."""
        return max(now, previous + 1)


def others_in(event: Event) -> set[str]:
    """The people beside its author whom a command names."""
    return set(event.tag_values("p")) - {event.pubkey}


def _channel_in(event: Event) -> str:
    return next(iter(event.tag_values("h")), "")
