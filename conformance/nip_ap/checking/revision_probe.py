"""Probing the revision: does a stranger see an unshared persona that its author sees?

The persona is fresh, and its author asks after the stranger in the same words: what neither sees
says nothing. A way of asking that breaks down says nothing either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nip_ap.checking.actor import HTTP, WS, Actor, Watch, address, all_of
from nip_ap.model.clauses import NOVEMBER
from nip_ap.model.judgement import Ending
from nip_ap.model.revision import CLOSED, OPEN, UNCLEAR, Revision, revision_from
from nip_ap.nostr import PERSONA, Event, Filter

Sees = Callable[[Actor], bool]


@dataclass(frozen=True)
class Doors:
    """What else than a REQ the relay answers, and whether its readers can authenticate."""

    has_count: bool
    has_http: bool
    has_auth: bool


def probed_revision(
    owner: Actor, stranger: Actor, hidden: Event, shared: Event, doors: Doors
) -> Revision:
    """The revision of a relay; publishes two fresh personas, one of them shared."""
    own, theirs = (_watch(reader, all_of(owner)) for reader in (owner, stranger))
    try:
        owner.publish(hidden)
        owner.publish(shared)
    except Ending as error:
        warning = f"the revision is unclear: {error}; --spec decides it"
        return Revision(NOVEMBER, f"unclear: {error}", is_clear=False, warning=warning)
    ways = {
        way: _seen(sees, owner, stranger) for way, sees in _questions(owner, hidden, doors).items()
    }
    ways["live"] = _seen_live(own, theirs, hidden, shared)
    return revision_from(ways, knows_readers=doors.has_auth)


def _questions(owner: Actor, event: Event, doors: Doors) -> dict[str, Sees]:
    by_address = address(owner, event.slug)
    by_id = Filter.of(kinds=[PERSONA], ids=[event.id])

    def reads(wanted: Filter, via: str = WS) -> Sees:
        return lambda reader: event in reader.read(wanted, via=via)

    found = {
        "by address": reads(by_address),
        "by id": reads(by_id),
        "by author": reads(all_of(owner)),
    }
    if doors.has_count:
        found["by COUNT"] = lambda reader: reader.count(by_address) > 0
    if doors.has_http:
        found["over HTTP"] = reads(by_address, HTTP)
    return found


def _seen(sees: Sees, owner: Actor, stranger: Actor) -> str:
    """A stranger who is refused does not see it; an author who is, decides nothing."""
    try:
        foreign = sees(stranger)
    except Ending:
        foreign = False
    try:
        own = sees(owner)
    except Ending:
        own = False
    if foreign:
        return OPEN
    return CLOSED if own else UNCLEAR


def _watch(reader: Actor, wanted: Filter) -> Watch | None:
    try:
        return reader.another_connection().watch(wanted)
    except Ending:
        return None


def _seen_live(own: Watch | None, theirs: Watch | None, hidden: Event, shared: Event) -> str:
    """The shared persona, published later, is the fence on both subscriptions."""
    if own is None or theirs is None:
        return UNCLEAR
    try:
        for watch in (own, theirs):
            watch.wait_for(shared)
    except Ending:
        return UNCLEAR
    if theirs.copies_of(hidden):
        return OPEN
    return CLOSED if own.copies_of(hidden) else UNCLEAR
