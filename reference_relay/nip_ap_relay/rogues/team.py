"""Rogues that get teams (30176) and managed agents (30177) wrong."""

from __future__ import annotations

import orjson

from nip_ap.nostr import MANAGED_AGENT, PERSONA, TEAM, Event
from nip_ap_relay.channels import channel_of
from nip_ap_relay.policy import Policy
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row, Store

_MIRRORED = (TEAM, MANAGED_AGENT)


@rogue(
    "team-content-written-anew",
    turns_red="AP-TEAM-01",
    because="It keeps the content of teams and agents as JSON and writes it out anew.",
    remedy="Keep the content of an event as the text that it is.",
)
class TeamContentWrittenAnew(Policy):
    def as_stored(self, event: Event) -> Event:
        if event.kind not in _MIRRORED:
            return event
        return event.altered(content=orjson.dumps(orjson.loads(event.content)).decode())


@rogue(
    "teams-pile-up",
    turns_red="AP-TEAM-02",
    because="It replaces personas alone and takes the kinds beside them for regular ones.",
    remedy="Replace every addressable kind by its `d`, as NIP-01 says.",
)
class TeamsPileUp(Policy):
    def head_at(self, address: str, store: Store) -> Row | None:
        if address.startswith(tuple(f"{kind}:" for kind in _MIRRORED)):
            return None
        return super().head_at(address, store)


@rogue(
    "team-tombstones-ignored",
    turns_red="AP-TEAM-03",
    because="It follows an `a` tag to personas and to nothing else.",
    remedy="Delete what an `a` tag names, whatever its addressable kind.",
)
class TeamTombstonesIgnored(Policy):
    def deletion_reaches(self, request: Event, row: Row) -> bool:
        return row.kind not in _MIRRORED and super().deletion_reaches(request, row)


@rogue(
    "team-tombstones-need-k",
    turns_red="AP-TEAM-03",
    because="It deletes a team only where a `k` tag says its kind.",
    remedy="Delete by the `a` tag; a `k` tag is a hint.",
)
class TeamTombstonesNeedK(Policy):
    def deletion_reaches(self, request: Event, row: Row) -> bool:
        said = row.kind not in _MIRRORED or str(row.kind) in request.tag_values("k")
        return said and super().deletion_reaches(request, row)


@rogue(
    "team-slug-grammar",
    turns_red="AP-TEAM-04",
    blinds="AP-TEAM-05",
    because="It holds every kind of the family to the grammar of personas.",
    remedy="Apply the slug grammar to kind 30175 alone.",
)
class TeamSlugGrammar(Policy):
    def grammar_binds(self, kind: int) -> bool:
        return kind in (PERSONA, *_MIRRORED)


@rogue(
    "team-d-unbounded",
    turns_red="AP-TEAM-05",
    because="It has no bound for a `d` tag but that of the frame.",
    remedy="Refuse a `d` of more than 1,024 bytes.",
)
class TeamDUnbounded(Policy):
    longest_d = 1 << 20


@rogue(
    "team-in-channel",
    turns_red="AP-TEAM-07",
    because="It stores a team under the channel that its `h` tag names.",
    remedy="Ignore the `h` tag of a global kind.",
)
class TeamInChannel(Policy):
    def channel_of_stored(self, event: Event) -> str | None:
        if event.kind in _MIRRORED:
            return channel_of(event)
        return super().channel_of_stored(event)


@rogue(
    "team-takes-messages-write",
    turns_red="AP-TEAM-08",
    because="It asks for the scope of messages where a kind is none of its profile kinds.",
    remedy="Ask for users:write.",
)
class TeamTakesMessagesWrite(Policy):
    def scope_for(self, event: Event) -> str:
        return "messages:write" if event.kind in _MIRRORED else super().scope_for(event)
