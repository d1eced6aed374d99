"""sequences/: what generated traffic found, as `nip-ap run --replay FILE` plays it again."""

from __future__ import annotations

from pathlib import Path

import orjson

from nip_ap.model.report import Report, transcript_path
from nip_ap.reporting.formats import Format

FOLDER = "sequences"


def write_sequences(report: Report, out: Path) -> None:
    """One JSON file for each check that found a sequence."""
    folder = out / FOLDER
    for stale in folder.glob("*.json"):
        stale.unlink()
    for check in report.checks:
        found = check.facts.get("sequence")
        if found is not None:
            folder.mkdir(exist_ok=True)
            name = f"{Path(transcript_path(check.id)).stem}.json"
            (folder / name).write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))


FORMAT = Format(
    "sequences", "`nip-ap run --replay`, to try a find elsewhere", (f"{FOLDER}/",), write_sequences
)
