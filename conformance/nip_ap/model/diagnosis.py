"""The kill matrix read backwards: which rogues a relay behaves like, by its red clauses.

Each rogue has a signature: the clauses that its one deviation breaks. A diagnosis is the cheapest
set of rogues that together break what is red here. A cause costs a little, a red clause that no
cause explains costs more, and most costs a clause that a cause should break and that holds. One
that was not decided costs next to nothing, and so does evidence that a check finds by chance: of
two equal causes it is the one with more evidence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nip_ap.model.check_id import CheckId

A_CAUSE, UNEXPLAINED, CONTRADICTED, UNSEEN, BY_CHANCE, MAYBE = 0.9, 1.0, 1.25, 0.02, 0.09, 0.01
_MOST_CAUSES = 6
_BEAM = 40
_LEAST_SHARE = 0.5
"""Of the clauses that a cause should break and that were decided, the share that is red."""


@dataclass(frozen=True)
class Signature:
    """A rogue as a diagnosis needs it.

    `red` are the clauses that it breaks, `chance` those of them that a check finds in most runs and
    not in all. `checks` are those that the proof saw red; empty before the first proof.
    """

    name: str
    because: str
    remedy: str
    red: frozenset[str]
    chance: frozenset[str] = frozenset()
    checks: frozenset[str] = frozenset()
    role: str = "relay"
    """What the rogue is: a relay, or a client such as a migrator."""

    @property
    def certain(self) -> frozenset[str]:
        """The clauses that are red in every run."""
        return self.red - self.chance

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "name": self.name,
            "because": self.because,
            "remedy": self.remedy,
            "red": sorted(self.red),
            "chance": sorted(self.chance),
            "checks": sorted(self.checks),
            "role": self.role,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Signature:
        """What `to_json` gave."""
        sets = {name: frozenset(value[name]) for name in ("red", "chance", "checks")}
        return cls(value["name"], value["because"], value["remedy"], role=value["role"], **sets)


@dataclass(frozen=True)
class Observed:
    """What a run found: the clauses that are broken, those that hold, and the red checks."""

    red: frozenset[str]
    green: frozenset[str]
    checks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Cause:
    """Rogues that a relay behaves like; more than one where their signatures are the same.

    `explains` are red clauses, `holds` those that it should break and that hold here.
    """

    rogues: tuple[Signature, ...]
    explains: tuple[str, ...]
    holds: tuple[str, ...] = ()
    undecided: int = 0
    """How many clauses that it should break were not decided here, or not run."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the rogues, the most alike first."""
        return tuple(one.name for one in self.rogues)

    @property
    def signs(self) -> int:
        """How many of its clauses were decided here."""
        return len(self.explains) + len(self.holds)

    @property
    def confidence(self) -> float:
        """The share of its signs that are there, from 0 to 1."""
        return len(self.explains) / self.signs


@dataclass(frozen=True)
class Diagnosis:
    """The causes, the one that explains most first, and the red clauses that none explains."""

    causes: tuple[Cause, ...] = ()
    unexplained: tuple[str, ...] = ()

    def cause_of(self, clauses: Collection[str]) -> Cause | None:
        """The first cause that explains one of these clauses."""
        return next((one for one in self.causes if set(clauses) & set(one.explains)), None)


def diagnose(observed: Observed, signatures: Iterable[Signature]) -> Diagnosis:
    """The causes of what is red; nothing where nothing is."""
    if not observed.red:
        return Diagnosis()
    by_signs: dict[tuple[frozenset[str], frozenset[str]], list[Signature]] = {}
    for one in signatures:
        if one.red & observed.red:
            by_signs.setdefault((one.red, one.chance), []).append(one)
    candidates = [
        _Candidate.of(alike, observed)
        for alike in by_signs.values()
        if _is_plausible(alike[0], observed)
    ]
    chosen = _cheapest(candidates, len(observed.red))
    explained = {clause for one in chosen for clause in one.cause.explains}
    causes = sorted((one.cause for one in chosen), key=lambda one: -len(one.explains))
    return Diagnosis(tuple(causes), tuple(sorted(observed.red - explained)))


def _is_plausible(one: Signature, observed: Observed) -> bool:
    red, holds = len(one.red & observed.red), len(one.certain & observed.green)
    return red / (red + holds) >= _LEAST_SHARE


@dataclass(frozen=True)
class _Candidate:
    """A cause with what it covers as bits, for it is tried in many sets."""

    cause: Cause
    covers: int
    cost: float

    @classmethod
    def of(cls, alike: Sequence[Signature], observed: Observed) -> _Candidate:
        """Rogues of the same signs as one candidate."""
        one, order = alike[0], sorted(observed.red)
        explains = tuple(clause for clause in order if clause in one.red)
        holds = tuple(sorted(one.certain & observed.green))
        covers = sum(1 << number for number, clause in enumerate(order) if clause in one.red)
        unseen = len(one.certain) - len(one.certain & observed.red) - len(holds)
        cause = Cause(_most_alike(alike, explains, observed.checks), explains, holds, unseen)
        by_chance = 0.0 if one.certain & observed.red else BY_CHANCE
        by_chance += MAYBE * len(one.chance.intersection(explains))
        cost = A_CAUSE + CONTRADICTED * len(holds) + UNSEEN * unseen + by_chance
        return cls(cause, covers, cost)


def _of_clauses(checks: Iterable[str], clauses: Collection[str]) -> set[str]:
    return {check for check in checks if CheckId.read(check).clause in clauses}


def _most_alike(
    alike: Sequence[Signature], explains: Collection[str], checks: frozenset[str]
) -> tuple[Signature, ...]:
    """Of rogues that break the same clauses those whose red checks are most like the relay's."""
    seen = _of_clauses(checks, explains)

    def likeness(one: Signature) -> float:
        own = _of_clauses(one.checks, explains)
        return len(own & seen) / len(own | seen) if own else 0.0

    ranked = sorted(alike, key=lambda one: (-likeness(one), one.name))
    best = likeness(ranked[0])
    return tuple(one for one in ranked if best - likeness(one) < 0.01)


@dataclass(frozen=True)
class _Set:
    """Some candidates, what they cover together, and their cost without what is unexplained."""

    chosen: tuple[_Candidate, ...] = field(default=())
    covers: int = 0
    cost: float = 0.0

    def total(self, red: int) -> float:
        """The cost, that of what is unexplained included."""
        return self.cost + UNEXPLAINED * (red - self.covers.bit_count())


def _cheapest(candidates: Sequence[_Candidate], red: int) -> tuple[_Candidate, ...]:
    """The cheapest set, by a search that keeps the best few of each size."""
    best = _Set()
    beam = [best]
    for _ in range(_MOST_CAUSES):
        grown: dict[frozenset[str], _Set] = {}
        for one in beam:
            for candidate in candidates:
                if candidate.covers & ~one.covers:
                    larger = _Set(
                        (*one.chosen, candidate),
                        one.covers | candidate.covers,
                        one.cost + candidate.cost,
                    )
                    grown[frozenset(each.cause.names[0] for each in larger.chosen)] = larger
        beam = sorted(grown.values(), key=lambda one: (one.total(red), -one.covers.bit_count()))
        beam = beam[:_BEAM]
        if not beam or beam[0].total(red) >= best.total(red):
            break
        best = beam[0]
    return best.chosen
