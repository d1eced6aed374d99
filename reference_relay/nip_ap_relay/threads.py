"""Threads as values: NIP-10 markers, and the recorded place of a reply."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nip_ap.nostr import Event

_HEX_ID = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class Place:
    """Where a reply stands: the thread's root, the parent, and the depth (a direct reply has 1)."""

    root: str
    parent: str
    depth: int
    broadcast: bool


def marked(event: Event) -> dict[str, str]:
    """The ids under the NIP-10 markers `root` and `reply`; the last of each wins."""
    return {
        tag[3]: tag[1]
        for tag in event.tags
        if len(tag) > 3 and tag[0] == "e" and tag[3] in ("root", "reply") and _HEX_ID.match(tag[1])
    }
