"""Whose rules bind a relay: profiles, and which clauses are part of each.

A relay of block/buzz follows all of them. Another relay with personas owes nothing to rules that
are block/buzz's alone. A general-purpose relay owes NIP-01, and of other texts those it claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nip_ap.model.clauses import BUZZ_RULE, NIP_01, NIP_AP, Clause

BUZZ, PERSONAS, GENERIC = "buzz", "nip-ap", "generic"
PROFILES = (BUZZ, PERSONAS, GENERIC)


def exemption(clause: Clause, profile: str, information: Mapping[str, Any]) -> str:
    """Why a clause does not bind a relay of a profile; empty where it does."""
    if profile == BUZZ or clause.rule == NIP_01:
        return ""
    if clause.rule == BUZZ_RULE:
        return f"{clause.id} is a rule of {BUZZ_RULE}, which the profile {profile} does not have"
    if profile == PERSONAS:
        return ""
    claimed = information.get("supported_nips")
    names = [str(one).upper() for one in claimed] if isinstance(claimed, list) else []
    if clause.rule == NIP_AP:
        text = "AP"
    else:
        text = clause.source.removeprefix("NIP-").partition(",")[0].lstrip("0")
        if not names:  # it claims nothing: what the probe of a capability finds decides
            return ""
    if text in names:
        return ""
    return (
        f"{clause.id} is of NIP-{text}, which the relay does not claim, and the profile is generic"
    )
