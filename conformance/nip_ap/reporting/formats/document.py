"""report.json: the document itself, for programs."""

from __future__ import annotations

from pathlib import Path

import orjson

from nip_ap.model.report import Report
from nip_ap.reporting.formats import Format


def write_document(report: Report, out: Path) -> None:
    """The document, indented; valid against reports/report.schema.json."""
    (out / "report.json").write_bytes(as_bytes(report))


def as_bytes(report: Report) -> bytes:
    """The document as JSON, indented, without a line break at its end."""
    return orjson.dumps(report.document.to_json(), option=orjson.OPT_INDENT_2)


FORMAT = Format(
    "document", "programs, `nip-ap diff`, `nip-ap site`", ("report.json",), write_document
)
