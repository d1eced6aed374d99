"""A page per clause on a site: what it asks, how it is checked, and what each relay's runs say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nip_ap.model.report import SIGNS
from nip_ap.reporting.collect.collection import Entry
from nip_ap.reporting.explained import Explained
from nip_ap.reporting.formats.page import prose
from nip_ap.reporting.templates import render, source

FOLDER = "clauses"


@dataclass(frozen=True)
class Mark:
    """What one run found of the clause."""

    started: str
    verdict: str
    sign: str
    link: str


@dataclass(frozen=True)
class Line:
    """The runs of a relay in one revision that judged the clause, the latest first."""

    relay: str
    spec: str
    marks: Sequence[Mark]


def address_of(clause: str, up: str = "") -> str:
    """Where the page of a clause is, from a page so many folders below the site."""
    return f"{up}{FOLDER}/{clause}.html"


def write_clause_pages(
    explained: Iterable[Explained],
    relays: Mapping[str, Sequence[Entry]],
    folders: Mapping[str, str],
    out: Path,
) -> None:
    """Write a page per clause into `out`/clauses."""
    every = list(explained)
    (out / FOLDER).mkdir(parents=True, exist_ok=True)
    known = {one.clause.id for one in every}
    style = source("report.css") + source("site.css")
    for number, one in enumerate(every):
        page = render(
            "clause.html",
            one=one,
            lines=list(_lines(one.clause.id, relays, folders)),
            before=every[number - 1].clause if number else None,
            after=every[number + 1].clause if number + 1 < len(every) else None,
            prose=lambda text: prose(text, known, "{0}.html"),
            style=style,
        )
        (out / address_of(one.clause.id)).write_text(page, encoding="utf-8")


def _lines(
    clause: str, relays: Mapping[str, Sequence[Entry]], folders: Mapping[str, str]
) -> Iterable[Line]:
    for relay, entries in relays.items():
        for spec in sorted({one.spec for one in entries}):
            marks = [
                Mark(
                    one.started,
                    str(verdict),
                    SIGNS[verdict],
                    f"../{folders[relay]}/{one.name}/report.html#{clause}",
                )
                for one in reversed(entries)
                if one.spec == spec and (verdict := one.verdict_of(clause)) is not None
            ]
            if marks:
                yield Line(relay, spec, marks)
