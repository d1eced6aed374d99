"""Many reports: found in folders, told apart by relay and revision, in the order of time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from nip_ap.model.clauses import CHOSEN
from nip_ap.model.report import ClauseReport, Document
from nip_ap.model.subject import is_for_want_of_means
from nip_ap.model.verdict import RED, Verdict
from nip_ap.reporting.collect.summaries import Summaries
from nip_ap.reporting.reading import ReportUnreadable


@dataclass(frozen=True)
class Entry:
    """A report, and the relay whose it is: the name of its folder, for URLs come and go."""

    relay: str
    document: Document
    """The summary of the report."""
    path: Path

    @property
    def spec(self) -> str:
        """The revision that was tested."""
        return self.document.run.spec

    @property
    def started(self) -> str:
        """When the run began, as "2026-11-22 20:02"."""
        return self.document.run.started[:16].replace("T", " ")

    @property
    def at(self) -> datetime:
        """When the run began."""
        return datetime.fromisoformat(self.document.run.started)

    @property
    def name(self) -> str:
        """A name for files, of the time, the revision and the seed."""
        seed = plain_name(self.document.run.seed)[:16]
        return f"{self.at:%Y%m%dT%H%M%S}-{self.spec}-{seed}"

    @cached_property
    def by_clause(self) -> Mapping[str, ClauseReport]:
        """The clauses of the report by id."""
        return {clause.id: clause for clause in self.document.clauses}

    def verdict_of(self, clause: str) -> Verdict | None:
        """The verdict of a clause, or None where the run did not judge it."""
        found = self.by_clause.get(clause)
        return None if found is None else found.verdict


@dataclass(frozen=True)
class Changes:
    """Clauses that hold no longer, and clauses that hold again."""

    broken: Sequence[str]
    fixed: Sequence[str]


def gather(
    folders: Iterable[Path], summaries: Summaries, without: Path | None = None
) -> list[Entry]:
    """All reports below some folders, by relay, oldest first.

    The relay is the folder right below the one that was given, or that one itself where a report
    lies in it. A copy of a report counts once, and what lies in `without`, a folder
    below one of them, not at all; nor does a report of somebody's own checks, which tells nothing
    about NIP-AP. Raises ReportUnreadable, also where there is no report.
    """
    found: dict[tuple[str, str], Entry] = {}
    for folder in folders:
        paths = sorted(folder.rglob("report.json"))
        if without is not None and folder.resolve() in without.resolve().parents:
            paths = [one for one in paths if without.resolve() not in one.resolve().parents]
        if not paths:
            raise ReportUnreadable(
                f"there is no report.json in {folder} or below; `nip-ap run --out DIR` makes one"
            )
        for path in paths:
            parts = path.relative_to(folder).parts
            relay = parts[0] if len(parts) > 1 else folder.resolve().name
            entry = Entry(relay, summaries.of(path), path)
            if not entry.document.run.scenarios:
                found.setdefault((relay, entry.name), entry)
    if not found:
        raise ReportUnreadable("these are reports of own checks, which tell nothing of NIP-AP")
    return sorted(found.values(), key=lambda one: (one.relay.lower(), one.at, one.spec))


def plain_name(relay: str) -> str:
    """A relay's name as a folder of a site."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", relay).strip(".-") or "relay"


def changes(before: Entry, after: Entry) -> Changes:
    """What changed between two runs, of the clauses that both judged."""
    broken, fixed = [], []
    for clause in after.by_clause:
        old, new = before.verdict_of(clause), after.verdict_of(clause)
        worse = new in RED or (new is Verdict.NOT_APPLICABLE and _gave_up(after, clause))
        if old is Verdict.PASS and worse:
            broken.append(clause)
        if old in RED and new is Verdict.PASS:
            fixed.append(clause)
    return Changes(broken, fixed)


def _gave_up(entry: Entry, clause: str) -> bool:
    """Whether a clause applies no more because of the relay, and not for what the suite lacked."""
    return any(
        clause in one.clauses and one.reason and not is_for_want_of_means(one.reason)
        for one in entry.document.checks
    )


def previous(entries: Sequence[Entry], entry: Entry) -> Entry | None:
    """The run before in a list of one relay's runs.

    It is of the same revision, unless the relay was asked for its revision: then it may have
    fallen back to an older one.
    """
    chosen = entry.document.run.spec_reason == CHOSEN
    same = [one for one in entries if one.at < entry.at and (one.spec == entry.spec or not chosen)]
    return same[-1] if same else None


def clauses_of(entries: Iterable[Entry]) -> list[ClauseReport]:
    """The clauses of all reports, in the order of the catalogue as far as the reports tell it.

    A clause that only some reports have stands behind the one that precedes it there.
    """
    order: list[str] = []
    known: dict[str, ClauseReport] = {}
    for entry in entries:
        place = 0
        for clause in entry.document.clauses:
            if clause.id in known:
                place = order.index(clause.id) + 1
            else:
                order.insert(place, clause.id)
                place += 1
            known[clause.id] = clause
    return [known[one] for one in order]
