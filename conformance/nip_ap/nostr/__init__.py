"""The protocol as values: events, keys, filters and authentication events. No I/O."""

from nip_ap.nostr.auth import http_auth_event, http_auth_header, relay_auth_event
from nip_ap.nostr.event import (
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
    Draft,
    Event,
    MalformedEvent,
    address_of,
    event_id,
    is_addressable,
    is_ephemeral,
    is_replaceable,
)
from nip_ap.nostr.filter import Filter
from nip_ap.nostr.keys import SecretKey, derive

__all__ = [
    "APPLICATION_DATA",
    "DELETION",
    "ENGRAM",
    "INSTRUCTIONS",
    "MANAGED_AGENT",
    "NOTE",
    "PERSONA",
    "PROFILE",
    "TEAM",
    "TEAM_CATALOG",
    "Draft",
    "Event",
    "Filter",
    "MalformedEvent",
    "SecretKey",
    "address_of",
    "derive",
    "event_id",
    "http_auth_event",
    "http_auth_header",
    "is_addressable",
    "is_ephemeral",
    "is_replaceable",
    "relay_auth_event",
]
