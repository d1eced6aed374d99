"""badge.svg for a README, and badge.json for a badge service that draws its own."""

from __future__ import annotations

from pathlib import Path

import orjson

from nip_ap.model.report import Report
from nip_ap.reporting.formats import Format
from nip_ap.reporting.templates import render

_COLOURS = {
    "conformant": ("brightgreen", "#267a3e"),
    "not conformant": ("red", "#b3261e"),
    "inconclusive": ("lightgrey", "#5a616d"),
    "known failures": ("yellow", "#7a5c00"),
    "baseline outdated": ("red", "#b3261e"),
}
_WIDTH_OF_A_CHARACTER, _PADDING = 6.6, 12


def write_badge(report: Report, out: Path) -> None:
    """A picture that needs no font and no network, and what https://shields.io draws one from."""
    (out / "badge.svg").write_text(badge_of(report), encoding="utf-8")
    label, message = words_of(report)
    colour, _ = _colours(report)
    value = {"schemaVersion": 1, "label": label, "message": message, "color": colour}
    (out / "badge.json").write_bytes(orjson.dumps(value, option=orjson.OPT_INDENT_2))


def badge_of(report: Report) -> str:
    """The SVG."""
    label, message = words_of(report)
    left, right = (round(len(one) * _WIDTH_OF_A_CHARACTER + _PADDING) for one in (label, message))
    _, colour = _colours(report)
    return render("badge.svg", label=label, message=message, left=left, right=right, colour=colour)


def words_of(report: Report) -> tuple[str, str]:
    """Revision; verdict and day. A run of a part of the checks never looks like a whole one."""
    document = report.document
    if document.run.scenarios:
        return "own checks", f"{_held(document.verdict)}, {document.run.started.partition('T')[0]}"
    part = f" ({len(document.checks)} checks only)" if _is_part(report) else ""
    day, _, _ = document.run.started.partition("T")
    return f"NIP-AP {document.run.spec}", f"{document.verdict}{part}, {day}"


def _held(verdict: str) -> str:
    """A verdict on somebody's own checks: they hold, and nothing conforms with NIP-AP by that."""
    return "hold" if verdict == "conformant" else verdict


def _is_part(report: Report) -> bool:
    """Whether checks of the suite were left out; what did not run though it had to is missing."""
    document = report.document
    return bool(document.run.only) or not (document.complete or document.missing)


def _colours(report: Report) -> tuple[str, str]:
    """Green is for whole runs."""
    verdict = report.document.verdict
    is_green = verdict == "conformant" and not _is_part(report)
    return _COLOURS["inconclusive" if verdict == "conformant" and not is_green else verdict]


FORMAT = Format("badge", "a README, and shields.io", ("badge.svg", "badge.json"), write_badge)
