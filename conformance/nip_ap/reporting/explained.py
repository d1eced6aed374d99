"""A clause explained: what it asks, what its checks do, how it is broken and how that is fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nip_ap.model.clauses import Clause
from nip_ap.model.diagnosis import Signature
from nip_ap.reporting.sources import link_of


@dataclass(frozen=True)
class CheckExplained:
    """A check as it stands in its scenario: its docstring, and its lines, which are its steps."""

    id: str
    sentence: str
    told: str
    lines: str


@dataclass(frozen=True)
class Explained:
    """A clause with all there is to say about it; `rogues` are the known ways to break it."""

    clause: Clause
    checks: Sequence[CheckExplained]
    rogues: Sequence[Signature]

    @property
    def link(self) -> str:
        """Where its source can be read; empty where it cannot be linked."""
        return link_of(self.clause.source)
