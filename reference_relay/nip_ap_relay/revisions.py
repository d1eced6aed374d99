"""The revisions of NIP-AP as data: one declaration each, in their order.

A later revision is told by what it adds to the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nip_ap.nostr import DELETION, INSTRUCTIONS, MANAGED_AGENT, PERSONA, TEAM, TEAM_CATALOG
from nip_ap_relay.audience import (
    Audience,
    author,
    author_if_of_instructions,
    author_unless_shared,
    everybody,
)
from nip_ap_relay.limits import JULY, JUNE, NOVEMBER

FAMILY = frozenset((PERSONA, TEAM, MANAGED_AGENT, TEAM_CATALOG, INSTRUCTIONS))
"""The kinds of the agent family; a revision that does not name one does not know it."""

_KIB = 1024


@dataclass(frozen=True)
class Revision:
    """What a relay of one revision does otherwise than one of another."""

    name: str
    audiences: Mapping[int, Audience]
    """The kinds of the family that it knows, with who may read each."""
    frame_limit: int
    """Bytes."""
    counts_valueless_tags: bool = True
    """Whether `["d"]` is one `d` tag; in June it was none."""
    says_why_it_closes: bool = True

    def knows(self, kind: int) -> bool:
        """Whether a kind of the family is part of it; other kinds are not its business."""
        return kind in self.audiences or kind not in FAMILY

    def is_shareable(self, kind: int) -> bool:
        """Whether the share tag of a kind opens it to others, so that its shape matters."""
        return self.audiences.get(kind) is author_unless_shared


_JUNE = Revision(
    JUNE,
    {PERSONA: everybody},
    frame_limit=64 * _KIB,
    counts_valueless_tags=False,
    says_why_it_closes=False,
)
_JULY = replace(
    _JUNE,
    name=JULY,
    audiences={
        PERSONA: author_unless_shared,
        TEAM: everybody,
        MANAGED_AGENT: everybody,
        TEAM_CATALOG: author_unless_shared,
    },
    frame_limit=512 * _KIB,
    counts_valueless_tags=True,
    says_why_it_closes=True,
)
_NOVEMBER = replace(
    _JULY,
    name=NOVEMBER,
    audiences={
        **_JULY.audiences,
        INSTRUCTIONS: author,
        DELETION: author_if_of_instructions,
    },
)

REVISIONS = {one.name: one for one in (_JUNE, _JULY, _NOVEMBER)}
