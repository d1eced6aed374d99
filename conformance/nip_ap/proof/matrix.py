"""The kill matrix: every rogue is caught by exactly the clauses that it declares.

A clause on a rogue's list that stayed green is a blind check; a clause that went red and is not on
the list is a check that blames the wrong clause. So is a clause, or a check, that no rogue breaks:
nothing shows that it can fail. Each fails the proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nip_ap.engine.declarations import declarations
from nip_ap.model.check_id import CheckId
from nip_ap.model.clauses import MUST, SHOULD, Clause, register
from nip_ap.proof.finding import Finding
from nip_ap.proof.role import Role
from nip_ap.rogue import DEVIATION


@dataclass(frozen=True)
class Matrix:
    """What one proof found."""

    role: Role
    findings: Sequence[Finding]
    gaps: Sequence[str]
    """What no rogue breaks; nobody looks for it where a proof takes some rogues only."""
    seed: str
    seconds: float

    @property
    def checks_run(self) -> int:
        """How many checks were run for real."""
        return sum(len(finding.ran.results) for finding in self.findings)

    @property
    def is_proven(self) -> bool:
        """Whether everything was caught as declared, and nothing is left unproven."""
        return not self.gaps and not any(finding.complaints for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """What `nip-ap prove --json` prints."""
        return {
            "format": "nip-ap-proof/1",
            "role": self.role.name,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "checks_run": self.checks_run,
            "rogues": [finding.to_json() for finding in self.findings],
            "complaints": list(self.gaps),
            "proven": self.is_proven,
        }


def gaps(role: Role, findings: Sequence[Finding]) -> list[str]:
    """What no rogue of a role breaks, after a proof with all of them."""
    idle = idle_checks(role, findings) if role.each_check else []
    return [
        *(f"{clause}: no rogue breaks it" for clause in unproven_clauses(role)),
        *(f"{check}: no rogue turns this check red" for check in idle),
    ]


def unproven_clauses(role: Role) -> list[str]:
    """Clauses to prove with a check, and with neither a rogue nor a reason for none."""
    judged = {clause for declaration in declarations() for clause in declaration.clauses}
    covered = {clause for rogue in role.rogues() for clause in rogue.turns_red}
    return [
        clause.id
        for clause in register()
        if clause.id in judged - covered and _is_to_prove(clause, role)
    ]


def idle_checks(role: Role, findings: Sequence[Finding]) -> list[str]:
    """Checks of a clause to prove that no rogue turned red."""
    known = register()
    red = {
        str(CheckId.read(result.check).declared)
        for finding in findings
        if finding.rogue.kind == DEVIATION
        for result in finding.run.results
        if result.verdict.is_red
    }
    return [
        declaration.check_id()
        for declaration in declarations()
        if declaration.check_id() not in red
        and any(_is_to_prove(known[clause], role) for clause in declaration.clauses)
    ]


def _is_to_prove(clause: Clause, role: Role) -> bool:
    return clause.group in role.groups and clause.level in (MUST, SHOULD) and not clause.no_rogue
