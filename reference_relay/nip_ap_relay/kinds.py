"""Tables of the real relay: which scope writes which kind, what only the relay writes, its NIPs."""

from __future__ import annotations

from nip_ap.nostr import (
    APPLICATION_DATA,
    DELETION,
    ENGRAM,
    INSTRUCTIONS,
    MANAGED_AGENT,
    NOTE,
    PERSONA,
    PROFILE,
    TEAM,
    TEAM_CATALOG,
)
from nip_ap.nostr.channel import THREAD_SUMMARY, WINDOW_BOUNDS
from nip_ap.nostr.direct_message import (
    CHANNEL,
    CHANNEL_ADMINS,
    CHANNEL_MEMBERS,
    COMMANDS,
    HIDDEN_DIRECT_MESSAGES,
    SYSTEM_MESSAGE,
)
from nip_ap.nostr.gift_wrap import EPHEMERAL_GIFT_WRAP, GIFT_WRAP

# The kinds that each scope lets a credential write.
SCOPE_OF_KIND: dict[int, str] = {
    **dict.fromkeys((PROFILE, 3, 10000, 10001, 10002, 10003, 10100, 30000, 30003), "users:write"),
    **dict.fromkeys((APPLICATION_DATA, ENGRAM, 30315), "users:write"),
    **dict.fromkeys((PERSONA, TEAM, MANAGED_AGENT, TEAM_CATALOG, INSTRUCTIONS), "users:write"),
    **dict.fromkeys(COMMANDS, "messages:write"),
    **dict.fromkeys((GIFT_WRAP, EPHEMERAL_GIFT_WRAP), "messages:write"),
    **dict.fromkeys((NOTE, DELETION, 7, 9, 9005, 30023, 40002, 40003), "messages:write"),
    **dict.fromkeys((9007, 9002), "channels:write"),
    **dict.fromkeys((9000, 9001, 9008), "admin:channels"),
    **dict.fromkeys((9021, 9022), "channels:read"),
}
# What takes another scope where it carries a certain tag: archiving a channel.
SCOPE_OF_TAGGED_KIND: dict[tuple[int, str], str] = {(9002, "archived"): "admin:channels"}
ALL_SCOPES = frozenset(SCOPE_OF_KIND.values()) | {"messages:read", "users:read"}

NAME_OF_KIND = {
    PERSONA: "persona",
    TEAM: "team",
    MANAGED_AGENT: "managed agent",
    TEAM_CATALOG: "team catalog",
}

# What the relay itself says about a channel; nobody else may.
RELAY_ONLY_KINDS = frozenset(
    (
        *(CHANNEL, CHANNEL_ADMINS, CHANNEL_MEMBERS, SYSTEM_MESSAGE),
        *(THREAD_SUMMARY, WINDOW_BOUNDS, HIDDEN_DIRECT_MESSAGES),
    )
)

# What NIP-11 claims.
NIPS = (1, 9, 10, 11, 29, 42, 45, 50, 98)
