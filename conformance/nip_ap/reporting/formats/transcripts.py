"""transcripts/: every frame of every check, for whoever wants to see or judge it again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from nip_ap.model.frame import Frame
from nip_ap.model.report import PREFLIGHT_PATH, Report, transcript_path
from nip_ap.reporting.formats import Format


def write_transcripts(report: Report, out: Path) -> None:
    """One JSON Lines file per check: every frame, in order; and one of the preflight."""
    folder = out / "transcripts"
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("*.jsonl"):
        stale.unlink()
    for check, frames in report.transcripts.items():
        (out / transcript_path(check)).write_bytes(_json_lines(frames))
    if report.preflight:
        (out / PREFLIGHT_PATH).write_bytes(_json_lines(report.preflight))


def _json_lines(frames: Sequence[Frame]) -> bytes:
    return b"".join(
        orjson.dumps(frame.to_json(), option=orjson.OPT_APPEND_NEWLINE) for frame in frames
    )


FORMAT = Format("transcripts", "`nip-ap verify`, and you", ("transcripts/",), write_transcripts)
