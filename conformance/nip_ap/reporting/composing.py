"""The report of a run, composed from its results. It judges nothing: verdicts come with the run."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from nip_ap.model.clauses import Register
from nip_ap.model.latency import latency
from nip_ap.model.report import (
    FORMAT,
    BaselineReport,
    CapabilityReport,
    CheckReport,
    ClauseReport,
    ControlReport,
    Document,
    FrameReport,
    Report,
    RunReport,
    SuiteName,
    TargetName,
    TargetReport,
    repro_line,
    transcript_path,
)
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.verdict import Verdict
from nip_ap.version import __version__

_PLAIN = (Verdict.PASS, Verdict.NOT_APPLICABLE)
_LAST_FRAMES, _FRAME_LENGTH = 8, 600


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
    document = Document(
        format=FORMAT,
        suite=SuiteName(name="nip-ap-conformance", version=__version__),
        run=RunReport(
            seed=run.settings.seed,
            spec=capabilities.spec,
            spec_reason=capabilities.spec_reason,
            only=tuple(run.settings.only),
            scenarios=run.scenarios,
            repeat=run.settings.repeat,
            workers=workers,
            started=datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
            seconds=round(seconds, 3),
            python=platform.python_version(),
        ),
        target=target_report(run.subject.url, run.subject.capabilities.information, target),
        verdict=run.verdict,
        why=run.why,
        complete=run.is_whole,
        missing=tuple(run.missing),
        by_rule=_by_rule(run, register),
        counts={verdict: run.counts.get(verdict, 0) for verdict in Verdict},
        capabilities=tuple(
            CapabilityReport(
                name=one.name, offered=one.offered, evidence=one.evidence, claimed=one.claimed
            )
            for one in capabilities.found.values()
        ),
        findings=tuple(capabilities.contradictions),
        baseline=_baseline(run),
        latency=tuple(latency(one.frames for one in results if "latency" not in one.facts)),
        clauses=_clauses(run, register, results),
        checks=tuple(_check(one, run, target) for one in results),
    )
    transcripts = {one.check: one.frames for one in results}
    return Report(document, transcripts, run.subject.preflight)


def check_report(result: Result, repro: str, known: str = "") -> CheckReport:
    """The report of one check; `repro` repeats it, `known` is the baseline's word on it."""
    is_plain = result.verdict in _PLAIN
    return CheckReport(
        id=result.check,
        sentence=result.sentence,
        clauses=tuple(result.clauses),
        level=result.level,
        verdict=result.verdict,
        reason=result.reason,
        expected=result.expected,
        seen=result.seen,
        controls=tuple(ControlReport(**one.to_json()) for one in result.controls),
        notes=tuple(result.notes),
        facts=dict(result.facts),
        seconds=result.seconds,
        transcript=transcript_path(result.check),
        repro=repro,
        frames=None if is_plain else _last_frames(result),
        known=known,
        log="" if is_plain else result.log,
    )


def _first(result: Result) -> str:
    return result.clauses[0] if result.clauses else ""


def _check(result: Result, run: Run, target: TargetName) -> CheckReport:
    repro = repro_line(result.check, run.settings, run.subject.capabilities.spec, target)
    return check_report(result, repro, _known(result, run))


def _known(result: Result, run: Run) -> str:
    entry = run.known(result)
    if entry is None:
        return ""
    until = f" (until {entry.until})" if entry.until else ""
    return f"{entry.reason}{until}"


def target_report(url: str, information: Mapping[str, Any], target: TargetName) -> TargetReport:
    """The relay as its NIP-11 document names it."""
    digest = hashlib.sha256(orjson.dumps(dict(information), option=orjson.OPT_SORT_KEYS))
    return TargetReport(
        url=url,
        kind=target.kind,
        bundled=target.kind == "bundled",
        name=_text(information, "name"),
        software=_text(information, "software"),
        version=_text(information, "version"),
        information_sha256=digest.hexdigest() if information else None,
    )


def _text(information: Mapping[str, Any], name: str) -> str | None:
    value = information.get(name)
    return value if isinstance(value, str) else None


def _clauses(run: Run, register: Register, results: Sequence[Result]) -> tuple[ClauseReport, ...]:
    checks: dict[str, list[str]] = {}
    for result in results:
        for clause in result.clauses:
            checks.setdefault(clause, []).append(result.check)
    spec = run.subject.capabilities.spec
    return tuple(
        ClauseReport(
            id=clause.id,
            group=clause.group,
            title=clause.title,
            text=clause.text,
            level=clause.level_for(spec, run.settings.profile),
            source=clause.source,
            rule=clause.rule,
            contradiction=clause.contradiction or None,
            verdict=run.by_clause[clause.id],
            checks=tuple(checks[clause.id]),
        )
        for clause in register
        if clause.id in checks
    )


def _by_rule(run: Run, register: Register) -> dict[str, dict[Verdict, int]]:
    """How many clauses got which verdict, by whose rules they are."""
    found: dict[str, dict[Verdict, int]] = {}
    for clause, verdict in run.by_clause.items():
        if clause not in register:  # a mistake of somebody's own scenario, told as its error
            continue
        counts = found.setdefault(register[clause].rule, {})
        counts[verdict] = counts.get(verdict, 0) + 1
    return found


def _baseline(run: Run) -> tuple[BaselineReport, ...] | None:
    if run.baseline is None:
        return None
    return tuple(
        BaselineReport(
            clause=entry.clause,
            reason=entry.reason,
            pattern=entry.pattern or None,
            until=entry.until or None,
            state=state,
        )
        for entry, state in run.baseline.states(run.results)
    )


def _last_frames(result: Result) -> tuple[FrameReport, ...]:
    """The end of the transcript, so that a report alone shows what happened."""
    return tuple(
        FrameReport(**{**frame.to_json(), "text": frame.text[:_FRAME_LENGTH]})
        for frame in result.frames[-_LAST_FRAMES:]
    )
