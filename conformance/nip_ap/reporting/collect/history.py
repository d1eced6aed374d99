"""The history of one relay: its runs, what changed between them, and how its numbers went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nip_ap.model.report import SIGNS, ClauseReport, Document
from nip_ap.model.verdict import BROKEN, UNDECIDED, Verdict
from nip_ap.reporting.collect.collection import (
    Changes,
    Entry,
    changes,
    clauses_of,
    gather,
    previous,
)
from nip_ap.reporting.collect.summaries import Summaries
from nip_ap.reporting.plots import Point, milliseconds, trend
from nip_ap.reporting.printing import say
from nip_ap.reporting.reading import ReportUnreadable
from nip_ap.reporting.templates import render, source

_DECIDED = (Verdict.PASS, Verdict.NOT_APPLICABLE)
_MOST_COLUMNS = 30


@dataclass(frozen=True)
class RunShown:
    """A run as a row of the history; `link` leads to its page, or is "" where it has none."""

    entry: Entry
    changes: Changes | None
    link: str
    counts: Mapping[Verdict, int]

    @property
    def document(self) -> Document:
        """The report."""
        return self.entry.document


@dataclass(frozen=True)
class Line:
    """A line of a plot: `key` is its colour's name, `runs` the points that hang together."""

    key: str
    last: str
    runs: Sequence[Sequence[Point]]


@dataclass(frozen=True)
class Row:
    """A clause that was not green in each run: its verdict and sign by run."""

    clause: ClauseReport
    cells: Sequence[tuple[str, str]]


def runs_of(entries: Sequence[Entry], link: Mapping[str, str]) -> list[RunShown]:
    """The rows of the history, newest first; `link` leads from an entry's name to its page."""
    shown = []
    for entry in entries:
        before = previous(entries, entry)
        changed = changes(before, entry) if before else None
        counts = entry.document.counts
        shown.append(RunShown(entry, changed, link.get(entry.name, ""), counts))
    return shown[::-1]


def lines_of(entries: Sequence[Entry]) -> tuple[list[Line], int]:
    """How many checks failed, warned or were undecided, over time; and where their scale ends."""
    wanted = (
        ("fail", BROKEN),
        ("warn", (Verdict.WARN,)),
        ("inconclusive", UNDECIDED),
    )
    numbers = {
        key: [sum(one.document.counts[name] for name in names) for one in entries]
        for key, names in wanted
    }
    top = max(number for each in numbers.values() for number in each)
    lines = []
    for key, values in numbers.items():
        said = [
            (value, f"{entry.started}: {value} {key}")
            for entry, value in zip(entries, values, strict=True)
        ]
        lines.append(Line(key, str(values[-1]), trend(said, top)))
    return lines, top


def speeds_of(entries: Sequence[Entry]) -> list[Line]:
    """The median time to answer by operation, over time; each on its own scale."""
    by_entry = [
        {one.operation: one.p50_ms for one in entry.document.latency or ()} for entry in entries
    ]
    operations = sorted({name for each in by_entry for name in each})
    lines = []
    for name in operations:
        values = [each.get(name) for each in by_entry]
        said = [
            (value, f"{entry.started}: {milliseconds(value) if value else 'not measured'}")
            for entry, value in zip(entries, values, strict=True)
        ]
        known = [value for value in values if value is not None]
        lines.append(Line(name, milliseconds(known[-1]), trend(said, max(known))))
    return lines


def rows_of(entries: Sequence[Entry]) -> list[Row]:
    """The clauses that were not green in some run, over the latest runs."""
    latest = entries[-_MOST_COLUMNS:]
    rows = []
    for clause in clauses_of(latest):
        verdicts = [entry.verdict_of(clause.id) for entry in latest]
        if all(one is None or one in _DECIDED for one in verdicts):
            continue
        cells = [("", "") if one is None else (str(one), SIGNS[one]) for one in verdicts]
        rows.append(Row(clause, cells))
    return rows


def history_page(
    relay: str, entries: Sequence[Entry], link: Mapping[str, str], *, home: str = ""
) -> str:
    """The HTML of a relay's history. `home` leads to the matrix, where there is one."""
    latest = entries[-1]
    lines, top = lines_of(entries)
    return render(
        "history.html",
        relay=relay,
        latest=latest,
        runs=runs_of(entries, link),
        lines=lines if len(entries) > 1 else [],
        top=top,
        speeds=speeds_of(entries) if len(entries) > 1 else [],
        rows=rows_of(entries),
        columns=entries[-_MOST_COLUMNS:],
        home=home,
        badge="badge.svg" if home else "",
        style=source("report.css") + source("site.css"),
    )


def write_history(folder: Path, out: Path | None, stream: IO[str]) -> Path:
    """Write the page of all reports below a folder, and print a line per run.

    Raises ReportUnreadable.
    """
    summaries = Summaries(folder)
    found = gather([folder], summaries)
    entries = sorted(found, key=lambda one: (one.at, one.spec))
    page = out or folder / "history.html"
    links = {
        one.name: str(one.path.with_name("report.html").relative_to(folder))
        for one in entries
        if one.path.with_name("report.html").is_file() and page.parent.resolve() == folder.resolve()
    }
    try:
        page.write_text(history_page(folder.resolve().name, entries, links), encoding="utf-8")
    except OSError as error:
        raise ReportUnreadable(f"{page} cannot be written: {error.strerror}") from None
    for entry in entries:
        if not summaries.has(entry.path):
            summaries.keep(entry.path, entry.document)
    for run in runs_of(entries, links)[::-1]:
        say(_printed(run), file=stream)
    return page


def _printed(run: RunShown) -> str:
    counts = ", ".join(f"{number} {name}" for name, number in run.counts.items() if number)
    line = f"{run.entry.started}  {run.entry.spec}  {run.document.verdict:<14}  {counts}"
    if run.changes and run.changes.broken:
        line += f"\n{'':<18}broken since: {', '.join(run.changes.broken)}"
    if run.changes and run.changes.fixed:
        line += f"\n{'':<18}fixed since: {', '.join(run.changes.fixed)}"
    return line
