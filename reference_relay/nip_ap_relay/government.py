"""The government of channels: what an accepted event of NIP-29 does to channels and members."""

from __future__ import annotations

from nip_ap.nostr import Event
from nip_ap_relay.channels import (
    ADD_MEMBER,
    CREATE_CHANNEL,
    DELETE_CHANNEL,
    EDIT_CHANNEL,
    JOIN,
    LEAVE,
    REMOVE_MEMBER,
)
from nip_ap_relay.store import Store


def govern(store: Store, channel_id: str, event: Event) -> None:
    """Carry out what an accepted event asks of its channel; most events ask nothing."""
    people = event.tag_values("p")
    if event.kind == CREATE_CHANNEL:
        visibility = next(iter(event.tag_values("visibility")), "open")
        store.put_channel(channel_id, event.tag_values("name")[0], visibility, False)
        store.put_member(channel_id, event.pubkey, "owner")
    elif event.kind == ADD_MEMBER:
        role = next(iter(event.tag_values("role")), "member")
        for pubkey in people:
            store.put_member(channel_id, pubkey, role)
    elif event.kind == REMOVE_MEMBER:
        for pubkey in people:
            store.remove_member(channel_id, pubkey)
    elif event.kind == JOIN:
        channel = store.channel(channel_id)
        if channel is not None and event.pubkey not in channel.roles:
            store.put_member(channel_id, event.pubkey, "member")
    elif event.kind == LEAVE:
        store.remove_member(channel_id, event.pubkey)
    elif event.kind == DELETE_CHANNEL:
        store.remove_channel(channel_id)
    elif event.kind == EDIT_CHANNEL:
        _edit(store, channel_id, event)


def _edit(store: Store, channel_id: str, event: Event) -> None:
    channel = store.channel(channel_id)
    if channel is None:
        return
    name = next(iter(event.tag_values("name")), channel.name)
    visibility = next(iter(event.tag_values("visibility")), channel.visibility)
    archived = next(iter(event.tag_values("archived")), "true" if channel.archived else "false")
    store.put_channel(channel_id, name, visibility, archived == "true")
