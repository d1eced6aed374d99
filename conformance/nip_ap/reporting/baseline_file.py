"""`nip-ap baseline`: a baseline that knows of what is broken in a report, to be edited."""

from __future__ import annotations

import json
import re

from nip_ap.model.report import CheckReport, Report
from nip_ap.model.verdict import BROKEN
from nip_ap.reporting.legible import counted, on_one_line

_VARYING = re.compile(r"[0-9a-f]{8,}|\d+")
_LONGEST = 120
_MOST_CAUSES = 4


def baseline_of(report: Report, reason: str) -> str:
    """The TOML of a baseline with one entry per broken clause; `reason` is put into each.

    The pattern fits the causes that were seen, whatever numbers, ids and slugs they name.
    """
    document = report.document
    target = document.target
    broken: dict[str, list[CheckReport]] = {}
    for check in report.checks_with(*BROKEN):
        broken.setdefault(check.clauses[0], []).append(check)
    lines = [
        f"# Known failures of {on_one_line(target.software or target.url)}, "
        f"revision {document.run.spec}, as of {document.run.started[:10]}.",
        "# Each entry is tested on. One that no longer fails, fails for another cause or is past",
        "# its `until` fails the run. Say in `reason` why it is accepted, and set a day.",
    ]
    for clause, checks in broken.items():
        lines += [
            "",
            f"# {counted(len(checks), 'check')}, such as {on_one_line(checks[0].id)}",
            "[[known]]",
            f"clause = {_quoted(clause)}",
            f"reason = {_quoted(reason)}",
        ]
        pattern = _pattern(checks)
        if pattern:
            lines.append(f"pattern = {_quoted(pattern)}")
        lines.append("# until = 2027-01-31")
    return "\n".join(lines) + "\n"


def _pattern(checks: list[CheckReport]) -> str:
    """One alternative a cause; "" where there are too many to be read."""
    causes = list(dict.fromkeys(_generalised(_cause(check)) for check in checks))
    return "|".join(causes) if len(causes) <= _MOST_CAUSES else ""


def _cause(check: CheckReport) -> str:
    lines = str(check.seen or check.reason).splitlines()
    return lines[0][:_LONGEST] if lines else ""


def _generalised(text: str) -> str:
    """A pattern for the text with any number in the place of each number and id."""
    parts, at = [], 0
    for found in _VARYING.finditer(text):
        varying = r"\d+" if found[0].isdigit() else "[0-9a-f]+"
        parts += [re.escape(text[at : found.start()]), varying]
        at = found.end()
    pattern = "".join([*parts, re.escape(text[at:])])
    # What was cut in the middle of an id may go on otherwise.
    return pattern.replace(r"\ ", " ")


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a part of TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=True).replace("\x7f", "\\u007f")
