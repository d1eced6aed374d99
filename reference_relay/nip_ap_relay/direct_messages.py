"""What an accepted command of a direct message does, and what the relay then says of it.

Opening makes a channel for a set of people; widening opens another; hiding and opening again change
what the relay tells the viewer alone (kind 30622).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from nip_ap.nostr import Draft, Event
from nip_ap.nostr.channel import channel_id
from nip_ap.nostr.direct_message import (
    CHANNEL,
    CHANNEL_ADMINS,
    CHANNEL_MEMBERS,
    HIDDEN_DIRECT_MESSAGES,
    HIDE_DIRECT_MESSAGE,
    MEMBER_ADDED,
    OPEN_DIRECT_MESSAGE,
    SYSTEM_MESSAGE,
    response,
)
from nip_ap_relay.policy import Policy
from nip_ap_relay.store import Row, Store


class Announcer(Protocol):
    """The relay, as far as it speaks for itself."""

    policy: Policy
    store: Store

    def announce(self, draft: Draft) -> None:
        """Sign, store and deliver an event of the relay's own."""

    def own_head(self, kind: int, slug: str) -> Row | None:
        """The relay's own event at an address."""


@dataclass(frozen=True)
class DirectMessages:
    """Carries out commands on one relay."""

    relay: Announcer

    def carry_out(self, event: Event) -> str:
        """Do what a command asks; gives the text of its OK."""
        channel = next(iter(event.tag_values("h")), "")
        if event.kind == OPEN_DIRECT_MESSAGE:
            return self._opened(self.relay.policy.people_of_opening(event), event)
        if event.kind == HIDE_DIRECT_MESSAGE:
            return self._hide(channel, event.pubkey)
        return self._widened(channel, event)

    # -- opening ---------------------------------------------------------------

    def _opened(self, people: frozenset[str], event: Event) -> str:
        policy = self.relay.policy
        known = self.relay.store.direct.channel_of(people)
        found = policy.finds_again(known, people, event)
        channel = found or self._made(people, event.pubkey)
        if found is not None:
            self._bring_back(found, people, event.pubkey)
        return response({"channel_id": channel, "created": policy.says_created(found is None)})

    def _made(self, people: frozenset[str], opener: str) -> str:
        channel = self._free_id(people)
        self.relay.store.put_channel(channel, "DM", "private", False)
        self.relay.store.direct.put(people, channel)
        for pubkey in sorted(people):
            self.relay.store.put_member(channel, pubkey, "member")
        self._describe(channel)
        self._tell(channel, sorted(people), opener)
        self._announce(SYSTEM_MESSAGE, ("h", channel), text='{"type":"dm_created"}')
        return channel

    def _free_id(self, people: frozenset[str]) -> str:
        """An id that follows from the people, unless somebody made a channel of that id."""
        attempt = 0
        while True:
            named = " ".join((*sorted(people), str(attempt)))
            found = channel_id(hashlib.sha256(named.encode()).digest())
            if self.relay.store.channel(found) is None:
                return found
            attempt += 1

    def _bring_back(self, channel: str, people: frozenset[str], opener: str) -> None:
        """Who left is in again, and the opener has it in their list again."""
        present = self.relay.store.channel(channel)
        gone = sorted(people - set(present.roles if present is not None else ()))
        for pubkey in gone:
            self.relay.store.put_member(channel, pubkey, "member")
        if gone:
            self._describe(channel)
            self._tell(channel, gone, opener)
        was_hidden = self.relay.store.direct.show(opener, channel)
        if was_hidden and self.relay.policy.tells_of_reopening():
            self._tell_what_is_hidden(opener, channel)

    def _widened(self, channel: str, event: Event) -> str:
        people = self.relay.store.direct.people_of(channel) | set(event.tag_values("p"))
        if not self.relay.policy.widens_in_place():
            return self._opened(people, event)
        for pubkey in event.tag_values("p"):
            self.relay.store.put_member(channel, pubkey, "member")
        self._describe(channel)
        self._tell(channel, sorted(event.tag_values("p")), event.pubkey)
        return response({"channel_id": channel, "created": False})

    # -- hiding ----------------------------------------------------------------

    def _hide(self, channel: str, viewer: str) -> str:
        policy, store = self.relay.policy, self.relay.store
        people = sorted(store.direct.people_of(channel))
        for one in policy.viewers_hidden_from(viewer, people):
            store.direct.hide(one, channel)
            self._tell_what_is_hidden(one, channel)
        if policy.hiding_leaves():
            store.remove_member(channel, viewer)
            self._describe(channel)
        return response({})

    def _tell_what_is_hidden(self, viewer: str, changed: str) -> None:
        policy = self.relay.policy
        head = self.relay.own_head(HIDDEN_DIRECT_MESSAGES, viewer)
        hidden = policy.listed_as_hidden(self.relay.store.direct.hidden_by(viewer), changed)
        tags = (("d", viewer), ("p", viewer), *(("h", one) for one in hidden))
        when = policy.snapshot_time(policy.now(), head.created_at if head is not None else 0)
        self.relay.announce(Draft(HIDDEN_DIRECT_MESSAGES, when, tags))

    # -- what the relay says -----------------------------------------------------

    def _describe(self, channel: str) -> None:
        """The relay's own events about a channel: itself, its admins, its members."""
        present = self.relay.store.channel(channel)
        everyone = sorted(present.roles) if present is not None else []
        members = self.relay.policy.members_named(everyone)
        said = ((one,) for one in self.relay.policy.direct_message_tags())
        self._announce(CHANNEL, ("d", channel), ("name", "DM"), *said)
        self._announce(CHANNEL_ADMINS, ("d", channel))
        self._announce(CHANNEL_MEMBERS, ("d", channel), *(("p", one) for one in members))

    def _tell(self, channel: str, people: list[str], opener: str) -> None:
        for pubkey in self.relay.policy.people_told(people, opener):
            self._announce(MEMBER_ADDED, ("p", pubkey), ("h", channel))

    def _announce(self, kind: int, *tags: tuple[str, ...], text: str = "") -> None:
        """An event of now, or of a second later than what it replaces."""
        now = self.relay.policy.now()
        slug = next((tag[1] for tag in tags if tag[0] == "d"), None)
        head = self.relay.own_head(kind, slug) if slug is not None else None
        when = now if head is None else max(now, head.created_at + 1)
        self.relay.announce(Draft(kind, when, tags, text))
