"""The files of a report. One decorated function adds a format."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import orjson

from nip_ap.reporting.model import PREFLIGHT_PATH, Report, transcript_name
from nip_ap.verdict import Verdict
from nip_ap.wire import Frame

Writer = Callable[[Report, Path], None]

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
    root = ElementTree.Element("testsuites", name="nip-ap-conformance")
    groups: dict[str, list[ElementTree.Element]] = {}
    for check in document["checks"]:
        group = check["clauses"][0].split("-")[1] if check["clauses"] else "?"
        groups.setdefault(group, []).append(_testcase(check))
    for group, cases in groups.items():
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=group,
            tests=str(len(cases)),
            failures=str(sum(case.find("failure") is not None for case in cases)),
            errors=str(sum(case.find("error") is not None for case in cases)),
            skipped=str(sum(case.find("skipped") is not None for case in cases)),
            time=f"{sum(float(case.get('time', '0')) for case in cases):.3f}",
            timestamp=document["run"]["started"],
        )
        suite.extend(cases)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _testcase(check: dict[str, object]) -> ElementTree.Element:
    identifier = str(check["id"])
    case = ElementTree.Element(
        "testcase",
        classname=identifier.partition("/")[0],
        name=_printable(identifier.partition("/")[2]),
        time=f"{check['seconds']:.3f}",
    )
    properties = ElementTree.SubElement(case, "properties")
    clauses = check["clauses"] if isinstance(check["clauses"], list) else []
    named = [("clause", clause) for clause in clauses]
    for name, value in [*named, ("level", check["level"]), ("verdict", check["verdict"])]:
        ElementTree.SubElement(properties, "property", name=name, value=str(value))
    verdict = Verdict(str(check["verdict"]))
    text = _printable(
        f"expected {check['expected']}\nseen {check['seen']}\nrepeat: {check['repro']}"
        if check["expected"]
        else f"{check['reason']}\nrepeat: {check['repro']}"
    )
    message = _printable(str(check["reason"]))
    if verdict in (Verdict.FAIL, Verdict.UNSTABLE):
        ElementTree.SubElement(case, "failure", message=message, type=str(verdict)).text = text
    elif verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR):
        ElementTree.SubElement(case, "error", message=message, type=str(verdict)).text = text
    elif verdict is Verdict.NOT_APPLICABLE:
        ElementTree.SubElement(case, "skipped", message=message)
    elif verdict is Verdict.WARN:
        ElementTree.SubElement(case, "system-out").text = f"warning: {text}"
    return case


def _printable(text: str) -> str:
    """XML 1.0 has no place for most control characters, surrogates, U+FFFE and U+FFFF."""
    return _NOT_IN_XML.sub("�", text)
