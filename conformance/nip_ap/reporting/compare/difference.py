"""What changed between two reports of a relay: regressions first.

Only what got worse by the relay's doing is a regression: a check that was not red, or less red,
and is now; one that held and applies no more; a capability that is gone; a fall to an older
revision. What could not be decided, what the suite had no means for and what is new in it is told
apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nip_ap.model.capabilities import NO, YES
from nip_ap.model.clauses import CHOSEN
from nip_ap.model.report import CheckReport, Document, Report
from nip_ap.model.subject import is_for_want_of_means
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.compare.alignment import Parting, first_parting
from nip_ap.reporting.compare.shift import Shift, shift_of

REVISION = "revision"
_NO_OFFER = "rate-limit"
_REDNESS = {Verdict.WARN: 1, Verdict.UNSTABLE: 2, Verdict.FAIL: 2}


@dataclass(frozen=True)
class Change:
    """One check whose verdict differs. `parting` is where its frames first do, if that is known."""

    check: str
    clauses: tuple[str, ...]
    before: Verdict
    now: Verdict
    reason: str
    expected: str
    seen: str
    repro: str
    parting: Parting | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "check": self.check,
            "clauses": list(self.clauses),
            "before": str(self.before),
            "now": str(self.now),
            "reason": self.reason,
            "expected": self.expected,
            "seen": self.seen,
            "repro": self.repro,
            "first_difference": self.parting and self.parting.to_json(),
        }


@dataclass(frozen=True)
class CapabilityChange:
    """Something that the relay began or ceased to offer."""

    name: str
    before: str
    now: str
    evidence: str

    def to_json(self) -> dict[str, str]:
        """A JSON object."""
        return {
            "name": self.name, "before": self.before, "now": self.now, "evidence": self.evidence,
        }  # fmt: skip

    @property
    def is_loss(self) -> bool:
        """Whether the relay offers less than it did; that it limits nobody any more is none."""
        if self.name == REVISION:
            return self.now < self.before and self.evidence != CHOSEN
        return (self.before, self.now) == (YES, NO) and self.name != _NO_OFFER


@dataclass(frozen=True)
class Difference:
    """All that changed from one report to another."""

    old: Document
    new: Document
    regressions: tuple[Change, ...]
    repairs: tuple[Change, ...]
    undecided: tuple[Change, ...]
    other: tuple[Change, ...]
    appeared: tuple[str, ...]
    gone: tuple[str, ...]
    capabilities: tuple[CapabilityChange, ...]
    latency: tuple[Shift, ...]

    @property
    def regressed_clauses(self) -> tuple[str, ...]:
        """The clauses that hold less than they did, sorted."""
        return tuple(sorted({clause for one in self.regressions for clause in one.clauses}))

    @property
    def losses(self) -> tuple[CapabilityChange, ...]:
        """What the relay ceased to offer, the revision among it."""
        return tuple(one for one in self.capabilities if one.is_loss)

    @property
    def has_regressed(self) -> bool:
        """Whether the relay is worse than it was."""
        return bool(self.regressions or self.losses)

    @property
    def is_nothing(self) -> bool:
        """Whether the reports say the same."""
        parts = (self.regressions, self.repairs, self.undecided, self.other, self.appeared)
        return not any((*parts, self.gone, self.capabilities, self.latency))

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "format": "nip-ap-diff/1",
            "old": _named(self.old),
            "new": _named(self.new),
            "regressed_clauses": list(self.regressed_clauses),
            "regressions": [one.to_json() for one in self.regressions],
            "losses": [one.to_json() for one in self.losses],
            "repairs": [one.to_json() for one in self.repairs],
            "undecided": [one.to_json() for one in self.undecided],
            "other": [one.to_json() for one in self.other],
            "new_checks": list(self.appeared),
            "gone_checks": list(self.gone),
            "capabilities": [one.to_json() for one in self.capabilities],
            "latency": [one.to_json() for one in self.latency],
        }


def difference(old: Report, new: Report) -> Difference:
    """What changed from an old report to a new one."""
    before = {check.id: check for check in old.checks}
    now = {check.id: check for check in new.checks}
    changed = [
        _change(before[one], now[one], old, new)
        for one in now
        if one in before and now[one].verdict != before[one].verdict
    ]
    sorts: dict[str, list[Change]] = {}
    for change in changed:
        sorts.setdefault(_sort_of(change.before, change.now, change.reason), []).append(change)
    return Difference(
        old=old.document,
        new=new.document,
        **{name: tuple(sorts.get(name, ())) for name in ("regressions", "repairs")},
        **{name: tuple(sorts.get(name, ())) for name in ("undecided", "other")},
        appeared=tuple(one for one in now if one not in before),
        gone=tuple(one for one in before if one not in now),
        capabilities=tuple(_capabilities(old.document, new.document)),
        latency=tuple(_shifts(old.document, new.document)),
    )


def _sort_of(before: Verdict, now: Verdict, reason: str) -> str:
    was, is_ = _REDNESS.get(before, 0), _REDNESS.get(now, 0)
    applies_no_more = before.is_met and now is Verdict.NOT_APPLICABLE
    if is_ > was or (applies_no_more and not is_for_want_of_means(reason)):
        return "regressions"
    if now.is_undecided:
        return "undecided"
    if was > is_ and now is not Verdict.NOT_APPLICABLE:
        return "repairs"
    return "other"


def _change(before: CheckReport, now: CheckReport, old: Report, new: Report) -> Change:
    was, is_ = before.verdict, now.verdict
    parting = None
    if is_.is_red and _sort_of(was, is_, now.reason) == "regressions":
        parting = first_parting(
            old.transcripts[now.id],
            new.transcripts[now.id],
            same_seed=old.document.run.seed == new.document.run.seed,
        )
    return Change(
        check=now.id,
        clauses=tuple(now.clauses),
        before=was,
        now=is_,
        reason=now.reason,
        expected=now.expected,
        seen=now.seen,
        repro=now.repro,
        parting=parting,
    )


def _capabilities(old: Document, new: Document) -> list[CapabilityChange]:
    before = {one.name: one.offered for one in old.capabilities}
    found = [
        CapabilityChange(one.name, before[one.name], one.offered, one.evidence)
        for one in new.capabilities
        if one.name in before and before[one.name] != one.offered
    ]
    was, is_ = old.run.spec, new.run.spec
    if was != is_:
        found.append(CapabilityChange(REVISION, was, is_, new.run.spec_reason))
    return found


def _shifts(old: Document, new: Document) -> list[Shift]:
    before = {one.operation: one for one in old.latency or ()}
    pairs = [(before[one.operation], one) for one in new.latency or () if one.operation in before]
    return [shift for was, is_ in pairs if (shift := shift_of(was, is_)) is not None]


def _named(document: Document) -> dict[str, Any]:
    target, run = document.target, document.run
    return {
        "url": target.url,
        "software": target.software,
        "version": target.version,
        "verdict": document.verdict,
        "started": run.started,
        "seed": run.seed,
        "spec": run.spec,
        "suite": document.suite.version,
    }


def changes_of(found: Difference) -> Sequence[tuple[str, Sequence[Change]]]:
    """The sorts of changed checks with their headings, the worst first."""
    return (
        ("regressions", found.regressions),
        ("undecided now", found.undecided),
        ("repairs", found.repairs),
        ("other changes", found.other),
    )
