"""Verdicts of checks, clauses and runs, and how they merge (design.md section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What one check found."""

    PASS = "pass"
    NOT_APPLICABLE = "not applicable"
    WARN = "warn"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    UNSTABLE = "unstable"
    FAIL = "fail"

    @property
    def is_red(self) -> bool:
        """Whether the relay broke the clause, be it a MUST or a SHOULD."""
        return self in RED

    @property
    def is_broken(self) -> bool:
        """Whether that makes a relay not conformant: a MUST, or one verdict now, another then."""
        return self in BROKEN

    @property
    def is_undecided(self) -> bool:
        """Whether nothing is known about the relay."""
        return self in UNDECIDED

    @property
    def is_met(self) -> bool:
        """Whether the clause was judged and the relay may be called conformant all the same."""
        return self in MET


BROKEN = (Verdict.FAIL, Verdict.UNSTABLE)
RED = (*BROKEN, Verdict.WARN)
UNDECIDED = (Verdict.INCONCLUSIVE, Verdict.ERROR)
MET = (Verdict.PASS, Verdict.WARN)
NOTABLE = (*BROKEN, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.WARN)
RED_FIRST = (*NOTABLE, Verdict.NOT_APPLICABLE, Verdict.PASS)
"""All verdicts in the order in which people want to read of them."""


class RunVerdict(StrEnum):
    """What a run says about the relay; the last two only where it was given a baseline.

    Known failures: it is not conformant, and each failure is on the baseline, which is up to date.
    Baseline outdated: no failure beyond the baseline, but an entry of it covers nothing any more.
    """

    CONFORMANT = "conformant"
    NOT_CONFORMANT = "not conformant"
    INCONCLUSIVE = "inconclusive"
    KNOWN_FAILURES = "known failures"
    OUTDATED = "baseline outdated"


EXIT_CODES = {
    RunVerdict.CONFORMANT: 0,
    RunVerdict.NOT_CONFORMANT: 1,
    RunVerdict.INCONCLUSIVE: 2,
    RunVerdict.KNOWN_FAILURES: 0,
    RunVerdict.OUTDATED: 1,
}

_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a clause from those of its checks.

    A parent is never better than its worst child, with one rule: "not applicable" next to a
    pass does not hide the pass. Raises ValueError on nothing.
    """
    found = list(verdicts)
    if not found:
        raise ValueError("nothing to merge: a clause without a checked verdict has none")
    applicable = [one for one in found if one is not Verdict.NOT_APPLICABLE]
    return max(applicable or found, key=_RANK.__getitem__)


def run_verdict(verdicts: Iterable[Verdict], *, complete: bool) -> RunVerdict:
    """The verdict of a run; `complete` says that every check of the manifest ran exactly once."""
    found = list(verdicts)
    if any(one.is_broken for one in found):
        return RunVerdict.NOT_CONFORMANT
    unclear = any(one.is_undecided for one in found)
    if not complete or unclear or not any(one.is_met for one in found):
        return RunVerdict.INCONCLUSIVE
    return RunVerdict.CONFORMANT
