"""The report of a run as typed values: what every format renders, and what report.json holds.

`Document` is the JSON object of report.json, field by field; its schema for others is
reports/report.schema.json. Fields with a default are left out of the JSON where they have it:
older reports lack some of them, and most checks need none.
"""

from __future__ import annotations

import glob
import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import msgspec

from nip_ap.model.check_id import CheckId
from nip_ap.model.frame import Frame
from nip_ap.model.latency import Latency
from nip_ap.model.options import options_of, words_of
from nip_ap.model.settings import Settings
from nip_ap.model.verdict import RunVerdict, Verdict

FORMAT = "nip-ap-report/1"
PREFLIGHT_PATH = "transcripts/preflight.jsonl"

SIGNS = {
    Verdict.PASS: "✓",
    Verdict.WARN: "!",
    Verdict.FAIL: "✗",
    Verdict.UNSTABLE: "~",
    Verdict.INCONCLUSIVE: "?",
    Verdict.ERROR: "E",
    Verdict.NOT_APPLICABLE: "-",
}
"""The sign of each verdict, for readers who do not see its colour."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A JSON object of the document."""


class SuiteName(_Part, frozen=True, kw_only=True):
    """The suite that ran."""

    name: str
    version: str


class RunReport(_Part, frozen=True, kw_only=True):
    """How the suite ran. `started` is ISO 8601 in UTC."""

    seed: str
    spec: str
    spec_reason: str
    only: tuple[str, ...]
    scenarios: str = ""
    """The folder of the checks, where those are somebody's own and no part of NIP-AP."""
    repeat: int
    workers: int
    started: str
    seconds: float
    python: str


class TargetReport(_Part, frozen=True, kw_only=True):
    """The relay that was tested, as NIP-11 names it."""

    url: str
    kind: str = ""
    bundled: bool
    name: str | None
    software: str | None
    version: str | None
    information_sha256: str | None


class CapabilityReport(_Part, frozen=True, kw_only=True):
    """Something a relay may offer, and whether the probe found it."""

    name: str
    offered: str
    evidence: str
    claimed: bool | None


class BaselineReport(_Part, frozen=True, kw_only=True):
    """An entry of the user's list of known failures, and its state in this run."""

    clause: str
    reason: str
    pattern: str | None
    until: str | None
    state: str


class ClauseReport(_Part, frozen=True, kw_only=True):
    """A clause, and the verdict that its checks give it."""

    id: str
    group: str
    title: str
    text: str
    level: str
    source: str
    rule: str = ""
    """Whose rule it is: NIP-01, NIP-AP, another NIP, or block/buzz."""
    contradiction: str | None
    verdict: Verdict
    checks: tuple[str, ...]


class ControlReport(_Part, frozen=True, kw_only=True):
    """A positive twin that was seen, and the one respect in which it differs."""

    claim: str
    twin: str
    difference: str


class FrameReport(msgspec.Struct, frozen=True, kw_only=True):
    """One of the last frames of a check that is red or undecided; its text may be cut."""

    at: float
    who: str
    door: str
    connection: int = 0
    direction: str
    text: str


class CheckReport(_Part, frozen=True, kw_only=True):
    """What one check found."""

    id: str
    sentence: str
    clauses: tuple[str, ...]
    level: str
    verdict: Verdict
    reason: str
    expected: str
    seen: str
    controls: tuple[ControlReport, ...]
    notes: tuple[str, ...]
    facts: Mapping[str, Any]
    seconds: float
    transcript: str
    repro: str
    frames: tuple[FrameReport, ...] | None = None
    known: str = ""
    log: str = ""

    @property
    def clause(self) -> str:
        """The first of its clauses, whose id its own begins with."""
        return self.clauses[0]

    @property
    def group(self) -> str:
        """The group of its first clause."""
        return self.clause.split("-")[1]

    @property
    def name(self) -> str:
        """Its id without the clause."""
        return CheckId.read(self.id).within_clause


class Document(_Part, frozen=True, kw_only=True):
    """The whole of report.json."""

    format: str
    suite: SuiteName
    run: RunReport
    target: TargetReport
    verdict: RunVerdict
    why: str
    complete: bool
    missing: tuple[str, ...]
    by_rule: Mapping[str, Mapping[Verdict, int]] = {}
    """How many clauses got which verdict, by whose rules they are."""
    counts: Mapping[Verdict, int]
    capabilities: tuple[CapabilityReport, ...]
    findings: tuple[str, ...]
    baseline: tuple[BaselineReport, ...] | None = None
    latency: tuple[Latency, ...] | None = None
    clauses: tuple[ClauseReport, ...]
    checks: tuple[CheckReport, ...]

    def to_json(self) -> dict[str, Any]:
        """The JSON object, its fields in the order above."""
        value: dict[str, Any] = msgspec.to_builtins(self)
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Document:
        """What `to_json` gave, now or in an older version. Raises ValueError."""
        return msgspec.convert(value, cls)


@dataclass(frozen=True)
class Report:
    """The document, and the transcripts of its checks by id."""

    document: Document
    transcripts: Mapping[str, Sequence[Frame]]
    preflight: Sequence[Frame] = ()
    """The transcript of the probes that found the relay's capabilities, where it is at hand."""

    @property
    def checks(self) -> Sequence[CheckReport]:
        """The checks, in the order of the catalogue."""
        return self.document.checks

    @property
    def clauses(self) -> Sequence[ClauseReport]:
        """The clauses, in the order of the catalogue."""
        return self.document.clauses

    def title_of(self, clause: str) -> str:
        """The title of a clause; "" where it is in no register that the report knows."""
        return self.by_clause[clause].title if clause in self.by_clause else ""

    @cached_property
    def by_clause(self) -> Mapping[str, ClauseReport]:
        """The clauses by their ids."""
        return {clause.id: clause for clause in self.clauses}

    def checks_with(self, *verdicts: Verdict) -> list[CheckReport]:
        """The checks that have one of these verdicts."""
        return [check for check in self.checks if check.verdict in verdicts]


@dataclass(frozen=True)
class TargetName:
    """How the user named the relay: the kind of target, and the words of the command line."""

    kind: str = "bundled"
    words: tuple[str, ...] = ()


def transcript_name(check: str) -> str:
    """The file name of a check's transcript: readable, and unique by a digest of the id."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", check).strip("-")[:100]
    return f"{plain}-{hashlib.sha256(check.encode()).hexdigest()[:8]}.jsonl"


def transcript_path(check: str) -> str:
    """The place of a check's transcript within the folder of a report."""
    return f"transcripts/{transcript_name(check)}"


def repro_line(check: str, settings: Settings, spec: str, target: TargetName) -> str:
    """The one command that runs a check alone with the same seed, in the same way."""
    same = replace(settings, only=(glob.escape(check),), spec=spec or settings.spec)
    table = [one for one in options_of(type(settings)) if one.repeats]
    first = [one for one in table if one.key == "only"]
    rest = [one for one in table if one.key != "only"]
    return shlex.join(["nip-ap", "run", *target.words, *words_of(same, [*first, *rest])])
