"""Which revision of NIP-AP a relay speaks, from what strangers see of an unshared persona."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nip_ap.model.clauses import JUNE, NOVEMBER

OPEN, CLOSED, UNCLEAR = "open", "closed", "unclear"
"""Whether a stranger sees by one way of asking what its author sees by it."""


@dataclass(frozen=True)
class Revision:
    """The revision that a relay is judged by, and how sure that is."""

    spec: str
    reason: str
    is_clear: bool = True
    warning: str = ""


def revision_from(ways: Mapping[str, str], *, knows_readers: bool) -> Revision:
    """The revision that fits what each way of asking showed: OPEN, CLOSED or UNCLEAR.

    The texts differ in this: since November an unshared persona is its author's alone. Where ways
    disagree the newer text holds: a relay that hides it in one answer means to hide it in all.
    `knows_readers` says whether a reader can authenticate at all.
    """
    is_open = [way for way, found in ways.items() if found == OPEN]
    is_closed = [way for way, found in ways.items() if found == CLOSED]
    if is_open and is_closed:
        leak = f"a stranger sees an unshared persona {_listed(is_open)}"
        reason = f"{leak}, and not {_listed(is_closed)}: the newer text, with a leak"
        return Revision(NOVEMBER, reason, warning=f"{leak}, and not {_listed(is_closed)}")
    if is_closed:
        return Revision(
            NOVEMBER,
            "a stranger cannot read an unshared persona that its author reads: "
            f"asked {_listed(is_closed)}",
        )
    if is_open:
        reason = f"a second key can read an unshared persona: asked {_listed(is_open)}"
        if not knows_readers:
            reason += "; without NIP-42 the relay cannot know who its author is"
        warning = (
            f"judged by the older revision {JUNE}, as {reason}; if the relay is to keep unshared "
            f"personas to their authors, say --spec {NOVEMBER}"
        )
        return Revision(JUNE, reason, warning=warning)
    reason = "neither a stranger nor its author was seen to read an unshared persona"
    if not knows_readers:
        reason += "; without NIP-42 the relay cannot know who its author is"
    warning = f"the revision is unclear: {reason}; --spec decides it"
    return Revision(NOVEMBER, f"unclear: {reason}", is_clear=False, warning=warning)


def _listed(ways: list[str]) -> str:
    return ways[0] if len(ways) == 1 else f"{', '.join(ways[:-1])} and {ways[-1]}"
