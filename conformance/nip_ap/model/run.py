"""One run: what it is asked to do, what it found, and its verdict. No pytest in here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from nip_ap.model.baseline import Baseline, KnownFailure
from nip_ap.model.client_name import client_name
from nip_ap.model.deadline import DEADLINE
from nip_ap.model.result import Result
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import UNDECIDED, RunVerdict, Verdict, run_verdict, worst


@dataclass(frozen=True)
class Run:
    """The results of one relay, and what follows from them.

    `manifest` holds the id of each check that had to run, once for each repetition; `left_out` is
    how many checks of the suite were not asked for.
    """

    subject: Subject
    settings: Settings
    manifest: tuple[str, ...]
    results: tuple[Result, ...]
    baseline: Baseline | None = None
    left_out: int = 0
    scenarios: str = ""
    """The folder of a run of somebody's own checks, which say nothing about NIP-AP."""

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Checks of the manifest that gave no result."""
        return tuple(
            (Counter(self.manifest) - Counter(one.check for one in self.results)).elements()
        )

    @cached_property
    def surplus(self) -> tuple[str, ...]:
        """Results beyond the manifest: a check that ran twice."""
        return tuple(
            (Counter(one.check for one in self.results) - Counter(self.manifest)).elements()
        )

    @property
    def is_complete(self) -> bool:
        """Whether every check of the manifest ran exactly once, and there was one."""
        return bool(self.manifest) and not self.missing and not self.surplus

    @property
    def is_whole(self) -> bool:
        """Whether every check of the suite ran exactly once: only such a run speaks for a relay."""
        return self.is_complete and not self.left_out and not self.scenarios

    @property
    def part(self) -> str:
        """How many checks of how many ran, where those are not all of the suite."""
        asked_for = len(set(self.manifest))
        whole = asked_for + self.left_out
        if self.scenarios:
            number = f"{asked_for} of {whole}" if self.left_out else f"{whole}"
            return f"{number} own, no part of NIP-AP"
        return f"{asked_for} of {whole} checks" if self.left_out else ""

    @cached_property
    def falls(self) -> tuple[str, ...]:
        """Since which checks the relay no longer served, in words."""
        return tuple(str(one.facts["fall"]) for one in self.results if "fall" in one.facts)

    @cached_property
    def _late(self) -> tuple[str, ...]:
        """The deadline that the run did not keep, in words."""
        told = (str(one.facts[DEADLINE]) for one in self.results if DEADLINE in one.facts)
        return tuple(dict.fromkeys(told))

    @cached_property
    def unmet_claims(self) -> tuple[str, ...]:
        """Capabilities that --claim says are there and that no probe found."""
        return tuple(
            claim
            for claim in self.settings.claims
            if claim not in self.subject.abilities and not self.subject.capabilities.offers(claim)
        )

    @cached_property
    def verdict(self) -> RunVerdict:
        """The verdict of the run; --strict takes a warning for a failure.

        What the baseline knows of is passed over, and then told: a run with known failures is not
        called conformant.
        """
        if self.unmet_claims and self.subject.capabilities.answers:
            return RunVerdict.NOT_CONFORMANT
        found = run_verdict(
            [self._strictly(one) for one in self.results if self.known(one) is None],
            complete=self.is_complete,
        )
        excused = [self._strictly(one) for one in self.results if self.known(one) is not None]
        broken = any(one.is_broken for one in excused)
        if found is RunVerdict.INCONCLUSIVE and self._is_undecided(excused):
            return found
        if found is RunVerdict.NOT_CONFORMANT:
            return found
        if self.baseline_faults:
            return RunVerdict.OUTDATED
        return RunVerdict.KNOWN_FAILURES if broken else found

    def _is_undecided(self, excused: Sequence[Verdict]) -> bool:
        """Whether more than the want of other results than excused ones leaves a run undecided."""
        return not self.is_complete or bool(self._undecided) or not excused

    @property
    def _undecided(self) -> int:
        return sum(self.counts[one] for one in UNDECIDED)

    def _strictly(self, result: Result) -> Verdict:
        is_strict = self.settings.strict and result.verdict is Verdict.WARN
        return Verdict.FAIL if is_strict else result.verdict

    def known(self, result: Result) -> KnownFailure | None:
        """The entry of the baseline that knows of a red result."""
        return None if self.baseline is None else self.baseline.covering(result)

    @cached_property
    def baseline_faults(self) -> tuple[str, ...]:
        """What is wrong with the baseline itself."""
        return () if self.baseline is None else tuple(self.baseline.faults(self.results))

    @cached_property
    def by_clause(self) -> dict[str, Verdict]:
        """The verdict of each clause that had a check."""
        gathered: dict[str, list[Verdict]] = {}
        for result in self.results:
            for clause in result.clauses:
                gathered.setdefault(clause, []).append(result.verdict)
        return {clause: worst(verdicts) for clause, verdicts in gathered.items()}

    @property
    def counts(self) -> Counter[Verdict]:
        """How many checks got each verdict."""
        return Counter(one.verdict for one in self.results)

    @property
    def _told_of_the_baseline(self) -> list[str]:
        faults = self.baseline_faults
        return [f"on the baseline, {', '.join(faults)}"] if faults else []

    @property
    def why(self) -> str:
        """The verdict's reason in one sentence; a part of a run says so, and one of a reader."""
        reason = f"{self._reason} ({self.part})" if self.part and self.manifest else self._reason
        reader = self.settings.reader
        return f"the reader {client_name(reader)}: {reason}" if reader else reason

    @property
    def _reason(self) -> str:
        counts = self.counts
        if not self.manifest:
            return "no check ran"
        if self.verdict is RunVerdict.CONFORMANT:
            warned = f", {counts[Verdict.WARN]} with a warning" if counts[Verdict.WARN] else ""
            return (
                f"all {counts[Verdict.PASS] + counts[Verdict.WARN]} applicable checks hold{warned}"
            )
        if self.verdict is RunVerdict.NOT_CONFORMANT:
            red = sorted(
                {
                    clause
                    for one in self.results
                    if self._strictly(one).is_broken and self.known(one) is None
                    for clause in one.clauses
                }
            )
            reasons = [f"{_clauses(len(red))} broken: {', '.join(red)}"] if red else []
            if self.unmet_claims:
                reasons.append(f"claimed and not found: {', '.join(self.unmet_claims)}")
            return "; ".join([*reasons, *self._told_of_the_baseline])
        if self.verdict is RunVerdict.OUTDATED:
            return "; ".join(self._told_of_the_baseline)
        if self.verdict is RunVerdict.KNOWN_FAILURES:
            known = sorted({one.clause for one in map(self.known, self.results) if one})
            return f"{_clauses(len(known))} broken, all on the baseline: {', '.join(known)}"
        if not self.subject.capabilities.answers:
            return f"the relay did not answer: {self.subject.capabilities.silence}"
        if self.missing or self.surplus:
            return (
                f"{_checks(len(self.missing))} of the manifest did not run and "
                f"{len(self.surplus)} ran more than once"
            )
        if self._undecided:
            causes = [*self.falls[:1], *self._late]
            return f"{''.join(f'{one}; ' for one in causes)}{_checks(self._undecided)} undecided"
        return "no check applied to this relay"


def _clauses(number: int) -> str:
    return "1 clause" if number == 1 else f"{number} clauses"


def _checks(number: int) -> str:
    return "1 check" if number == 1 else f"{number} checks"
