"""The rules of channels: who makes them, who may write to them, who may read them."""

from __future__ import annotations

from nip_ap.nostr import Event
from nip_ap.nostr.channel import is_channel_id
from nip_ap_relay.channels import (
    CHANNEL_KINDS,
    CREATE_CHANNEL,
    DELETE_EVENT,
    DESCRIBED_BY_RELAY,
    GOVERNED_KINDS,
    IN_CHANNEL,
    REPLIABLE_KINDS,
    Channel,
    channel_of,
)
from nip_ap_relay.store import Store
from nip_ap_relay.submission import Rule, Submission


class ChannelRules:
    """The rules of channels, each a method that a rogue can override."""

    def channel_rules(self) -> tuple[Rule, ...]:
        return (
            self.channel_may_be_created,
            self.message_names_a_channel,
            self.author_may_use_the_channel,
            self.channel_is_not_archived,
            self.author_may_govern,
        )

    def channel_may_be_created(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind != CREATE_CHANNEL:
            return None
        if channel_of(event) is None:
            return "invalid: channel-scoped events must include an h tag"
        if not any(name.strip() for name in event.tag_values("name")):
            return "invalid: channel name is required"
        for visibility in event.tag_values("visibility"):
            if visibility not in ("open", "private"):
                return f"invalid: invalid visibility: {visibility}"
        for sort in event.tag_values("channel_type"):
            if sort not in ("stream", "forum", "dm", "workflow"):
                return f"invalid: invalid channel_type: {sort}"
        if submission.store.channel(channel_of(event)) is not None:
            return "duplicate: channel already exists"
        return None

    def message_names_a_channel(self, submission: Submission) -> str | None:
        if submission.event.kind in IN_CHANNEL and channel_of(submission.event) is None:
            return "invalid: channel-scoped events must include an h tag"
        return None

    def author_may_use_the_channel(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind not in IN_CHANNEL:
            return None
        channel = submission.store.channel(channel_of(event))
        if channel is None or not self.may_use(channel, event.pubkey):
            return "restricted: not a channel member"
        return None

    def may_use(self, channel: Channel, pubkey: str | None) -> bool:
        """Open channels are for everybody, private ones for their members, to read and to post."""
        return channel.visibility == "open" or pubkey in channel.roles

    def channel_is_not_archived(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind not in REPLIABLE_KINDS:
            return None
        channel = submission.store.channel(channel_of(event))
        if channel is not None and channel.archived:
            return "invalid: channel is archived"
        return None

    def author_may_govern(self, submission: Submission) -> str | None:
        event = submission.event
        if event.kind not in GOVERNED_KINDS:
            return None
        channel = submission.store.channel(channel_of(event))
        if channel is not None and channel.is_governed_by(event.pubkey):
            return None
        if event.kind == DELETE_EVENT and self._deletes_own(submission):
            return None
        return "restricted: not a channel admin"

    def _deletes_own(self, submission: Submission) -> bool:
        targets = [
            submission.store.event_by_id(identifier)
            for identifier in submission.event.tag_values("e")
        ]
        return bool(targets) and all(
            target is not None and target.pubkey == submission.event.pubkey for target in targets
        )

    def channel_of_stored(self, event: Event) -> str | None:
        """The channel that an event is stored under; None keeps it global.

        A persona is global whatever its tags say (NIP-AP, "Relay behavior").
        """
        if event.kind in DESCRIBED_BY_RELAY:
            return event.slug
        return channel_of(event) if event.kind in CHANNEL_KINDS else None

    def may_read_channel(self, named: str, reader: str | None, store: Store) -> bool:
        if not is_channel_id(named):
            return True
        channel = store.channel(named)
        return channel is not None and self.may_use(channel, reader)

    def may_find_in_channel(
        self, named: str, reader: str | None, surface: str, store: Store
    ) -> bool:
        """Who finds a channel's messages among what is stored: at every surface its readers."""
        return self.may_read_channel(named, reader, store)

    def may_follow_channel(self, named: str, reader: str | None, store: Store) -> bool:
        """Who gets a channel's messages live: whoever may read them at that moment."""
        return self.may_read_channel(named, reader, store)
