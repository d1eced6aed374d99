"""How far a conformant relay or client goes: core, and what it offers beyond that.

A conformant run says that every clause which applies holds. The level says how many apply: a relay
without an HTTP bridge can be conformant, and its certificate says that the bridge was not judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nip_ap.model.capabilities import YES
from nip_ap.model.check_id import CheckId
from nip_ap.model.clauses import JULY, NOVEMBER, READER, RELAY, REVISIONS, Clause, Register
from nip_ap.model.verdict import Verdict

CORE, FULL = "core", "full"

CORE_GROUPS = ("SLUG", "ENV", "INT", "REPL", "READ", "DEL")
"""Groups of which some check has to hold in every certificate of a relay."""

MIGRATOR = "migrator"
CLIENT_GROUPS = {READER: ("READER", "WRITER"), MIGRATOR: ("MIG",)}
"""Groups of which some check has to hold in a certificate of a client, by its role."""


@dataclass(frozen=True)
class Extension:
    """Something beyond the core: a group of clauses that hold, and what has to be there for it."""

    name: str
    group: str
    capability: str = ""
    revisions: tuple[str, ...] = REVISIONS
    since: int = 1
    """From which state of the levels on it is asked for: 2 came with the agent family."""


EXTENSIONS = (
    Extension("bridge", "HTTP", "http"),
    Extension("threads", "THREAD", "threads"),
    Extension("gate", "GATE", revisions=REVISIONS[REVISIONS.index(JULY) :]),
    Extension("teams", "TEAM", "managed-agents", REVISIONS[REVISIONS.index(JULY) :], since=2),
    Extension("catalogs", "CAT", "team-catalog", REVISIONS[REVISIONS.index(JULY) :], since=2),
    Extension("instructions", "INSTR", "instructions", (NOVEMBER,), since=2),
)


@dataclass(frozen=True)
class Judged:
    """What a level is derived from: verdicts by check, what is offered, and the revision."""

    verdicts: Mapping[str, Verdict]
    offered: Mapping[str, str]
    spec: str
    register: Register
    role: str = RELAY

    def reaches(self, extension: Extension) -> bool:
        """Whether an extension is there, was judged and holds."""
        if extension.capability and self.offered.get(extension.capability) != YES:
            return False
        return self.spec in extension.revisions and self._holds(extension.group)

    def _asks_for(self, extension: Extension) -> bool:
        """Whether the suite that issued it knew an extension: then it had probed for it.

        A certificate from before the agent family stays what it was.
        """
        return extension.since == 1 or extension.capability in self.offered

    def _holds(self, group: str) -> bool:
        return any(
            verdict.is_met
            for check, verdict in self.verdicts.items()
            if self._clause(check).group == group
        )

    def _lacking(self) -> list[str]:
        """Checks that did not apply for want of something that a relay may offer."""
        return [
            check
            for check, verdict in self.verdicts.items()
            if verdict is Verdict.NOT_APPLICABLE
            and self._clause(check).holds_in(self.spec)
            and any(self.offered.get(need, YES) != YES for need in self._clause(check).needs)
        ]

    def _clause(self, check: str) -> Clause:
        return self.register[CheckId.read(check).clause]

    @property
    def level(self) -> str:
        """`core`, `core + bridge`, ... or `full`; empty where not even the core was judged."""
        if self.role != RELAY:
            return self._level_of_client(CLIENT_GROUPS[self.role])
        if not all(self._holds(group) for group in CORE_GROUPS):
            return ""
        asked_for = [one for one in EXTENSIONS if self._asks_for(one)]
        reached = [one.name for one in asked_for if self.reaches(one)]
        if len(reached) == len(asked_for) and not self._lacking():
            return FULL
        return " + ".join((CORE, *reached))

    def _level_of_client(self, groups: Sequence[str]) -> str:
        """`core`, or `full` where no check of its groups was left out."""
        if not all(self._holds(group) for group in groups):
            return ""
        left_out = [
            check
            for check, verdict in self.verdicts.items()
            if self._clause(check).group in groups
            and verdict is Verdict.NOT_APPLICABLE
            and self._clause(check).holds_in(self.spec)
        ]
        return CORE if left_out else FULL
