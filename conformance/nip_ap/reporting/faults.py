"""What is broken, as faults: checks that are red for one cause or for one reason read as one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nip_ap.model.diagnosis import Cause, Diagnosis
from nip_ap.model.report import CheckReport, Report
from nip_ap.model.verdict import Verdict

WORTH_TELLING = (Verdict.FAIL, Verdict.UNSTABLE, Verdict.ERROR, Verdict.WARN)
_ANY_ID = re.compile(r"[0-9a-f]{8,}|\d+")
_ALIKE = 60
"""Characters in which two reasons agree to count as one, ids and numbers left out."""

_CLAUSES_OF_ONE_REASON = 3
"""From so many clauses on a reason that they share is one fault, such as a relay that is gone."""


@dataclass(frozen=True)
class Fault:
    """Checks that are red together, by clause, the worst first. `cause` explains them, if known."""

    clauses: tuple[tuple[CheckReport, ...], ...]
    cause: Cause | None = None

    @property
    def checks(self) -> tuple[CheckReport, ...]:
        """All of them."""
        return tuple(check for checks in self.clauses for check in checks)

    @property
    def first(self) -> CheckReport:
        """The one that stands for all."""
        return self.clauses[0][0]


def faults_of(report: Report, diagnosis: Diagnosis) -> list[Fault]:
    """What is broken, or went wrong in the suite; the worst first."""
    found: dict[tuple[str, ...], list[CheckReport]] = {}
    checks = [one for verdict in WORTH_TELLING for one in report.checks_with(verdict)]
    reasons = {one.id: same for same in alike(checks) for one in same}
    for check in checks:
        cause = diagnosis.cause_of(check.clauses) if check.verdict.is_red else None
        same = reasons[check.id]
        if cause is not None:
            key = ("cause", *cause.names)
        elif len({one.clause for one in same}) >= _CLAUSES_OF_ONE_REASON:
            key = ("reason", same[0].id)
        else:
            key = ("clause", check.clause, check.verdict)
        found.setdefault(key, []).append(check)
    return [
        Fault(_by_clause(same), diagnosis.cause_of(same[0].clauses) if key[0] == "cause" else None)
        for key, same in found.items()
    ]


def alike(checks: Iterable[CheckReport]) -> list[list[CheckReport]]:
    """Checks by what was seen, or by the reason where nothing is compared; most first."""
    found: dict[str, list[CheckReport]] = {}
    for check in checks:
        told = _ANY_ID.sub("", f"{check.seen or check.reason}")[:_ALIKE]
        found.setdefault(f"{check.verdict} {told}", []).append(check)
    return sorted(found.values(), key=len, reverse=True)


def _by_clause(checks: Sequence[CheckReport]) -> tuple[tuple[CheckReport, ...], ...]:
    found: dict[str, list[CheckReport]] = {}
    for check in checks:
        found.setdefault(check.clause, []).append(check)
    return tuple(map(tuple, found.values()))
