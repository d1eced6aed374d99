"""A static site over many reports: clauses against relays, and a history for each relay."""

from __future__ import annotations

import shutil
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nip_ap.model.clauses import register
from nip_ap.model.report import SIGNS, ClauseReport, Document
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.collect.clause_pages import address_of, write_clause_pages
from nip_ap.reporting.collect.collection import Entry, clauses_of, gather, plain_name
from nip_ap.reporting.collect.history import history_page
from nip_ap.reporting.collect.summaries import Summaries
from nip_ap.reporting.explained import Explained
from nip_ap.reporting.formats.badge import write_badge
from nip_ap.reporting.formats.page import html_of, prose
from nip_ap.reporting.reading import read_report
from nip_ap.reporting.sources import link_of
from nip_ap.reporting.templates import render, source

_OF_A_RUN = ("report.html", "report.json", "badge.svg", "badge.json")


@dataclass(frozen=True)
class Column:
    """The latest report of a relay in one revision."""

    entry: Entry
    folder: str
    page: str
    broken: int
    warned: int
    runs: int

    @property
    def document(self) -> Document:
        """The report."""
        return self.entry.document


@dataclass(frozen=True)
class Cell:
    """A clause on a relay; all "" where the relay's run did not judge it."""

    verdict: str
    sign: str
    link: str


@dataclass(frozen=True)
class Row:
    """A clause on all relays."""

    clause: ClauseReport
    link: str
    cells: Sequence[Cell]

    @property
    def differs(self) -> bool:
        """Whether the relays do not all have the same verdict."""
        return len({cell.verdict for cell in self.cells if cell.verdict}) > 1


def write_site(folders: Iterable[Path], out: Path, explained: Iterable[Explained] = ()) -> int:
    """Write the site; gives how many reports are in it. Raises ReportUnreadable.

    `out`/index.html is the matrix; each clause that is explained has a page in `out`/clauses; each
    relay has a folder with its history and its badge, and in it one folder a run with the page, the
    report and the badge of that run.
    """
    summaries = Summaries(out)
    entries = gather(folders, summaries, without=out)
    out.mkdir(parents=True, exist_ok=True)
    relays: dict[str, list[Entry]] = {}
    for entry in entries:
        relays.setdefault(entry.relay, []).append(entry)
    names = _folders(relays)
    pages = {one.clause.id: one for one in explained}
    for relay, own in relays.items():
        _write_relay(relay, own, out / names[relay], summaries, has_pages=bool(pages))
    if pages:
        write_clause_pages(pages.values(), relays, names, out)
    columns = [
        _column(own, spec, names[relay]) for relay, own in relays.items() for spec in _specs(own)
    ]
    page = render(
        "site.html",
        columns=columns,
        groups=_groups(columns, pages),
        titles=register().titles,
        prose=lambda text: prose(text, ()),
        style=source("report.css") + source("site.css"),
    )
    (out / "index.html").write_text(page, encoding="utf-8")
    return len(entries)


def _folders(relays: Iterable[str]) -> dict[str, str]:
    """A folder for each relay; two names that look alike as folders get a number."""
    found: dict[str, str] = {}
    for relay in relays:
        name, number = plain_name(relay), 2
        while name.lower() in {one.lower() for one in found.values()}:
            name, number = f"{plain_name(relay)}-{number}", number + 1
        found[relay] = name
    return found


def _specs(entries: Sequence[Entry]) -> list[str]:
    return sorted({entry.spec for entry in entries})


def _write_relay(
    relay: str, entries: Sequence[Entry], folder: Path, summaries: Summaries, *, has_pages: bool
) -> None:
    for entry in entries:
        run = folder / entry.name
        if not summaries.has(entry.path) or not all((run / name).is_file() for name in _OF_A_RUN):
            _write_run(entry, run, has_pages=has_pages)
            summaries.keep(entry.path, entry.document)
    latest = entries[-1]
    for name in ("badge.svg", "badge.json"):
        shutil.copyfile(folder / latest.name / name, folder / name)
    links = {entry.name: f"{entry.name}/report.html" for entry in entries}
    page = history_page(relay, entries, links, home="../index.html")
    (folder / "index.html").write_text(page, encoding="utf-8")


def _write_run(entry: Entry, folder: Path, *, has_pages: bool) -> None:
    """The page, the badge and the report of one run; one report at a time is in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    report = read_report(entry.path)
    pages = address_of("{0}", up="../../") if has_pages else ""
    (folder / "report.html").write_text(html_of(report, pages), encoding="utf-8")
    write_badge(report, folder)
    (folder / "report.json").write_bytes(entry.path.read_bytes())  # it may be the same file


def _column(entries: Sequence[Entry], spec: str, folder: str) -> Column:
    own = [entry for entry in entries if entry.spec == spec]
    latest = own[-1]
    verdicts = [clause.verdict for clause in latest.document.clauses]
    return Column(
        entry=latest,
        folder=folder,
        page=f"{folder}/{latest.name}/report.html",
        broken=sum(one.is_broken for one in verdicts),
        warned=sum(one == Verdict.WARN for one in verdicts),
        runs=len(own),
    )


def _groups(columns: Sequence[Column], pages: Container[str]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for clause in clauses_of(column.entry for column in columns):
        cells = [_cell(column, clause.id) for column in columns]
        link = address_of(clause.id) if clause.id in pages else link_of(clause.source)
        row = Row(clause, link, cells)
        groups.setdefault(clause.group, []).append(row)
    return groups


def _cell(column: Column, clause: str) -> Cell:
    verdict = column.entry.verdict_of(clause)
    if verdict is None:
        return Cell("", "", "")
    return Cell(str(verdict), SIGNS[verdict], f"{column.page}#{clause}")
