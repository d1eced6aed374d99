"""summary.md for the summary of a CI job: what is broken, why, and how to see it again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from nip_ap.model.diagnosis import Cause, Diagnosis
from nip_ap.model.report import SIGNS, CheckReport, ClauseReport, Document, Report
from nip_ap.model.verdict import RED_FIRST, UNDECIDED, Verdict
from nip_ap.reporting.diagnosis import diagnosis_of, names, remedies, sentence, unexplained
from nip_ap.reporting.faults import alike, faults_of
from nip_ap.reporting.formats import Format
from nip_ap.reporting.legible import brief, counted, on_one_line
from nip_ap.reporting.markdown import code, plain

_MOST_FINDINGS, _MOST_UNDECIDED = 40, 15
_LONGEST_TEXT = 240
_SAYS = {
    "conformant": "✅",
    "not conformant": "❌",
    "inconclusive": "❔",
    "known failures": "🟡",
    "baseline outdated": "❌",
}


def write_summary(report: Report, out: Path) -> None:
    """GitHub's Markdown, as $GITHUB_STEP_SUMMARY takes it; a few tens of kilobytes at most."""
    (out / "summary.md").write_text(markdown_of(report), encoding="utf-8")


def markdown_of(report: Report) -> str:
    """The summary. What a relay said is escaped, so that it is text and no markup."""
    document, found = report.document, diagnosis_of(report)
    target = document.target
    named = target.name or ("the bundled relay" if target.bundled else target.url)
    lines = [
        f"## {_SAYS[document.verdict]} {plain(named)}: {document.verdict}",
        "",
        f"{plain(document.why)}.",
        "",
        f"{code(target.url)} - revision {document.run.spec} - "
        f"seed {code(document.run.seed)} - {document.run.seconds:.1f} s - "
        f"suite {document.suite.version}",
        "",
        *_diagnosis(found),
        *_groups(report),
        *_findings(report, found),
        *_undecided(report),
        *_offers(document),
    ]
    return "\n".join(lines) + "\n"


def _diagnosis(found: Diagnosis) -> list[str]:
    lines = []
    for cause in found.causes:
        fixed = " ".join(remedies(cause))
        lines.append(
            f"- {_marked(sentence(cause))}. {_marked(f'To fix it: {fixed}') if fixed else ''}"
        )
    if found.unexplained:
        lines.append(f"- {_marked(unexplained(found))}.")
    return ["### Diagnosis", "", *lines, ""] if lines else []


def _marked(text: str) -> str:
    """A sentence of ours, with code where it has backticks."""
    pieces = text.split("`")
    return "".join(code(one) if number % 2 else plain(one) for number, one in enumerate(pieces))


def _groups(report: Report) -> list[str]:
    groups: dict[str, Counter[Verdict]] = {}
    for check in report.checks:
        group = check.group
        groups.setdefault(group, Counter())[check.verdict] += 1
    shown = [one for one in reversed(RED_FIRST) if any(counts[one] for counts in groups.values())]
    return [
        "| | " + " | ".join(shown) + " |",
        "| --- |" + " ---: |" * len(shown),
        *(
            f"| {SIGNS[_worst(counts)]} {group} | "
            + " | ".join(str(counts[one] or "") for one in shown)
            + " |"
            for group, counts in groups.items()
        ),
        "",
    ]


def _worst(counts: Counter[Verdict]) -> Verdict:
    found = next(one for one in RED_FIRST if counts[one])
    return Verdict.PASS if found is Verdict.NOT_APPLICABLE and counts[Verdict.PASS] else found


def _findings(report: Report, found: Diagnosis) -> list[str]:
    faults = faults_of(report, found)
    told = [
        (fault.cause, checks)
        for fault in faults
        for checks in fault.clauses
        if checks[0].verdict.is_red
    ]
    if not told:
        return []
    lines = ["### What does not hold", ""]
    for cause, checks in told[:_MOST_FINDINGS]:
        lines += _finding(report.by_clause[checks[0].clause], checks, cause)
    left_out = len(told) - _MOST_FINDINGS
    return [*lines, f"And {left_out} more clauses; see report.html.", ""] if left_out > 0 else lines


def _finding(clause: ClauseReport, checks: Sequence[CheckReport], cause: Cause | None) -> list[str]:
    first = checks[0]
    verdict = first.verdict
    title = f"{SIGNS[verdict]} {clause.id} {first.level} {verdict}"
    others = f" ({len(checks)} checks)" if len(checks) > 1 else ""
    told = (
        [f"- Expected: {_said(first.expected)}", f"- Seen: {_said(first.seen)}"]
        if first.expected
        else [f"- Because: {_said(first.reason)}"]
    )
    return [
        f"<details><summary><b>{title}</b>: {plain(clause.title)}{others}</summary>",
        "",
        *told,
        f"- Check: {code(first.id)}",
        *([f"- One of the signs of {_marked(names(cause))}"] if cause else []),
        *([f"- Known: {_said(first.known)}"] if first.known else []),
        "",
        *_fenced(first.repro),
        "",
        "</details>",
        "",
    ]


def _undecided(report: Report) -> list[str]:
    found = report.checks_with(*UNDECIDED)
    if not found:
        return []
    lines = [f"### {len(found)} undecided", ""]
    groups = alike(found)
    for same in groups[:_MOST_UNDECIDED]:
        more = f" and {counted(len(same) - 1, 'more check')}" if same[1:] else ""
        lines.append(f"- {code(same[0].id)}{more}: {_said(same[0].reason)}")
    left_out = sum(len(same) for same in groups[_MOST_UNDECIDED:])
    return [*lines, f"- and {left_out} more", ""] if left_out > 0 else [*lines, ""]


def _offers(document: Document) -> list[str]:
    offered = ", ".join(f"{one.name} {one.offered}" for one in document.capabilities)
    lines = [f"Probed: {plain(offered)}.", ""] if offered else []
    return lines + [f"- Finding: {_said(one)}" for one in document.findings]


def _said(text: str) -> str:
    text = brief(text)
    return plain(text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}...")


def _fenced(text: str) -> list[str]:
    text = on_one_line(text)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}sh", text, fence]


FORMAT = Format("summary", "the summary of a CI job", ("summary.md",), write_summary)
