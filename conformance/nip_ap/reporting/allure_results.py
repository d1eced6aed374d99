"""Results for Allure, written by Allure's own writers: one per check, with its transcript.

Two ways lead here. `nip-ap run --alluredir DIR` writes a finished report. Under pytest the plugin
allure-pytest makes the results, and `AllureResults` gives them what it cannot know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import orjson
from allure_commons import hookimpl, plugin_manager
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import (
    Attachment,
    Label,
    Link,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestStepResult,
)
from allure_commons.types import AttachmentType, LabelType, LinkType, Severity

from nip_ap.model.check_id import CheckId
from nip_ap.model.clauses import MUST, SHOULD, register
from nip_ap.model.diagnosis import Cause
from nip_ap.model.frame import Frame
from nip_ap.model.report import CheckReport, Report
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.diagnosis import diagnosis_of, remedies, sentence
from nip_ap.reporting.hashed import hashed
from nip_ap.reporting.legible import brief, on_one_line, visible
from nip_ap.reporting.sources import link_of

_STATUS = {
    Verdict.PASS: Status.PASSED,
    Verdict.WARN: Status.PASSED,
    Verdict.FAIL: Status.FAILED,
    Verdict.UNSTABLE: Status.FAILED,
    Verdict.INCONCLUSIVE: Status.BROKEN,
    Verdict.ERROR: Status.BROKEN,
    Verdict.NOT_APPLICABLE: Status.SKIPPED,
}
_SEVERITY = {MUST: Severity.CRITICAL, SHOULD: Severity.NORMAL}
_MOST_STEPS = 40
_LONGEST_VALUE = 400
_LONGEST_ATTACHMENT = 500_000
_ARROWS = {"sent": "->", "received": "<-", "note": "--"}

Keep = Callable[[str, str], None]
"""Keeps an attachment: its text, and the name of the file that an Attachment refers to."""


def write_results(report: Report, folder: Path) -> None:
    """A result per check, the environment and the categories; others in the folder stay."""
    writer = AllureFileLogger(str(folder))
    started = datetime.fromisoformat(report.document.run.started).timestamp()
    diagnosis = diagnosis_of(report)
    for check in report.checks:
        test = TestResult(uuid=str(uuid4()), start=_milliseconds(started))
        test.stop = _milliseconds(started + check.seconds)
        frames = report.transcripts.get(check.id, ())
        keep = writer.report_attached_data
        dress(test, check, frames, keep, diagnosis.cause_of(check.clauses))
        writer.report_result(test)
    (folder / "environment.properties").write_text(_environment(report), encoding="utf-8")
    (folder / "categories.json").write_bytes(orjson.dumps(_CATEGORIES))


class AllureResults:
    """Completes a result before the writer of allure-pytest, registered beside it, writes it."""

    def __init__(self, finished: Callable[[], tuple[CheckReport, Sequence[Frame]] | None]) -> None:
        """`finished` gives the check that ended last and its frames; None if that was no check."""
        self._finished = finished

    def report_result(self, result: TestResult) -> None:
        """Called for each result, before allure-pytest's own writer, which registered earlier."""
        finished = self._finished()
        if finished is not None:
            keep = plugin_manager.hook.report_attached_data
            result.labels = [one for one in result.labels if one.name not in _OURS]
            result.parameters = []
            dress(result, *finished, lambda text, name: keep(body=text, file_name=name))

    hookimpl(report_result)  # a decorator without types would make the method one, too


def dress(
    test: TestResult,
    check: CheckReport,
    frames: Sequence[Frame],
    keep: Keep,
    cause: Cause | None = None,
) -> None:
    """Give a result its name, labels, severity, links, steps and transcript."""
    cause = cause if check.verdict.is_red else None
    verdict = check.verdict
    name = check.name.replace("_", " ")
    test.name = visible(f"{check.clauses[0]} {name}")
    test.fullName = visible(check.id)
    test.historyId = _digest(check.id)
    test.testCaseId = _digest(str(CheckId.read(check.id).declared))
    test.status = _STATUS[verdict]
    test.statusDetails = _details(check, verdict)
    test.description = _description(check, cause)
    test.labels = [*test.labels, *_labels(check, cause)]
    test.links = [*test.links, *_links(check)]
    test.steps = _steps(check, frames, test.start or 0)
    if frames:
        source = f"{uuid4()}-attachment.txt"
        keep(_transcript(frames), source)
        test.attachments = [
            *test.attachments,
            Attachment(name="transcript", source=source, type=AttachmentType.TEXT.mime_type),
        ]


def _details(check: CheckReport, verdict: Verdict) -> StatusDetails | None:
    if verdict is Verdict.PASS:
        return None
    sides = f"expected {check.expected}\nseen {check.seen}"
    text = sides if check.expected else check.reason
    trace = "" if verdict is Verdict.NOT_APPLICABLE else f"repeat: {check.repro}"
    return StatusDetails(
        message=visible(f"{verdict}: {text}"),
        trace=visible(trace),
        flaky=True if verdict is Verdict.UNSTABLE else None,
        known=True if check.known else None,
    )


def _description(check: CheckReport, cause: Cause | None) -> str:
    known = register()
    texts = [f"{one}: {known[one].text}" for one in check.clauses if one in known]
    told = [sentence(cause), *remedies(cause)] if cause else []
    return visible("\n\n".join([*texts, *told, *check.notes, f"    {check.repro}"]))


_OURS = (
    LabelType.PARENT_SUITE,
    LabelType.SUITE,
    LabelType.SUB_SUITE,
    LabelType.TAG,
    LabelType.FRAMEWORK,
    "package",
)


def _labels(check: CheckReport, cause: Cause | None) -> list[Label]:
    known = register()
    first = check.clauses[0]
    group = first.split("-")[1]
    title = known[first].title if first in known else ""
    named = [
        (LabelType.PARENT_SUITE, "NIP-AP"),
        (LabelType.SUITE, f"{group}: {known.titles.get(group, '')}"),
        (LabelType.SUB_SUITE, f"{first}: {title}"),
        (LabelType.EPIC, "NIP-AP"),
        (LabelType.FEATURE, group),
        (LabelType.STORY, f"{first}: {title}"),
        (LabelType.SEVERITY, _SEVERITY.get(check.level, Severity.MINOR).value),
        (LabelType.FRAMEWORK, "nip-ap"),
        (LabelType.TAG, check.level),
        (LabelType.TAG, check.verdict),
        *(("clause", clause) for clause in check.clauses),
        *(("cause", name) for name in (cause.names if cause else ())),
    ]
    return [Label(name=name, value=value) for name, value in named]


def _links(check: CheckReport) -> list[Link]:
    known = register()
    sources = dict.fromkeys(known[one].source for one in check.clauses if one in known)
    found = [(link_of(one), one) for one in sources]
    return [Link(type=LinkType.LINK, url=url, name=name) for url, name in found if url]


def _steps(check: CheckReport, frames: Sequence[Frame], began: int) -> list[TestStepResult]:
    """The controls, then each request with its answers, then what came of it."""
    steps = [
        TestStepResult(
            name=_short(f"control: {one.claim}: {one.twin}; differs in {one.difference}"),
            status=Status.PASSED,
        )
        for one in check.controls[:_MOST_STEPS]
    ]
    exchanges = _exchanges(frames)
    left_out = len(exchanges) - _MOST_STEPS
    if left_out > 0:
        text = f"{left_out} earlier requests are in the transcript"
        steps.append(TestStepResult(name=text, status=Status.PASSED))
    steps += [_exchange(frames, began) for frames in exchanges[-_MOST_STEPS:]]
    if check.expected and check.verdict is not Verdict.PASS:
        name = _short(f"expected {check.expected}; seen {check.seen}")
        steps.append(TestStepResult(name=name, status=_STATUS[check.verdict]))
    return steps


def _exchanges(frames: Sequence[Frame]) -> list[list[Frame]]:
    """The frames cut before each request. What came before the first one is left out."""
    found: list[list[Frame]] = []
    for frame in frames:
        if frame.direction == "sent":
            found.append([frame])
        elif found:
            found[-1].append(frame)
    return found


def _exchange(frames: Sequence[Frame], began: int) -> TestStepResult:
    request = frames[0]
    return TestStepResult(
        name=_short(f"{request.who} -> {request.text}"),
        status=Status.PASSED,
        start=began + _milliseconds(request.at),
        stop=began + _milliseconds(frames[-1].at),
        parameters=[
            Parameter(
                name=f"{one.at:.3f} {one.who} {_ARROWS[one.direction]}", value=_short(one.text)
            )
            for one in frames[1:9]
        ],
    )


def _transcript(frames: Sequence[Frame]) -> str:
    lines = []
    room = _LONGEST_ATTACHMENT
    for number, frame in enumerate(frames):
        line = f"{frame.at:9.4f} {frame.who} {frame.door} {_ARROWS[frame.direction]} {frame.text}"
        room -= len(line)
        if room < 0:
            lines.append(f"({len(frames) - number} more frames; transcripts/ of --out has them)")
            break
        lines.append(on_one_line(line))
        if note := hashed(frame.text):
            lines.append(f"{'':9} {note}")
    return "\n".join(lines) + "\n"


def _environment(report: Report) -> str:
    document = report.document
    target, run = document.target, document.run
    values = {
        "Relay": target.url,
        "Software": f"{target.software or ''} {target.version or ''}".strip(),
        "Verdict": f"{document.verdict}: {document.why}",
        "Revision": run.spec,
        "Seed": run.seed,
        "Suite": document.suite.version,
    }
    return "".join(
        f"{name}={on_one_line(value).replace(chr(92), chr(92) * 2)}\n"
        for name, value in values.items()
    )


_CATEGORIES = [
    {"name": "A MUST is broken", "matchedStatuses": ["failed"], "messageRegex": "(?s)fail:.*"},
    {"name": "Unstable", "matchedStatuses": ["failed"], "messageRegex": "(?s)unstable:.*"},
    {"name": "Undecided", "matchedStatuses": ["broken"]},
    {"name": "A SHOULD is broken", "matchedStatuses": ["passed"], "messageRegex": "(?s)warn:.*"},
    {"name": "Not applicable", "matchedStatuses": ["skipped"]},
]


def _short(text: str) -> str:
    text = on_one_line(brief(text[: 4 * _LONGEST_VALUE]))
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
