"""The user's own list of known failures: they go on being tested, and do not fail the run.

Each entry is as narrow as its author made it: a clause, why that is accepted for now, a pattern
for the cause, a last day. An entry that covers nothing any more is a fault of the list, so that
the list gets shorter and never hides what came later.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nip_ap.model.clauses import Register

if TYPE_CHECKING:
    from nip_ap.model.result import Result

KNOWN = "fails as known"
OTHER_CAUSE = "fails for another cause"
HOLDS = "no longer fails"
EXPIRED = "past its date"
UNDECIDED = "undecided"
NOT_RUN = "not run"

FAULTS = (OTHER_CAUSE, HOLDS, EXPIRED)
"""The states of an entry that fail the run."""

_FIELDS = {"clause", "reason", "pattern", "until"}
_FORM = """[[known]]
clause = "AP-REPL-03"
reason = "why this is accepted for now"
pattern = "optional: a regular expression for the cause"
until = 2027-01-31  # optional: the last day"""


class BaselineError(ValueError):
    """A baseline that cannot be used; the message names the entry and the remedy."""


@dataclass(frozen=True)
class KnownFailure:
    """One entry. `pattern` "" takes any cause; `until` "" never ends, else an ISO date."""

    clause: str
    reason: str
    pattern: str = ""
    until: str = ""

    def covers(self, result: Result, today: date) -> bool:
        """Whether a red result is this failure."""
        return not self.is_past(today) and self.clause in result.clauses and self.fits(result)

    def fits(self, result: Result) -> bool:
        """Whether the cause of a red result is the one that is known."""
        return not self.pattern or re.search(self.pattern, cause_of(result)) is not None

    def is_past(self, today: date) -> bool:
        """Whether its last day is over."""
        return bool(self.until) and today > date.fromisoformat(self.until)


@dataclass(frozen=True)
class Baseline:
    """All entries, and the day for which they are read."""

    entries: tuple[KnownFailure, ...]
    today: date

    def covering(self, result: Result) -> KnownFailure | None:
        """The entry that knows of a red result."""
        if not result.verdict.is_red:
            return None
        return next((one for one in self.entries if one.covers(result, self.today)), None)

    def states(self, results: Sequence[Result]) -> list[tuple[KnownFailure, str]]:
        """The state of each entry in a run."""
        return [(entry, self._state(entry, results)) for entry in self.entries]

    def _state(self, entry: KnownFailure, results: Iterable[Result]) -> str:
        own = [one for one in results if entry.clause in one.clauses]
        red = [one for one in own if one.verdict.is_red]
        if not own:
            return NOT_RUN
        if entry.is_past(self.today):
            return EXPIRED
        if any(entry.fits(one) for one in red):
            return KNOWN
        if red:
            return OTHER_CAUSE
        return UNDECIDED if any(one.verdict.is_undecided for one in own) else HOLDS

    def faults(self, results: Sequence[Result]) -> list[str]:
        """What is wrong with the list itself, a sentence each."""
        found = []
        for entry, state in self.states(results):
            if state == EXPIRED:
                found.append(f"{entry.clause} is {state} ({entry.until})")
            elif state in FAULTS:
                found.append(f"{entry.clause} {state}")
        return found

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for workers."""
        entries = [(one.clause, one.reason, one.pattern, one.until) for one in self.entries]
        return {"entries": entries, "today": self.today.isoformat()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Baseline:
        """What `to_json` gave."""
        entries = tuple(KnownFailure(*one) for one in value["entries"])
        return cls(entries, date.fromisoformat(value["today"]))


def cause_of(result: Result) -> str:
    """What a pattern is held against: reason, expected and seen."""
    return "\n".join(one for one in (result.reason, result.expected, result.seen) if one)


def read_baseline(path: Path, register: Register, today: date) -> Baseline:
    """The baseline in a TOML file. Raises BaselineError."""
    try:
        parsed = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BaselineError(f"the baseline {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BaselineError(f"the baseline {path} is not TOML: {error}") from None
    entries = parsed.get("known", [])
    if set(parsed) - {"known"} or not isinstance(entries, list):
        raise BaselineError(f"the baseline {path} has to be entries of this form:\n{_FORM}")
    return Baseline(tuple(_entry(one, path, register) for one in entries), today)


def _entry(value: Any, path: Path, register: Register) -> KnownFailure:
    if not isinstance(value, dict) or not isinstance(value.get("clause"), str):
        raise BaselineError(f"{path}: an entry without a clause; the form is\n{_FORM}")
    name = value["clause"]
    unknown = sorted(set(value) - _FIELDS)
    if unknown:
        raise BaselineError(f"{path}: {name} has {unknown[0]!r}; the form is\n{_FORM}")
    if name not in register:
        raise BaselineError(f"{path}: there is no clause {name}; `nip-ap clauses` lists them")
    reason, pattern, until = value.get("reason"), value.get("pattern", ""), value.get("until", "")
    if not isinstance(reason, str) or not reason.strip():
        raise BaselineError(f"{path}: {name} needs a reason: why is this accepted for now?")
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise BaselineError(
            f"{path}: the pattern of {name} is not a regular expression: {error}"
        ) from None
    return KnownFailure(name, reason, pattern, _day(until, name, path))


def _day(until: object, name: str, path: Path) -> str:
    """TOML has dates of its own; a string does as well."""
    try:
        return str(date.fromisoformat(str(until))) if until else ""
    except ValueError:
        raise BaselineError(
            f"{path}: `until` of {name} has to be a day such as 2027-01-31, not {until!r}"
        ) from None
