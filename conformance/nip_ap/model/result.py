"""What one check found, and how repetitions of it fold into one result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from nip_ap.model.clauses import INFO, MAY, MUST, SHOULD, Register
from nip_ap.model.frame import Frame
from nip_ap.model.judgement import Control
from nip_ap.model.verdict import Verdict


@dataclass(frozen=True)
class Result:
    """What one check found."""

    check: str
    clauses: tuple[str, ...]
    verdict: Verdict
    subject: str = ""
    repetition: int = 0
    level: str = MUST
    sentence: str = ""
    reason: str = ""
    expected: str = ""
    seen: str = ""
    controls: tuple[Control, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    frames: tuple[Frame, ...] = ()
    log: str = ""
    """What the relay wrote to its log meanwhile, where the check is red or undecided."""
    beyond: str = ""
    """Why the verdict does not follow from the frames alone; empty where it does."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object, frames included."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            **plain,
            "controls": [control.to_json() for control in self.controls],
            "frames": [frame.to_json() for frame in self.frames],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Result:
        """What `to_json` gave."""
        return cls(
            **{
                **value,
                "clauses": tuple(value["clauses"]),
                "verdict": Verdict(value["verdict"]),
                "controls": tuple(Control(**control) for control in value["controls"]),
                "notes": tuple(value["notes"]),
                "frames": tuple(Frame(**frame) for frame in value["frames"]),
            }
        )


def level_of(clauses: Sequence[str], register: Register, spec: str, profile: str = "") -> str:
    """The strictest level among the clauses of a check."""
    order = [MUST, SHOULD, MAY, INFO]
    levels = [register[clause].level_for(spec, profile) for clause in clauses]
    return min(levels, key=order.index)


def settled(results: Iterable[Result]) -> tuple[Result, ...]:
    """Results with repetitions folded: a check whose verdict differs between them is unstable."""
    by_check: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        by_check.setdefault((result.subject, result.check), []).append(result)
    return tuple(_folded(group) for group in by_check.values())


def _folded(group: list[Result]) -> Result:
    verdicts = {one.verdict for one in group}
    if len(verdicts) == 1:
        return group[0]
    one, other = group[0], next(each for each in group if each.verdict is not group[0].verdict)
    counts = Counter(str(each.verdict) for each in group)
    shown = ", ".join(f"{number} x {verdict}" for verdict, number in counts.items())
    worse = max(one, other, key=lambda each: list(Verdict).index(each.verdict))
    return Result(
        check=one.check,
        clauses=one.clauses,
        verdict=Verdict.UNSTABLE,
        subject=one.subject,
        level=one.level,
        sentence=one.sentence,
        reason=f"the verdict differs between {len(group)} repetitions: {shown}",
        expected=worse.expected or "the same verdict each time",
        seen=worse.seen or shown,
        controls=worse.controls,
        notes=tuple(note for each in (one, other) for note in each.notes),
        seconds=sum(each.seconds for each in group),
        frames=(*_titled(one), *_titled(other)),
    )


def _titled(result: Result) -> tuple[Frame, ...]:
    title = f"repetition {result.repetition + 1}: {result.verdict}"
    return (Frame(0.0, "suite", "", "note", title), *result.frames)
