"""report.html: a whole run on one page that needs no network. It arranges; it judges nothing."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import orjson
from markupsafe import Markup

from nip_ap.model.clauses import register
from nip_ap.model.frame import Frame
from nip_ap.model.latency import Latency
from nip_ap.model.report import (
    SIGNS,
    CheckReport,
    ClauseReport,
    Document,
    Report,
)
from nip_ap.model.verdict import BROKEN, NOTABLE, RED_FIRST, UNDECIDED, Verdict
from nip_ap.reporting.diagnosis import because, diagnosis_of, names, remedies, signs
from nip_ap.reporting.excerpt import excerpt, last_frames
from nip_ap.reporting.formats import Format
from nip_ap.reporting.legible import brief, visible
from nip_ap.reporting.plots import Histogram, histograms
from nip_ap.reporting.sides import listed, marked
from nip_ap.reporting.sources import link_of
from nip_ap.reporting.templates import render, source

LARGEST = 1_950_000
"""Bytes that a page has at most. Where a run is larger, less of its transcripts is in it."""


@dataclass(frozen=True)
class _Room:
    """How much of a check the page has room for.

    `text` is the longest text in characters, `frames` what the frames of all checks together may
    have that are there for readers without scripts; `others` how many controls and notes of each,
    and 0 leaves the drawings out too.
    """

    text: int
    frames: int
    others: int

    def cut(self, text: str) -> str:
        """A text as long as there is room for, ids and signatures shortened."""
        text = brief(text)
        if len(text) <= self.text:
            return text
        return f"{text[: self.text]}... ({len(text)} characters; report.json has them all)"


_ROOMS = (
    _Room(900, 200_000, 4),
    _Room(300, 50_000, 2),
    _Room(80, 0, 1),
    _Room(80, 0, 0),
    _Room(30, 0, 0),
)

VERDICT_MEANINGS = {
    Verdict.FAIL: "the relay broke a MUST",
    Verdict.WARN: "the relay broke a SHOULD",
    Verdict.UNSTABLE: "repeated, the check gave different answers",
    Verdict.INCONCLUSIVE: "undecided: a control was not seen, or no answer came",
    Verdict.ERROR: "the suite itself went wrong",
    Verdict.NOT_APPLICABLE: "the relay does not offer what the clause is about",
    Verdict.PASS: "the relay did what the clause asks, and the control was seen",
}


@dataclass(frozen=True)
class CheckShown:
    """A check as the page shows it."""

    anchor: str
    check: CheckReport
    reason: str
    expected: Markup
    seen: Markup
    sign: str
    controls: Sequence[str]
    notes: Sequence[str]
    facts: Sequence[tuple[str, str]]
    plots: Sequence[Histogram]
    frames: Sequence[Frame]
    log: str
    more_clauses: Sequence[str]


@dataclass(frozen=True)
class ClauseShown:
    """A clause with the checks whose home it is, and links to those that live elsewhere."""

    clause: ClauseReport
    sign: str
    link: str
    checks: Sequence[CheckShown]
    elsewhere: Sequence[CheckShown]
    counts: str


@dataclass
class GroupShown:
    """A group of clauses."""

    name: str
    title: str
    clauses: list[ClauseShown] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """A clause that did not hold, and the check that shows it best."""

    clause: ClauseShown
    example: CheckShown
    others: int


def write_page(report: Report, out: Path) -> None:
    """The page; see docs/reading-a-report.md."""
    (out / "report.html").write_text(html_of(report), encoding="utf-8")


def html_of(report: Report, clause_pages: str = "") -> str:
    """The HTML of the page, at most LARGEST bytes for any run of this suite.

    `clause_pages` is the address of a clause's own page, with {0} for its id; empty for none.
    """
    for room in _ROOMS:
        values = {**_values(report, room), "clause_pages": clause_pages}
        bare = render("report.html", **values, packed="", frames=0, of_frames=0)
        left = LARGEST - len(bare.encode())
        if left > 0:
            break
    kept = excerpt(report, left)
    return render(
        "report.html",
        **values,
        packed=kept.packed,
        frames=kept.frames,
        of_frames=kept.of_frames,
    )


def _values(report: Report, room: _Room) -> dict[str, Any]:
    document = report.document
    groups = groups_of(report, room)
    found = findings_of(groups)
    known = {clause.id for clause in document.clauses}
    return {
        "report": document,
        "prose": partial(prose, clauses=known),
        "groups": groups,
        "findings": [one for one in found if one.clause.clause.verdict not in UNDECIDED],
        "undecided": [one for one in found if one.clause.clause.verdict in UNDECIDED],
        "diagnosis": diagnosis_of(report),
        "counts": shares(document.counts),
        "filters": _filters(document),
        "told": {"names": names, "signs": signs, "remedies": remedies, "because": because},
        "meanings": [(str(one), SIGNS[one], VERDICT_MEANINGS[one]) for one in RED_FIRST],
        "latency": histograms({one.operation: one for one in document.latency or ()}),
        "repeat_all": _repeat_all(document),
        "style": source("report.css"),
        "script": source("report.js"),
        "script_digest": script_digest("report.js"),
    }


def script_digest(name: str) -> str:
    """What a content security policy calls a script of ours, so that no other one can run."""
    digest = hashlib.sha256(str(source(name)).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def anchor_of(check: CheckReport) -> str:
    """The fragment that leads to a check: the name of its transcript."""
    return Path(check.transcript).stem


def shares(counts: Mapping[Verdict, int]) -> list[tuple[str, str, int, float]]:
    """Verdict, sign, count and percent, of each verdict that occurs; good ones first."""
    total = sum(counts.values())
    return [
        (str(one), SIGNS[one], counts[one], counts[one] / total * 100)
        for one in (Verdict.PASS, *RED_FIRST[:-1])
        if counts[one]
    ]


def groups_of(report: Report, room: _Room) -> list[GroupShown]:
    """The clauses by group, each with its checks."""
    frames = last_frames(report, room=room.frames)
    shown = {check.id: _check(check, frames.get(check.id, ()), room) for check in report.checks}
    groups: dict[str, GroupShown] = {}
    for clause in report.clauses:
        name = clause.group
        group = groups.setdefault(name, GroupShown(name, register().titles.get(name, "")))
        group.clauses.append(_clause(clause, shown))
    return list(groups.values())


def findings_of(groups: Sequence[GroupShown]) -> list[Finding]:
    """The clauses that are red or undecided, worst first."""
    clauses = [clause for group in groups for clause in group.clauses]
    found = []
    for verdict in NOTABLE:
        for clause in clauses:
            if clause.clause.verdict == verdict:
                checks = [*clause.checks, *clause.elsewhere]
                same = [one for one in checks if one.check.verdict == verdict]
                found.append(Finding(clause, same[0], len(same) - 1))
    return found


def _clause(clause: ClauseReport, shown: Mapping[str, CheckShown]) -> ClauseShown:
    checks = [shown[one] for one in clause.checks]
    counted = Counter(one.check.verdict for one in checks)
    return ClauseShown(
        clause=clause,
        sign=SIGNS[clause.verdict],
        link=link_of(clause.source),
        checks=[one for one in checks if one.check.clauses[0] == clause.id],
        elsewhere=[one for one in checks if one.check.clauses[0] != clause.id],
        counts=", ".join(f"{counted[one]} {one}" for one in RED_FIRST if counted[one]),
    )


def _check(check: CheckReport, frames: Sequence[Frame], room: _Room) -> CheckShown:
    times = [_times(name, fact) for name, fact in check.facts.items()]
    expected, seen = marked(room.cut(check.expected), room.cut(check.seen))
    return CheckShown(
        anchor=anchor_of(check),
        check=check,
        reason=room.cut(check.reason),
        expected=listed(expected),
        seen=listed(seen),
        sign=SIGNS[check.verdict],
        controls=[
            room.cut(f"{one.claim}: {one.twin}; differs in {one.difference}")
            for one in check.controls[: room.others]
        ],
        notes=[room.cut(note) for note in check.notes[: room.others]],
        facts=[
            (name, room.cut(_told(value)))
            for name, value in check.facts.items()
            if not _times(name, value)
        ],
        plots=histograms({name: one for each in times for name, one in each.items()})
        if room.others
        else (),
        frames=frames,
        log=check.log[-4 * room.text :],
        more_clauses=check.clauses[1:],
    )


def _times(name: str, fact: object) -> dict[str, Latency]:
    """The times that a fact is, or a list of them that name their operation; else nothing."""
    try:
        if isinstance(fact, list):
            return {one.operation: one for one in msgspec.convert(fact, list[Latency])}
        return {name: msgspec.convert(fact, Latency)}
    except msgspec.ValidationError:
        return {}


def _told(value: object) -> str:
    """A fact in words as far as it has any, else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and not any(
        isinstance(one, (list, dict)) for one in value.values()
    ):
        return ", ".join(f"{name} {orjson.dumps(one).decode()}" for name, one in value.items())
    return orjson.dumps(value).decode()


def prose(text: str, clauses: Container[str], address: str = "#{0}") -> Markup:
    """A sentence with a link at each of these clauses, and code between backticks."""
    parts = re.split(r"(AP-[A-Z]+-[0-9]{2}|`[^`]+`)", visible(text))
    return Markup("").join(_piece(part, clauses, address) for part in parts)


def _piece(part: str, clauses: Container[str], address: str) -> str:
    if part in clauses:
        return Markup('<a href="{}">{}</a>').format(address.format(part), part)
    if part.startswith("`") and part.endswith("`") and len(part) > 2:
        return Markup("<code>{}</code>").format(part[1:-1])
    return part


def _filters(document: Document) -> list[tuple[str, str, int]]:
    """Label, verdicts and number of clauses of each filter."""
    counted = Counter(clause.verdict for clause in document.clauses)
    offered = [
        ("All", tuple(Verdict)),
        ("Failed", BROKEN),
        ("Warned", (Verdict.WARN,)),
        ("Undecided", UNDECIDED),
        ("Not applicable", (Verdict.NOT_APPLICABLE,)),
        ("Passed", (Verdict.PASS,)),
    ]
    return [
        (label, "|".join(verdicts), sum(counted[one] for one in verdicts))
        for label, verdicts in offered
    ]


def _repeat_all(document: Document) -> str:
    """The command of the whole run, from that of one of its checks."""
    if not document.checks:
        return ""
    words = shlex.split(document.checks[0].repro)
    at = words.index("--only")
    return shlex.join(words[:at] + words[at + 2 :])


FORMAT = Format("page", "people, in a browser", ("report.html",), write_page)
