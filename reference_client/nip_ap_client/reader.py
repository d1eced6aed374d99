"""The reader: an owner's personas as a relay has them, believed only where they can be.

Order matters here. Signature and id first, then whose and what an event is, then which version is
the head, then deletions, and only then the content of the heads: a forged version, or one that
cannot be read, is never taken for a reason to show another text under its name.

Every step is a small method; a rogue reader (rogues/readers.py) overrides one of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson

from nip_ap.nostr import DELETION, PERSONA, Event, Filter
from nip_ap_client.mapping import SHARED, is_slug
from nip_ap_client.source import Answered, Source, WireSource

PAGE = 500
"""Events asked for at once; a relay may give fewer."""

SHOWN_FIELDS = ("runtime", "model", "provider", "avatar_url", "acp_command", "description")
"""Optional texts of a persona that are shown. `env_vars` is never one of them."""

_MOST_PAGES = 2_000
_CROWDED = "more personas share one second than the relay gives at once: some cannot be asked for"
_PORTABLE = re.compile(r"buzz-acp|(?=.{0,255}\Z)buzz-[A-Za-z0-9_-]+-acp")


@dataclass(frozen=True)
class Shown:
    """A persona as it is shown."""

    owner: str
    slug: str
    display_name: str
    system_prompt: str | None
    created_at: int
    event: str
    is_shared: bool = False
    rest: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The object of the contract (docs/reader-contract.md)."""
        return {
            "owner": self.owner,
            "slug": self.slug,
            "display_name": self.display_name,
            "system_prompt": self.system_prompt,
            **self.rest,
            "shared": self.is_shared,
            "created_at": self.created_at,
            "event": self.event,
        }


@dataclass(frozen=True)
class Dropped:
    """What came and is not shown, and why."""

    event: str
    slug: str
    reason: str

    def to_json(self) -> dict[str, str]:
        """The object of the contract."""
        return {"event": self.event, "slug": self.slug, "reason": self.reason}


@dataclass(frozen=True)
class Listing:
    """What a reader makes of a relay. `trouble` says why it may not be all."""

    personas: tuple[Shown, ...]
    dropped: tuple[Dropped, ...] = ()
    trouble: str = ""

    def to_json(self) -> dict[str, Any]:
        """The JSON object of the contract."""
        return {
            "personas": [one.to_json() for one in self.personas],
            "dropped": [one.to_json() for one in self.dropped],
            "trouble": self.trouble,
        }


class Undecodable(ValueError):
    """A content that is no persona; the message says why."""


class Reader:
    """One reading of one owner's personas."""

    def __init__(
        self,
        source: Source,
        *,
        owner: str,
        viewer: str = "",
        slug: str = "",
        only_shared: bool = False,
        until: int | None = None,
    ) -> None:
        """`viewer` is the public key of who reads, "" where nobody knows. `slug` "" reads all.

        `until` leaves out what was written after that second.
        """
        self.source = source
        self.owner = owner
        self.viewer = viewer
        self.slug = slug
        self.until = until
        self.dropped: list[Dropped] = []
        self.trouble = ""
        self.only_shared = only_shared or self.is_foreign

    @property
    def is_foreign(self) -> bool:
        """Whether somebody looks at the personas of another."""
        return bool(self.viewer) and self.viewer != self.owner

    source_of: ClassVar[type[WireSource]] = WireSource
    """How this reader talks to a relay."""

    @staticmethod
    def written(told: dict[str, Any]) -> str:
        """A listing as JSON: ASCII alone, so that no name drives a terminal."""
        return json.dumps(told)

    def run(self) -> Listing:
        """Read. Raises WireError where the relay is not there or refuses."""
        found = [one for one in self.everything() if self.is_genuine(one) and self.is_asked(one)]
        heads = self.heads(one for one in found if one.kind != DELETION)
        deletions = [one for one in found if one.kind == DELETION]
        shown = [
            persona
            for head in heads
            if not self.is_deleted(head, deletions) and (persona := self.persona(head)) is not None
        ]
        return Listing(tuple(shown), tuple(self.dropped), self.trouble)

    # -- asking ----------------------------------------------------------------

    def filters(self) -> tuple[Filter, ...]:
        """What is asked for: personas and deletion requests, of this owner alone."""
        slugs = [self.slug] if self.slug else None
        return (
            Filter.of(kinds=[PERSONA], authors=[self.owner], d=slugs, until=self.until),
            Filter.of(kinds=[DELETION], authors=[self.owner], until=self.until),
        )

    def everything(self) -> list[Event]:
        """All that the relay has, each event once."""
        return [event for one in self.filters() for event in self.pages(one)]

    def pages(self, wanted: Filter) -> Iterator[Event]:
        """What matches, page by page, until one brings nothing new."""
        seen: set[bytes] = set()
        asked, largest, was_stuck = wanted.changed(limit=PAGE), 0, False
        for _ in range(_MOST_PAGES):
            answer = self.ask(asked)
            fresh = {one: event for event in answer.events if (one := _bytes_of(event)) not in seen}
            if fresh and was_stuck:
                self.trouble = self.trouble or _CROWDED
            yield from fresh.values()
            seen |= fresh.keys()
            largest = max(largest, len(answer.events))
            is_full = 1 < len(answer.events) == largest
            if answer.trouble or not (fresh or is_full):
                return
            end, was_stuck = self.next_end(answer.events, asked), not fresh
            asked = asked.changed(until=end if fresh else end - 1)
        self.trouble = f"the relay gave {_MOST_PAGES} pages and no end"

    @staticmethod
    def next_end(events: Sequence[Event], asked: Filter) -> int:
        """Where the next page ends: at the oldest second of this one, which may have more.

        What came uncalled for, from beyond the page that was asked for, moves nothing.
        """
        within = [one.created_at for one in events if one.created_at <= (asked.until or 2**62)]
        return min(within, default=0)

    def ask(self, wanted: Filter) -> Answered:
        """One answer, and what was wrong with it. Raises WireError."""
        answer = self.source.ask(wanted)
        self.dropped += [Dropped("", "", one) for one in answer.malformed]
        self.trouble = self.trouble or answer.trouble
        return answer

    # -- believing -------------------------------------------------------------

    def is_genuine(self, event: Event) -> bool:
        """Whether id and signature hold; a relay is not believed."""
        problems = self.problems(event)
        if problems:
            self.drop(event, "; ".join(problems))
        return not problems

    def problems(self, event: Event) -> Sequence[str]:
        """Why an event does not verify."""
        return event.problems

    def is_asked(self, event: Event) -> bool:
        """Whether an event is one that was asked for."""
        if not self.is_of_the_owner(event):
            return self.drop(event, "by another author than the one asked for")
        if event.kind == DELETION:
            return True
        if not self.is_a_persona(event):
            return self.drop(event, f"of kind {event.kind}, and no persona")
        fault = self.fault_of_slug(event)
        if fault:
            return self.drop(event, fault)
        return self.is_the_slug(event) or self.drop(event, "under another slug than asked for")

    def is_of_the_owner(self, event: Event) -> bool:
        """Whether its author is the one asked for."""
        return event.pubkey == self.owner

    def is_a_persona(self, event: Event) -> bool:
        """Whether it is of kind 30175."""
        return event.kind == PERSONA

    def fault_of_slug(self, event: Event) -> str:
        """What is wrong with its slug; "" where nothing is."""
        given = [tag for tag in event.tags if tag[0] == "d"]
        if len(given) != 1:
            return f"{len(given)} `d` tags; a persona has one"
        return "" if self.in_grammar(event.slug) else "its slug is outside the grammar"

    def in_grammar(self, slug: str) -> bool:
        """Whether a text is a slug."""
        return is_slug(slug)

    def is_the_slug(self, event: Event) -> bool:
        """Whether its slug is the one asked for."""
        return not self.slug or event.slug == self.slug

    def drop(self, event: Event, reason: str) -> bool:
        """Note that an event is not used; always False."""
        self.dropped.append(Dropped(event.id, event.slug, reason))
        return False

    # -- choosing --------------------------------------------------------------

    def heads(self, events: Iterable[Event]) -> list[Event]:
        """The head of each address, in the order of their slugs."""
        heads: dict[str, Event] = {}
        for event in events:
            standing = heads.get(event.slug)
            if standing is None or self.replaces(event, standing):
                heads[event.slug] = event
        return [heads[slug] for slug in sorted(heads)]

    def replaces(self, event: Event, standing: Event) -> bool:
        """Whether an event goes before another: the later date, then the lower id (NIP-01)."""
        return event.order < standing.order

    def is_deleted(self, head: Event, deletions: Sequence[Event]) -> bool:
        """Whether the owner deleted a head: a request that names it and is not older (NIP-09)."""
        address = f"{PERSONA}:{head.pubkey}:{head.slug}"
        return any(
            self.reaches(one, head)
            for one in deletions
            if address in one.tag_values("a") or head.id in one.tag_values("e")
        )

    def reaches(self, deletion: Event, head: Event) -> bool:
        """Whether a request is by the author and not older than the head."""
        return deletion.pubkey == head.pubkey and deletion.created_at >= head.created_at

    # -- reading ---------------------------------------------------------------

    def persona(self, head: Event) -> Shown | None:
        """A head as it is shown; None where it is not, which is noted."""
        is_shared = SHARED in head.tags
        if self.only_shared and not is_shared:
            self.drop(head, "not shared")
            return None
        try:
            body = self.body(head)
        except Undecodable as error:
            self.drop(head, str(error))
            return None
        command = body.get("acp_command")
        if self.is_foreign and command is not None and not self.is_portable(command):
            self.drop(head, "its acp_command is of the owner's machine")
            return None
        return Shown(
            owner=head.pubkey,
            slug=head.slug,
            display_name=body["display_name"],
            system_prompt=self.prompt(body),
            created_at=head.created_at,
            event=head.id,
            is_shared=is_shared,
            rest=self.rest(body),
        )

    def body(self, head: Event) -> dict[str, Any]:
        """The content as an object with a display name. Raises Undecodable."""
        try:
            body = orjson.loads(head.content)
        except orjson.JSONDecodeError as error:
            raise Undecodable(f"its content is not JSON: {error}") from None
        if not isinstance(body, dict):
            raise Undecodable("its content is not a JSON object")
        if not isinstance(body.get("display_name"), str):
            raise Undecodable("its content has no display_name that is a text")
        if not isinstance(body.get("system_prompt"), str | None):
            raise Undecodable("its system_prompt is neither a text nor null")
        return body

    def prompt(self, body: dict[str, Any]) -> str | None:
        """The system prompt: absent and null are the same, and neither is the empty text."""
        found = body.get("system_prompt")
        return None if found is None else str(found)

    def rest(self, body: dict[str, Any]) -> dict[str, Any]:
        """What else is shown: known fields of the right type."""
        found = {name: body[name] for name in SHOWN_FIELDS if isinstance(body.get(name), str)}
        pool = body.get("name_pool")
        if isinstance(pool, list) and pool and all(isinstance(one, str) for one in pool):
            found["name_pool"] = pool
        return found

    def is_portable(self, command: object) -> bool:
        """Whether a command means the same on another's machine."""
        return isinstance(command, str) and _PORTABLE.fullmatch(command) is not None


def _bytes_of(event: Event) -> bytes:
    """An event as a whole. A forged one may have the id of a genuine one, and must not hide it."""
    return orjson.dumps(event.to_json())
