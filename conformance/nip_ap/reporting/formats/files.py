"""The files of a report. One decorated function adds a format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson

from nip_ap.model.report import PREFLIGHT_PATH, Report, transcript_name
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.legible import brief
from nip_ap.wire import Frame

Writer = Callable[[Report, Path], None]

_FRAMES, _FRAME, _LOG_LINES = 8, 600, 20
_LINE = orjson.OPT_APPEND_NEWLINE

_NOT_IN_XML = re.compile("[^\\t\\n\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


@dataclass(frozen=True)
class ReportFormat:
    """A file or folder that a report can be written as."""

    name: str
    write: Writer


FORMATS: dict[str, ReportFormat] = {}


def report_format(name: str) -> Callable[[Writer], Writer]:
    """Register what writes a format; `name` is the file's name within --out."""

    def register(writer: Writer) -> Writer:
        FORMATS[name] = ReportFormat(name, writer)
        return writer

    return register


def write_reports(report: Report, out: Path) -> list[Path]:
    """Write every format into a folder, which is made if needed."""
    out.mkdir(parents=True, exist_ok=True)
    for one in FORMATS.values():
        one.write(report, out / one.name)
    return [out / name for name in FORMATS]


@report_format("report.json")
def write_json(report: Report, path: Path) -> None:
    """The document itself, indented; valid against reports/report.schema.json."""
    path.write_bytes(orjson.dumps(report.document, option=orjson.OPT_INDENT_2))


@report_format("transcripts")
def write_transcripts(report: Report, path: Path) -> None:
    """One JSON Lines file a check: every frame, in order; and one of the preflight."""
    path.mkdir(exist_ok=True)
    for stale in path.glob("*.jsonl"):
        stale.unlink()
    for check, frames in report.transcripts.items():
        (path / transcript_name(check)).write_bytes(_json_lines(frames))
    if report.preflight:
        (path.parent / PREFLIGHT_PATH).write_bytes(_json_lines(report.preflight))


def _json_lines(frames: Sequence[Frame]) -> bytes:
    return b"".join(orjson.dumps(frame.to_json(), option=_LINE) for frame in frames)


@report_format("junit.xml")
def write_junit(report: Report, path: Path) -> None:
    """One testcase a check, in a suite a group; clause ids and levels as properties."""
    document = report.document
    titles = {clause["id"]: clause["title"] for clause in report.clauses}
    groups: dict[str, list[ElementTree.Element]] = {}
    for check in report.checks:
        group = check["clauses"][0].split("-")[1] if check["clauses"] else "?"
        groups.setdefault(group, []).append(_testcase(check, titles, report))
    root = ElementTree.Element("testsuites", name="nip-ap-conformance")
    every = [case for cases in groups.values() for case in cases]
    root.attrib.update(_tally(every))
    for group, cases in groups.items():
        suite = ElementTree.SubElement(root, "testsuite", name=group)
        suite.attrib.update(_tally(cases), timestamp=document["run"]["started"])
        run = document["run"]
        named = [
            ("verdict", document["verdict"]),
            ("relay", document["target"]["url"]),
            *((name, run[name]) for name in ("spec", "seed")),
        ]
        suite.append(_properties(named))
        suite.extend(cases)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _tally(cases: Sequence[ElementTree.Element]) -> dict[str, str]:
    """The attributes that count what a suite holds."""
    return {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
        "time": f"{sum(float(case.get('time', '0')) for case in cases):.3f}",
    }


def _properties(named: Iterable[tuple[str, object]]) -> ElementTree.Element:
    properties = ElementTree.Element("properties")
    for name, value in named:
        ElementTree.SubElement(properties, "property", name=name, value=_printable(str(value)))
    return properties


def _testcase(
    check: Mapping[str, Any], titles: Mapping[str, str], report: Report
) -> ElementTree.Element:
    clause, _, name = check["id"].partition("/")
    case = ElementTree.Element(
        "testcase", classname=clause, name=_printable(name), time=f"{check['seconds']:.3f}"
    )
    clauses = [("clause", one) for one in check["clauses"]]
    case.append(_properties([*clauses, ("level", check["level"]), ("verdict", check["verdict"])]))
    verdict = Verdict(check["verdict"])
    element, kind = _ELEMENTS.get(verdict, ("", ""))
    if "known" in check:
        told = ElementTree.SubElement(
            case, "skipped", message=_printable(f"known: {check['known']}")
        )
        told.text = _told(check, titles, report)
    elif element == "skipped":
        ElementTree.SubElement(case, element, message=_printable(check["reason"]))
    elif element:
        told = ElementTree.SubElement(case, element, message=_printable(check["reason"]))
        told.set("type", kind)
        told.text = _told(check, titles, report)
    elif verdict is Verdict.WARN:
        text = f"warning: {_told(check, titles, report)}"
        ElementTree.SubElement(case, "system-out").text = text
    return case


_ELEMENTS = {
    Verdict.FAIL: ("failure", "fail"),
    Verdict.UNSTABLE: ("failure", "unstable"),
    Verdict.INCONCLUSIVE: ("error", "inconclusive"),
    Verdict.ERROR: ("error", "error"),
    Verdict.NOT_APPLICABLE: ("skipped", ""),
}
_ARROWS = {"sent": "->", "received": "<-", "note": "--"}


def _told(check: Mapping[str, Any], titles: Mapping[str, str], report: Report) -> str:
    """What CI systems show when one opens a red check: all that one needs, as plain text."""
    lines = [f"{one} {check['level']}: {titles[one]}" for one in check["clauses"]]
    if check["expected"]:
        lines += [f"expected  {check['expected']}", f"seen      {check['seen']}"]
    else:
        lines += [f"because   {check['reason']}"]
    lines += [
        f"control   {one['twin']}; differs in {one['difference']}" for one in check["controls"][:3]
    ]
    lines += [
        f"{frame.at:9.3f} {frame.who} {_ARROWS[frame.direction]} {brief(frame.text[:_FRAME])}"
        for frame in report.transcripts.get(check["id"], ())[-_FRAMES:]
    ]
    if check.get("log"):
        lines += ["the relay's log:", *check["log"].splitlines()[-_LOG_LINES:]]
    return _printable("\n".join([*lines, f"repeat: {check['repro']}"]))


def _printable(text: str) -> str:
    """XML 1.0 has no place for most control characters, surrogates, U+FFFE and U+FFFF."""
    return _NOT_IN_XML.sub("�", text)
