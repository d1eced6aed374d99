"""junit.xml, as CI systems read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from nip_ap.model.diagnosis import Diagnosis
from nip_ap.model.report import CheckReport, Report
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.diagnosis import diagnosis_of
from nip_ap.reporting.formats import Format
from nip_ap.reporting.legible import harmless
from nip_ap.reporting.telling import told


def write_junit(report: Report, out: Path) -> None:
    """One testcase per check, in a suite per group; clause ids and levels as properties."""
    document = report.document
    diagnosis = diagnosis_of(report)
    groups: dict[str, list[ElementTree.Element]] = {}
    for check in report.checks:
        group = check.group
        groups.setdefault(group, []).append(_testcase(check, report, diagnosis))
    root = ElementTree.Element("testsuites", name="nip-ap-conformance")
    every = [case for cases in groups.values() for case in cases]
    root.attrib.update(_tally(every))
    for group, cases in groups.items():
        suite = ElementTree.SubElement(root, "testsuite", name=group)
        suite.attrib.update(_tally(cases), timestamp=document.run.started)
        run = document.run
        named = [
            ("verdict", document.verdict),
            ("relay", document.target.url),
            ("spec", run.spec),
            ("seed", run.seed),
        ]
        suite.append(_properties(named))
        suite.extend(cases)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(out / "junit.xml", encoding="utf-8", xml_declaration=True)


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


def _testcase(check: CheckReport, report: Report, diagnosis: Diagnosis) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=check.clause,
        name=_printable(check.name),
        time=f"{check.seconds:.3f}",
    )
    clauses = [("clause", one) for one in check.clauses]
    case.append(_properties([*clauses, ("level", check.level), ("verdict", check.verdict)]))
    verdict = check.verdict
    element, kind = _ELEMENTS.get(verdict, ("", ""))
    if check.known:
        known = _printable(f"known: {check.known}")
        ElementTree.SubElement(case, "skipped", message=known).text = told(check, report, diagnosis)
    elif element == "skipped":
        ElementTree.SubElement(case, element, message=_printable(check.reason))
    elif element:
        found = ElementTree.SubElement(case, element, message=_printable(check.reason))
        found.set("type", kind)
        found.text = told(check, report, diagnosis)
    elif verdict is Verdict.WARN:
        text = f"warning: {told(check, report, diagnosis)}"
        ElementTree.SubElement(case, "system-out").text = text
    return case


_ELEMENTS = {
    Verdict.FAIL: ("failure", "fail"),
    Verdict.UNSTABLE: ("failure", "unstable"),
    Verdict.INCONCLUSIVE: ("error", "inconclusive"),
    Verdict.ERROR: ("error", "error"),
    Verdict.NOT_APPLICABLE: ("skipped", ""),
}


def _printable(text: str) -> str:
    """Harmless text has nothing that XML 1.0 has no place for, such as control characters."""
    return harmless(text)


FORMAT = Format("junit", "CI systems", ("junit.xml",), write_junit)
