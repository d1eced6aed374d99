"""Reports and transcripts, read from files that may be somebody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import orjson

from nip_ap.model.faults import UsageFault
from nip_ap.model.frame import Frame
from nip_ap.model.report import FORMAT, PREFLIGHT_PATH, Document, Report
from nip_ap.resources import resource


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frame in its file. Read by its types: other values are refused before they take memory."""

    at: float
    who: str
    door: str
    direction: str
    text: str
    connection: int = 0


_LINES = msgspec.json.Decoder(_Line)


class ReportUnreadable(UsageFault, ValueError):
    """A report that cannot be used; the message names the file, the place and what is wrong."""


def read_report(path: Path) -> Report:
    """The report in a file, or in the report.json of a folder that --out made.

    The document is checked against the schema, for it may be somebody else's. Transcripts are read
    when they are asked for; where there is no file, a check's are the last frames of the document.
    Raises ReportUnreadable.
    """
    file = path / "report.json" if path.is_dir() else path
    document = read_document(file)
    preflight = file.parent / PREFLIGHT_PATH
    return Report(
        document,
        _TranscriptFiles(file.parent, document),
        read_transcript(preflight) if preflight.is_file() else (),
    )


def read_document(file: Path) -> Document:
    """The document in a file, checked against the schema. Raises ReportUnreadable."""
    try:
        value = orjson.loads(file.read_bytes())
    except OSError as error:
        raise ReportUnreadable(
            f"{file} cannot be read ({error.strerror}); `nip-ap run --out DIR` makes a report"
        ) from None
    except orjson.JSONDecodeError as error:
        raise ReportUnreadable(f"{file} is not JSON: {error}") from None
    return document_of(value, file)


def document_of(value: Any, file: Path) -> Document:
    """The document that was read from a file, checked against the schema.

    Raises ReportUnreadable.
    """
    complaint = next(_schema().iter_errors(value), None)
    if complaint is not None:
        place = "/".join(map(str, complaint.absolute_path)) or "the document"
        raise ReportUnreadable(
            f"{file} is not a report of the format {FORMAT}: {place}: {complaint.message[:300]}"
        )
    try:
        return Document.from_json(value)
    except ValueError as error:  # beyond the schema, such as a number that no float holds
        raise ReportUnreadable(f"{file} is not a report of the format {FORMAT}: {error}") from None


@cache
def _schema() -> Any:
    from jsonschema import Draft202012Validator  # takes 0.1 s, and a run reads no report

    return Draft202012Validator(orjson.loads(resource("reports/report.schema.json").read_bytes()))


def read_transcript(file: Path, *, most: int | None = None) -> tuple[Frame, ...]:
    """The frames in a file of transcripts/, or the first of them. Raises ReportUnreadable."""
    try:
        with file.open("rb") as lines:  # of bytes: text would break at U+2028 too
            return tuple(
                Frame(**msgspec.structs.asdict(_LINES.decode(line))) for line in islice(lines, most)
            )
    except (OSError, ValueError) as error:
        raise ReportUnreadable(f"{file} is not a transcript: {error}") from None


class _TranscriptFiles(Mapping[str, Sequence[Frame]]):
    """The transcripts of a report that was read: of the files next to it, by check."""

    def __init__(self, folder: Path, document: Document) -> None:
        self._folder = folder
        self._checks = {check.id: check for check in document.checks}

    def __getitem__(self, check: str) -> Sequence[Frame]:
        file = self._folder / self._checks[check].transcript
        if not file.is_file():
            shown = self._checks[check].frames or ()
            return tuple(Frame(**msgspec.structs.asdict(one)) for one in shown)
        return read_transcript(file)

    def __iter__(self) -> Iterator[str]:
        return iter(self._checks)

    def __len__(self) -> int:
        return len(self._checks)
