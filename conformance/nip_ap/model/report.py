"""The result model: what every format renders, and what report.json holds.

A Report is the JSON document itself, so that a report read from a file and one just made are the
same thing to every renderer. Its schema is reports/report.schema.json.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from nip_ap.model.clauses import Register
from nip_ap.model.latency import latency
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.verdict import Verdict
from nip_ap.resources import resource
from nip_ap.version import __version__
from nip_ap.wire import Frame

FORMAT = "nip-ap-report/1"
PREFLIGHT_PATH = "transcripts/preflight.jsonl"

RED_FIRST = (
    Verdict.FAIL,
    Verdict.UNSTABLE,
    Verdict.ERROR,
    Verdict.INCONCLUSIVE,
    Verdict.WARN,
    Verdict.NOT_APPLICABLE,
    Verdict.PASS,
)

SIGNS = {
    Verdict.PASS: "✓",
    Verdict.WARN: "!",
    Verdict.FAIL: "✗",
    Verdict.UNSTABLE: "~",
    Verdict.INCONCLUSIVE: "?",
    Verdict.ERROR: "E",
    Verdict.NOT_APPLICABLE: "-",
}
"""What stands for a verdict beside its colour, for those who do not see the colour."""


@dataclass(frozen=True)
class Report:
    """The document, and the transcripts that go beside it."""

    document: Mapping[str, Any]
    transcripts: Mapping[str, Sequence[Frame]]
    preflight: Sequence[Frame] = ()
    """The transcript of the probes that found the relay's capabilities, where it is at hand."""

    @property
    def checks(self) -> list[Mapping[str, Any]]:
        """The checks, in the order of the catalogue."""
        return list(self.document["checks"])

    @property
    def clauses(self) -> list[Mapping[str, Any]]:
        """The clauses, in the order of the catalogue."""
        return list(self.document["clauses"])

    def checks_with(self, *verdicts: Verdict) -> list[Mapping[str, Any]]:
        """The checks that have one of these verdicts."""
        return [check for check in self.checks if check["verdict"] in verdicts]


class ReportUnreadable(ValueError):
    """A report that cannot be used; the message names the file, the place and what is wrong."""


def read_report(path: Path) -> Report:
    """The report in a file, or in the report.json of a folder that --out made.

    The document is checked against the schema, for it may be somebody else's. Transcripts are read
    when they are asked for; where there is no file, a check's are the last frames of the document.
    Raises ReportUnreadable.
    """
    file = path / "report.json" if path.is_dir() else path
    try:
        document = orjson.loads(file.read_bytes())
    except OSError as error:
        raise ReportUnreadable(
            f"{file} cannot be read ({error.strerror}); `nip-ap run --out DIR` makes a report"
        ) from None
    except orjson.JSONDecodeError as error:
        raise ReportUnreadable(f"{file} is not JSON: {error}") from None
    complaint = next(_schema().iter_errors(document), None)
    if complaint is not None:
        place = "/".join(map(str, complaint.absolute_path)) or "the document"
        raise ReportUnreadable(
            f"{file} is no report of the format {FORMAT}: {place}: {complaint.message[:300]}"
        )
    preflight = file.parent / PREFLIGHT_PATH
    return Report(
        document,
        _TranscriptFiles(file.parent, document),
        read_transcript(preflight) if preflight.is_file() else (),
    )


@cache
def _schema() -> Any:
    from jsonschema import Draft202012Validator  # takes 0.1 s, and a run reads no report

    return Draft202012Validator(orjson.loads(resource("reports/report.schema.json").read_bytes()))


def read_transcript(file: Path) -> tuple[Frame, ...]:
    """The frames in a file of transcripts/. Raises ReportUnreadable."""
    try:
        lines = file.read_bytes().splitlines()  # of bytes: text would break at U+2028 too
        return tuple(Frame(**orjson.loads(line)) for line in lines)
    except (OSError, TypeError, orjson.JSONDecodeError) as error:
        raise ReportUnreadable(f"{file} is no transcript: {error}") from None


class _TranscriptFiles(Mapping[str, Sequence[Frame]]):
    """The transcripts of a report that was read: of files beside it, by check."""

    def __init__(self, folder: Path, document: Mapping[str, Any]) -> None:
        self._folder = folder
        self._checks = {check["id"]: check for check in document["checks"]}

    def __getitem__(self, check: str) -> Sequence[Frame]:
        file = self._folder / self._checks[check]["transcript"]
        if not file.is_file():
            return tuple(Frame(**one) for one in self._checks[check].get("frames", ()))
        return read_transcript(file)

    def __iter__(self) -> Iterator[str]:
        return iter(self._checks)

    def __len__(self) -> int:
        return len(self._checks)


@dataclass(frozen=True)
class TargetName:
    """How the user named the relay: the kind of target, and the words of the command line."""

    kind: str = "bundled"
    words: tuple[str, ...] = ()


def report_of(
    run: Run,
    register: Register,
    *,
    started: float,
    seconds: float,
    target: TargetName,
    workers: int,
) -> Report:
    """The report of a run. `target` is how the user names the relay."""
    order = {clause.id: number for number, clause in enumerate(register)}
    results = sorted(run.results, key=lambda one: (order.get(_first(one), len(order)), one.check))
    capabilities = run.subject.capabilities
    document = {
        "format": FORMAT,
        "suite": {"name": "nip-ap-conformance", "version": __version__},
        "run": {
            "seed": run.settings.seed,
            "spec": capabilities.spec,
            "spec_reason": capabilities.spec_reason,
            "only": list(run.settings.only),
            "repeat": run.settings.repeat,
            "workers": workers,
            "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "python": platform.python_version(),
        },
        "target": _target(run, target),
        "verdict": str(run.verdict),
        "why": run.why,
        "complete": run.is_complete,
        "missing": list(run.missing),
        "counts": {str(verdict): run.counts.get(verdict, 0) for verdict in Verdict},
        "capabilities": [
            {
                "name": one.name,
                "offered": one.offered,
                "evidence": one.evidence,
                "claimed": one.claimed,
            }
            for one in capabilities.found.values()
        ],
        "findings": capabilities.contradictions,
        **_baseline(run),
        "latency": latency(one.frames for one in results if "latency" not in one.facts),
        "clauses": _clauses(run, register, results),
        "checks": [_check(one, run, target) for one in results],
    }
    transcripts = {one.check: one.frames for one in results}
    return Report(document, transcripts, run.subject.preflight)


def transcript_name(check: str) -> str:
    """The file name of a check's transcript: readable, and unique by a digest of the id."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", check).strip("-")[:100]
    return f"{plain}-{hashlib.sha256(check.encode()).hexdigest()[:8]}.jsonl"


def transcript_path(check: str) -> str:
    """The place of a check's transcript within the folder of a report."""
    return f"transcripts/{transcript_name(check)}"


def repro_line(check: str, settings: Settings, spec: str, target: TargetName) -> str:
    """The one command that runs a check alone with the same seed, in the same way."""
    words = ["nip-ap", "run", *target.words]
    words += ["--only", check.replace("[", "[[]"), "--seed", settings.seed, "--spec", spec]
    if settings.auth != "nip42":
        words += ["--auth", settings.auth]
    if settings.keys:
        words += ["--keys", settings.keys]  # the path of a file
    if settings.migrator:
        words += ["--migrator", settings.migrator]
    return shlex.join(words)


def _first(result: Result) -> str:
    return result.clauses[0] if result.clauses else ""


def _target(run: Run, target: TargetName) -> dict[str, Any]:
    information = run.subject.capabilities.information
    digest = hashlib.sha256(orjson.dumps(dict(information), option=orjson.OPT_SORT_KEYS))
    return {
        "url": run.subject.url,
        "kind": target.kind,
        "bundled": target.kind == "bundled",
        "name": _text(information.get("name")),
        "software": _text(information.get("software")),
        "version": _text(information.get("version")),
        "information_sha256": digest.hexdigest() if information else None,
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _clauses(run: Run, register: Register, results: Sequence[Result]) -> list[dict[str, Any]]:
    checks: dict[str, list[str]] = {}
    for result in results:
        for clause in result.clauses:
            checks.setdefault(clause, []).append(result.check)
    spec = run.subject.capabilities.spec
    return [
        {
            "id": clause.id,
            "group": clause.group,
            "title": clause.title,
            "text": clause.text,
            "level": clause.level_for(spec),
            "source": clause.source,
            "contradiction": clause.contradiction or None,
            "verdict": str(run.by_clause[clause.id]),
            "checks": checks[clause.id],
        }
        for clause in register
        if clause.id in checks
    ]


def _check(result: Result, run: Run, target: TargetName) -> dict[str, Any]:
    return {
        "id": result.check,
        "sentence": result.sentence,
        "clauses": list(result.clauses),
        "level": result.level,
        "verdict": str(result.verdict),
        "reason": result.reason,
        "expected": result.expected,
        "seen": result.seen,
        "controls": [control.to_json() for control in result.controls],
        "notes": list(result.notes),
        "facts": dict(result.facts),
        "seconds": result.seconds,
        "transcript": transcript_path(result.check),
        "repro": repro_line(result.check, run.settings, run.subject.capabilities.spec, target),
        **({"frames": _last_frames(result)} if result.verdict not in _PLAIN else {}),
        **_known(result, run),
        **({"log": result.log} if result.log and result.verdict not in _PLAIN else {}),
    }


def _known(result: Result, run: Run) -> dict[str, str]:
    entry = run.known(result)
    if entry is None:
        return {}
    until = f" (until {entry.until})" if entry.until else ""
    return {"known": f"{entry.reason}{until}"}


def _baseline(run: Run) -> dict[str, Any]:
    if run.baseline is None:
        return {}
    return {
        "baseline": [
            {
                "clause": entry.clause,
                "reason": entry.reason,
                "pattern": entry.pattern or None,
                "until": entry.until or None,
                "state": state,
            }
            for entry, state in run.baseline.states(run.results)
        ]
    }


_PLAIN = (Verdict.PASS, Verdict.NOT_APPLICABLE)
_LAST_FRAMES, _FRAME_LENGTH = 8, 600


def _last_frames(result: Result) -> list[dict[str, Any]]:
    """The end of the transcript, so that a report alone shows what happened."""
    return [
        {**frame.to_json(), "text": frame.text[:_FRAME_LENGTH]}
        for frame in result.frames[-_LAST_FRAMES:]
    ]
