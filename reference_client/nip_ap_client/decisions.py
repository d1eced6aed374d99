"""What is to be done for one persona, from four things: the file, the store, the relay, a deletion.

The rule behind every branch: what this device did not write and has not seen is never replaced
in silence. An own older version may be replaced; a foreign one only by a record that was edited
after it; anything else is a conflict, which is reported and left alone. What the relay does not
have any more was deleted elsewhere and stays deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nip_ap.nostr import Event
from nip_ap_client.mapping import SHARED, Wanted, content_hash
from nip_ap_client.retention import Retained


class Action(StrEnum):
    """What happens to one address."""

    KEEP = "keep"
    ADOPT = "take over"
    SEND = "send again"
    SIGN = "publish"
    CONFLICT = "leave alone"
    DELETE = "delete"
    DROP = "forget"


@dataclass(frozen=True)
class Situation:
    """What is known of one address. `online` says whether `head` was asked for."""

    slug: str
    persona: Wanted | None
    row: Retained | None
    tombstone: Retained | None
    head: Event | None
    online: bool

    @property
    def own_versions(self) -> frozenset[str]:
        """The hashes of contents that this device knows to be its own, or has seen as the head."""
        known: set[str] = set()
        for kept in (self.row, self.tombstone):
            if kept is not None:
                known |= {content_hash(kept.content), *kept.base.split()}
        return frozenset(known)

    @property
    def head_is_own(self) -> bool:
        """Whether the head's text is one of them."""
        return self.head is not None and content_hash(self.head.content) in self.own_versions

    @property
    def newest(self) -> int:
        """The latest date at the address: what a new version has to exceed (NIP-AP, "Writing")."""
        dates = [one.created_at for one in (self.row, self.tombstone, self.head) if one is not None]
        return max(dates, default=0)

    @property
    def base(self) -> str:
        """What a version that is signed now stands on: the texts that it knowingly replaces."""
        texts = [self.head.content] if self.head is not None else []
        known = {content_hash(text) for text in texts}
        if self.row is not None:
            known.add(content_hash(self.row.content))
            known |= set(self.row.base.split()) if self.row.pending else set()
        if self.tombstone is not None:
            known |= set(self.tombstone.base.split())
        return " ".join(sorted(known))

    @property
    def is_shared(self) -> bool:
        """Whether the version that is replaced has the share tag."""
        if self.head is not None:
            return SHARED in self.head.tags
        return self.row is not None and SHARED in self.row.event.tags


@dataclass(frozen=True)
class Decision:
    """What to do for one address. `note` is for the person who reads the report."""

    situation: Situation
    action: Action
    note: str = ""

    @property
    def slug(self) -> str:
        """The slug."""
        return self.situation.slug


def for_persona(situation: Situation, *, is_stale: bool) -> Decision:
    """The decision where the file has a persona; `is_stale`: the row's date is no longer good."""
    persona, head = situation.persona, situation.head
    assert persona is not None
    if head is not None and head.content == persona.content:
        return _for_equal_head(situation, head)
    if not situation.online or head is None:
        return _without_head(situation, persona, is_stale)
    return _against_other_head(situation, persona, head, is_stale)


def _for_equal_head(situation: Situation, head: Event) -> Decision:
    """Content is compared, not ids: another device's event for the same file will do."""
    row = situation.row
    settled = row is not None and not row.pending and row.event.id == head.id
    return Decision(situation, Action.KEEP if settled else Action.ADOPT)


def _without_head(situation: Situation, persona: Wanted, is_stale: bool) -> Decision:
    row = situation.row
    if row is None or row.content != persona.content:
        return Decision(situation, Action.SIGN)
    if row.pending:
        return Decision(situation, Action.SIGN if is_stale else Action.SEND)
    gone = "it is not on the relay any more: deleted elsewhere, and stays so until it is edited"
    return Decision(situation, Action.KEEP, gone if situation.online else "")


def _against_other_head(
    situation: Situation, persona: Wanted, head: Event, is_stale: bool
) -> Decision:
    row = situation.row
    unchanged_here = row is not None and row.content == persona.content
    if unchanged_here and row is not None and not row.pending:
        return Decision(
            situation, Action.KEEP, f"changed elsewhere (head {head.short_id}); left as it is there"
        )
    if situation.head_is_own:
        beats = row is not None and row.event.order < head.order
        resend = unchanged_here and beats and not is_stale
        return Decision(situation, Action.SEND if resend else Action.SIGN)
    if edited_after(persona, head):
        return Decision(
            situation, Action.SIGN, f"replaces head {head.short_id}, written elsewhere but earlier"
        )
    return Decision(
        situation,
        Action.CONFLICT,
        f"head {head.short_id} on the relay was written elsewhere, after this record was last "
        "edited; it is left alone. Edit the record here to replace it, or take its text over",
    )


def edited_after(persona: Wanted, head: Event) -> bool:
    """Whether the record says that it was edited after a head was signed."""
    try:
        edited = datetime.fromisoformat(persona.updated_at)
    except ValueError:
        return False
    return edited.tzinfo is not None and edited.timestamp() > head.created_at


def for_removed(situation: Situation) -> Decision:
    """The decision where the file had a persona that it has no longer."""
    waits = situation.tombstone is not None and situation.row is None
    if not situation.online:
        return Decision(situation, Action.KEEP if waits else Action.DELETE)
    if situation.head is None:
        return Decision(situation, Action.DROP)
    if situation.head_is_own:
        return Decision(situation, Action.DELETE)
    return Decision(
        situation,
        Action.DROP,
        f"removed here, but head {situation.head.short_id} was written elsewhere since; left alone",
    )
