"""summary.md, the badges and junit.xml, read as those read them who show them."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import jsonschema
import pytest
from bs4 import BeautifulSoup
from junitparser import Failure, JUnitXml
from markdown_it import MarkdownIt

from nip_ap.model.clauses import register
from nip_ap.model.verdict import Verdict
from nip_ap.reporting import read_report, write_reports
from nip_ap.reporting.formats.badge import badge_of, words_of
from nip_ap.reporting.formats.summary import markdown_of
from nip_ap.reporting.legible import visible
from tests.reporting.reports import (
    HOSTILE,
    PUBLISHED,
    hostile_report,
    made_report,
    one_of_each,
    result,
)


def shown(report):
    """What GitHub would make of the summary."""
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(markdown_of(report))
    return BeautifulSoup(html, "html.parser")


def test_a_summary_begins_with_the_verdict_and_its_reason():
    soup = shown(one_of_each())
    assert soup.h2.get_text() == "❌ plain: not conformant"
    assert "2 clauses broken" in soup.p.get_text()


def test_a_summary_counts_each_group():
    soup = shown(one_of_each())
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in soup.find_all("tr")[1:]]
    assert [row[0] for row in rows] == ["✗ SLUG"]
    assert rows[0][1:] == ["1"] * 7


def test_a_summary_tells_each_broken_clause_with_its_command():
    report = one_of_each()
    soup = shown(report)
    folded = soup.find_all("details")
    assert len(folded) == 3
    red = report.checks_with(Verdict.FAIL, Verdict.UNSTABLE, Verdict.WARN)
    commands = sorted(one.code.find_next("pre").get_text().strip() for one in folded)
    assert commands == sorted(check.repro for check in red)


def test_a_summary_of_a_conformant_run_is_short():
    assert len(markdown_of(made_report([result("AP-SLUG-01", Verdict.PASS)]))) < 600


def test_a_summary_of_the_worst_run_is_within_what_github_takes():
    checks = [
        result(clause.id, verdict, "x" * 3000, name=f"a_{number}")
        for clause in register()
        for number, verdict in enumerate((Verdict.FAIL, Verdict.INCONCLUSIVE))
    ]
    assert len(markdown_of(made_report(checks)).encode()) < 100_000


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_relay_says_is_text_in_a_summary(text):
    soup, plain = shown(one_of_each(text)), shown(one_of_each("plain"))
    for name in ("script", "img", "a", "iframe", "svg", "h1", "strong", "em", "table", "details"):
        assert len(soup.find_all(name)) == len(plain.find_all(name)), name
    seen = next(one for one in soup.find_all("li") if one.get_text().startswith("Seen: "))
    wanted = " ".join(visible(text.replace("\n", " ").replace("\t", " ")).split())
    assert seen.get_text().removeprefix("Seen: ").split() == wanted.split()


def test_nobody_is_mentioned_and_nothing_linked_by_a_relay():
    text = markdown_of(one_of_each("@octocat see https://example.com or www.example.com #1"))
    assert "@octocat" not in text
    assert "https://example" not in text
    assert "www.example" not in text
    assert "\\#1" in text


# -- badges ----------------------------------------------------------------------------------

ENDPOINT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schemaVersion", "label", "message", "color"],
    "properties": {
        "schemaVersion": {"const": 1},
        "label": {"type": "string", "minLength": 1},
        "message": {"type": "string", "minLength": 1},
        "color": {"enum": ["brightgreen", "red", "lightgrey"]},
    },
}


@pytest.mark.parametrize(
    ("verdict", "message", "colour"),
    [
        (Verdict.PASS, "conformant", "brightgreen"),
        (Verdict.FAIL, "not conformant", "red"),
        (Verdict.INCONCLUSIVE, "inconclusive", "lightgrey"),
    ],
)
def test_a_badge_says_the_verdict(tmp_path, verdict, message, colour):
    report = made_report([result("AP-SLUG-01", verdict)])
    write_reports(report, tmp_path)
    endpoint = json.loads((tmp_path / "badge.json").read_text())
    jsonschema.validate(endpoint, ENDPOINT)
    message = f"{message}, 1970-01-01"
    assert (endpoint["label"], endpoint["message"]) == ("NIP-AP 2026-11", message)
    assert endpoint["color"] == colour
    picture = ElementTree.parse(tmp_path / "badge.svg").getroot()
    assert picture.get("aria-label") == f"NIP-AP 2026-11: {message}"
    texts = [one.text for one in picture.iter() if one.tag.endswith("}text")]
    assert texts == ["NIP-AP 2026-11", message]


def test_the_badge_of_a_part_says_so():
    report = made_report([result("AP-SLUG-01", Verdict.PASS)], only=("SLUG",))
    number = len(report.document.checks)
    assert words_of(report) == ("NIP-AP 2026-11", f"conformant ({number} checks only), 1970-01-01")


def test_a_badge_loads_nothing():
    picture = badge_of(hostile_report())
    assert "href" not in picture
    assert picture.count("http") == 1, "the name of the SVG namespace alone"


# -- JUnit -----------------------------------------------------------------------------------


@pytest.fixture
def junit(tmp_path):
    """junit.xml of a report, read by junitparser."""

    def read(report):
        write_reports(report, tmp_path)
        return JUnitXml.fromfile(str(tmp_path / "junit.xml"))

    return read


def test_a_ci_system_reads_the_same_numbers_from_junit(junit):
    xml = junit(one_of_each())
    assert (xml.tests, xml.failures, xml.errors, xml.skipped) == (7, 2, 2, 1)
    for suite in xml:
        before = (suite.tests, suite.failures, suite.errors, suite.skipped)
        suite.update_statistics()
        assert before == (suite.tests, suite.failures, suite.errors, suite.skipped)


def test_a_red_testcase_tells_all_that_one_needs(junit):
    report = made_report([result("AP-SLUG-02", Verdict.FAIL, "was accepted")])
    (case,) = next(iter(junit(report)))
    (failure,) = case.result
    assert isinstance(failure, Failure)
    assert failure.message == "was accepted"
    for part in (
        "AP-SLUG-02 MUST: An empty slug is refused",
        "expected  was accepted",
        "control   was accepted",
        'owner <- ["NOTICE","was accepted"]',
        f"repeat: {report.checks[0].repro}",
    ):
        assert part in failure.text


def test_a_suite_names_the_relay_the_revision_and_the_seed(junit):
    suite = next(iter(junit(one_of_each())))
    found = {one.name: one.value for one in suite.properties()}
    assert found == {
        "verdict": "not conformant",
        "relay": "ws://127.0.0.1:1",
        "spec": "2026-11",
        "seed": "seed",
    }


def test_junit_of_a_hostile_relay_is_well_formed(junit):
    report = hostile_report()
    assert sum(suite.tests for suite in junit(report)) == len(report.checks)


@pytest.mark.parametrize(
    "path", sorted(PUBLISHED.glob("*/report.json")), ids=lambda p: p.parent.name
)
def test_published_reports_have_every_format(path, tmp_path):
    written = write_reports(read_report(path), tmp_path)
    missing = {one.name for one in written if not one.exists()}
    assert missing <= {"sequences"}, "only what a report may do without"
    names = {one.name for one in written}
    assert names >= {"report.html", "summary.md", "badge.svg", "badge.json", "junit.xml"}
