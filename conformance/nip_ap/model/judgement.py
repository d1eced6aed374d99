"""How a check ends: judgements as values, and the exceptions that carry one of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nip_ap.model.clauses import INFO, MAY, SHOULD
from nip_ap.model.verdict import Verdict


@dataclass(frozen=True)
class Judgement:
    """The end of one check. `remark` is for the notes where nothing is held against the relay."""

    verdict: Verdict
    reason: str = ""
    expected: str = ""
    seen: str = ""
    remark: str = ""


HOLDS = Judgement(Verdict.PASS)


def broken_at(level: str) -> Verdict:
    """The verdict of a check whose claim did not hold, by the level of its clause."""
    if level in (MAY, INFO):
        return Verdict.PASS
    return Verdict.WARN if level == SHOULD else Verdict.FAIL


def broken(level: str, reason: str, expected: str, seen: str) -> Judgement:
    """The judgement of a claim that did not hold; only remarked where the clause binds nobody."""
    verdict = broken_at(level)
    if verdict is Verdict.PASS:
        return Judgement(verdict, "", expected, seen, remark=reason)
    return Judgement(verdict, reason, expected, seen)


class Ending(Exception):
    """What ends a check early. A class of endings has one verdict, and words around its message."""

    verdict: ClassVar[Verdict] = Verdict.ERROR
    words: ClassVar[str] = "{}"

    def judgement(self, level: str) -> Judgement:
        """What the check found, if this is its end and its clause is of that level."""
        return Judgement(self.verdict, self.words.format(self))


class Broken(Ending, AssertionError):
    """The relay broke the clause."""

    verdict = Verdict.FAIL

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}; seen {seen}")
        self.expected = expected
        self.seen = seen

    def judgement(self, level: str) -> Judgement:
        """By the level of the clause."""
        return broken(level, str(self), self.expected, self.seen)


class UnmetClaim(Broken):
    """The relay lacks what --claim says it has; a failure whatever the level of the clause."""

    def judgement(self, level: str) -> Judgement:
        """A failure."""
        return Judgement(self.verdict, str(self), self.expected, self.seen)


class Inconclusive(Ending):
    """The check cannot say: a control was not seen, or the relay did not cooperate."""

    verdict = Verdict.INCONCLUSIVE


class NotApplicable(Ending):
    """The relay does not offer what the clause is about; the message names the probe."""

    verdict = Verdict.NOT_APPLICABLE


class ScenarioMistake(Ending):
    """The check itself is wrong."""

    verdict = Verdict.ERROR
    words = "the scenario is wrong: {}"


@dataclass(frozen=True)
class Comparison:
    """The two sides of a bare assertion, in words for people; empty where it compared nothing."""

    expected: str = ""
    seen: str = ""


def judged(error: BaseException, level: str, sides: Comparison, sentence: str) -> Judgement:
    """The judgement of whatever ended a check.

    A bare assertion is a claim without words: the two sides of its comparison are its words, or
    else the sentence that the check is named after.
    """
    if isinstance(error, Ending):
        return error.judgement(level)
    if isinstance(error, AssertionError):
        return _of_assertion(str(error), level, sides, sentence)
    return Judgement(Verdict.ERROR, f"{type(error).__name__}: {error}")


_REWRITTEN = "assert "
"""What pytest writes in front of an assertion's source and values."""


def _of_assertion(message: str, level: str, sides: Comparison, sentence: str) -> Judgement:
    own, _, rest = message.partition("\n")
    if own.startswith(_REWRITTEN):
        own, rest = "", own
    expected = sides.expected or f"that {sentence}"
    seen = sides.seen or rest.removeprefix(_REWRITTEN).strip() or own or "the opposite"
    told = f"expected {expected}; seen {seen}"
    return broken(level, f"{own}: {told}" if own else told, expected, seen)


@dataclass(frozen=True)
class Control:
    """A positive twin that was seen, and the one respect in which it differs from the negative."""

    claim: str
    twin: str
    difference: str

    def to_json(self) -> dict[str, str]:
        """The control as a JSON object."""
        return {"claim": self.claim, "twin": self.twin, "difference": self.difference}
