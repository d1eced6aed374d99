"""The outcome of one rogue: which clauses are red on it, and whether that is what it declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nip_ap.engine.declarations import declarations
from nip_ap.model.run import Run
from nip_ap.model.verdict import RunVerdict, Verdict
from nip_ap.rogue import ANYTHING, DEVIATION, GENERAL, NOISE, Rogue


@dataclass(frozen=True)
class Finding:
    """A rogue's run. `ran` has what was run for real, `run` the reference's results as well."""

    rogue: Rogue
    run: Run
    ran: Run

    @cached_property
    def red(self) -> frozenset[str]:
        """The clauses of the checks that went red, whatever other checks of them came to."""
        return frozenset(
            clause for one in self.run.results if one.verdict.is_red for clause in one.clauses
        )

    @property
    def red_checks(self) -> tuple[str, ...]:
        """The checks that went red."""
        return tuple(one.check for one in self.run.results if one.verdict.is_red)

    @cached_property
    def undecided(self) -> frozenset[str]:
        """The clauses that could not be decided and have no red check."""
        found = (clause for clause, one in self.run.by_clause.items() if one.is_undecided)
        return frozenset(found) - self.red

    @cached_property
    def complaints(self) -> list[str]:
        """Why this rogue is not caught as declared; empty where it is."""
        if self.rogue.kind == NOISE:
            return self._noise()
        if self.rogue.kind == GENERAL:
            return self._general()
        return [
            *(f"{one} stayed green: a blind check" for one in sorted(self._missed)),
            *(f"{one} went red: it blames the wrong clause" for one in sorted(self._blamed)),
            *(f"{one} is undecided and not declared so" for one in sorted(self._undeclared)),
            *(f"{one} did not run" for one in self.run.missing[:3]),
        ]

    @property
    def _missed(self) -> frozenset[str]:
        judged = {clause for declaration in declarations() for clause in declaration.clauses}
        return (self.rogue.turns_red & judged) - self.red

    @property
    def _blamed(self) -> frozenset[str]:
        return self.red - self.rogue.turns_red - self.rogue.by_chance

    @property
    def _undeclared(self) -> frozenset[str]:
        if ANYTHING in self.rogue.blinds:
            return frozenset()
        return self.undecided - self.rogue.blinds - self.rogue.turns_red

    def _noise(self) -> list[str]:
        if self.run.verdict is RunVerdict.CONFORMANT:
            return []
        return [f"it is conformant and was found {self.run.verdict}: {self.run.why}"]

    def _general(self) -> list[str]:
        passed = [
            f"{one.check} passed although it claims a negative"
            for one in self.run.results
            if one.verdict is Verdict.PASS and one.controls
        ]
        if self.run.verdict is RunVerdict.CONFORMANT:
            passed.append("the run was conformant")
        return passed

    @property
    def exact_declaration(self) -> Mapping[str, str]:
        """The lists that this rogue would have to declare for what was found on it."""
        if self.rogue.kind != DEVIATION:
            return {}
        blinds = {ANYTHING} if ANYTHING in self.rogue.blinds else self.undecided
        found = {
            "turns_red": self.red - self.rogue.by_chance,
            "blinds": blinds,
            "by_chance": self.rogue.by_chance,
        }
        return {name: " ".join(sorted(clauses)) for name, clauses in found.items() if clauses}

    @property
    def caught_by(self) -> dict[str, list[str]]:
        """By clause, the checks that went red."""
        return {
            clause: sorted(
                one.check
                for one in self.run.results
                if clause in one.clauses and one.verdict.is_red
            )
            for clause in sorted(self.red)
        }

    def to_json(self) -> dict[str, Any]:
        """A row of the matrix."""
        return {
            "rogue": self.rogue.name,
            "because": self.rogue.because,
            "kind": self.rogue.kind,
            "declared": sorted(self.rogue.turns_red),
            "by_chance": sorted(self.rogue.by_chance),
            "red": sorted(self.red),
            "undecided": sorted(self.undecided),
            "caught_by": self.caught_by,
            "verdict": str(self.run.verdict),
            "checks_run": len(self.ran.results),
            "seconds_of_checks": round(sum(one.seconds for one in self.ran.results), 1),
            "complaints": self.complaints,
            "exact_declaration": dict(self.exact_declaration),
        }
