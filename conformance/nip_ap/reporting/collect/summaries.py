"""What a collection needs of each report, kept in a folder so that it is extracted once.

A summary is the document of a report without its checks, which are nearly all of it, but for the
reasons of those that did not apply. It is good as long as the report has the same size and time,
and the code and templates that use it are the same.
"""

from __future__ import annotations

import contextlib
import hashlib
from functools import cache
from pathlib import Path

import msgspec

from nip_ap.model.report import Document
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.reading import read_document
from nip_ap.resources import resource
from nip_ap.version import __version__

FOLDER = ".summaries"


class _Kept(msgspec.Struct, frozen=True):
    stamp: tuple[str, int, int]
    document: Document


def summary_of(document: Document) -> Document:
    """The part of a document that a collection needs."""
    reasons = tuple(
        msgspec.structs.replace(one, controls=(), notes=(), facts={}, frames=None, log="")
        for one in document.checks
        if one.verdict is Verdict.NOT_APPLICABLE
    )
    return msgspec.structs.replace(document, checks=reasons)


class Summaries:
    """Summaries of reports, kept in a folder; in none where that cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._known: set[Path] = set()

    def of(self, report: Path) -> Document:
        """The summary of a report. Raises ReportUnreadable."""
        with contextlib.suppress(OSError, msgspec.DecodeError):
            kept = msgspec.json.decode(self._file(report).read_bytes(), type=_Kept)
            if kept.stamp == _stamp(report):
                self._known.add(report)
                return kept.document
        return summary_of(read_document(report))

    def has(self, report: Path) -> bool:
        """Whether the summary of a report came from the folder: nothing has changed since."""
        return report in self._known

    def keep(self, report: Path, summary: Document) -> None:
        """Keep the summary of a report, once all that is made of it has been written."""
        with contextlib.suppress(OSError):  # a folder that is not ours to write to
            self._folder.mkdir(exist_ok=True)
            kept = _Kept(_stamp(report), summary)
            self._file(report).write_bytes(msgspec.json.encode(kept))

    def _file(self, report: Path) -> Path:
        name = hashlib.sha256(str(report.resolve()).encode()).hexdigest()[:32]
        return self._folder / f"{name}.json"


def _stamp(report: Path) -> tuple[str, int, int]:
    found = report.stat()
    return _made_with(), found.st_size, found.st_mtime_ns


@cache
def _made_with() -> str:
    """A digest of what turns reports into pages."""
    files = [
        *Path(__file__).parents[1].rglob("*.py"),
        *resource("reports/templates").iterdir(),
        resource("fixtures/signatures.json"),
    ]
    digest = hashlib.sha256(__version__.encode())
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()
