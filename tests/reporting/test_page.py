"""The page without a browser: what is in it, what is not, and how large it gets."""

from __future__ import annotations

import base64
import json
import re
import zlib

import pytest
from bs4 import BeautifulSoup

from nip_ap.model.clauses import register
from nip_ap.model.verdict import Verdict
from nip_ap.reporting import read_report
from nip_ap.reporting.formats.page import html_of
from nip_ap.reporting.legible import visible
from nip_ap.reporting.sources import link_of
from tests.reporting.reports import (
    HOSTILE,
    PUBLISHED,
    hostile_report,
    made_report,
    one_of_each,
    result,
)

RUNNING = ("script", "iframe", "object", "embed", "base", "form", "img", "link", "svg", "a", "meta")
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


def soup_of(report):
    return BeautifulSoup(html_of(report), "html.parser")


def packed(soup):
    text = soup.find(id="transcripts").string
    return json.loads(zlib.decompress(base64.b64decode(text))) if text else {}


def text_of(element):
    return " ".join(element.get_text(" ").split())


def test_the_verdict_and_its_reason_come_first():
    soup = soup_of(one_of_each())
    assert text_of(soup.h1) == "Not conformant"
    assert "2 clauses broken" in text_of(soup.find(class_="why"))
    assert soup.title.string.startswith("not conformant: plain")


def test_each_clause_and_each_check_is_there_with_its_verdict():
    report = one_of_each()
    soup = soup_of(report)
    for clause in report.clauses:
        shown = soup.find(id=clause.id)
        assert shown["data-verdict"] == clause.verdict
        assert clause.level in text_of(shown.summary)
        assert shown.find(class_="text").get_text() == clause.text.replace("`", "")
        assert [one["data-check"] for one in shown.find_all(class_="check")] == list(clause.checks)
        assert soup.find("a", class_="cell", href=f"#{clause.id}")


def test_what_is_broken_is_named_first_with_the_command_that_repeats_it():
    report = one_of_each()
    soup = soup_of(report)
    shown = [text_of(one.h3).split()[1] for one in soup.find_all(class_="finding")]
    assert shown == ["fail", "unstable", "warn"]
    commands = [text_of(one.find(class_="command").code) for one in soup.find_all(class_="finding")]
    assert sorted(commands) == sorted(
        check.repro for check in report.checks_with(Verdict.FAIL, Verdict.UNSTABLE, Verdict.WARN)
    )
    assert len(soup.find(class_="undecided").find_all("li")) == 2


def test_a_conformant_run_says_so_and_shows_no_finding():
    soup = soup_of(made_report([result("AP-SLUG-01", Verdict.PASS)]))
    assert text_of(soup.h1) == "Conformant"
    assert soup.find_all(class_="finding") == []
    assert soup.find(class_="undecided") is None


def test_a_check_of_two_clauses_is_told_once_and_linked_from_the_other():
    one = result("AP-SLUG-01", Verdict.FAIL)
    both = type(one)(**{**vars(one), "clauses": ("AP-SLUG-01", "AP-REPL-03")})
    soup = soup_of(made_report([both]))
    assert len(soup.find_all(class_="check")) == 1
    anchor = soup.find(class_="check")["id"]
    assert soup.find(id="AP-REPL-03").find(class_="elsewhere").a["href"] == f"#{anchor}"


def test_the_transcripts_are_packed_and_nothing_of_a_short_one_is_missing():
    report = one_of_each()
    frames = packed(soup_of(report))
    for check, transcript in report.transcripts.items():
        assert [one[4] for one in frames[check]] == [frame.text for frame in transcript]


def test_of_a_long_transcript_the_ends_are_there_and_the_gap_is_counted():
    soup = soup_of(made_report([result("AP-SLUG-01", Verdict.PASS, frames=500)]))
    (frames,) = packed(soup).values()
    (gap,) = [one for one in frames if isinstance(one, int)]
    assert gap + len(frames) - 1 == 2001
    assert f"Of 2001 frames this page holds {len(frames) - 1}" in text_of(soup)


def test_without_scripts_the_last_frames_of_what_is_red_can_be_read():
    soup = soup_of(one_of_each())
    shown = {
        one["data-check"]: len(one.select(".wire li")) for one in soup.find_all(class_="check")
    }
    red = {check.id for check in one_of_each().checks_with(*list(Verdict)[2:])}
    assert {check for check, count in shown.items() if count} == red


def test_what_the_relay_logged_is_shown_as_text():
    soup = soup_of(
        made_report([result("AP-SLUG-01", Verdict.FAIL, log="panic at <b>\x1b[31m line 3")])
    )
    assert [one.get_text() for one in soup.find_all("pre")] == ["panic at <b>\\u001b[31m line 3"]


def test_measured_times_are_drawn():
    soup = soup_of(one_of_each())
    assert "half within" in soup.find(class_="check").find("svg")["aria-label"]
    assert text_of(soup.find(id="latency").parent).startswith("How long it took")


def test_a_page_of_the_worst_run_stays_under_two_megabytes():
    checks = [
        result(
            clause.id, Verdict.FAIL, "relays can be talkative " * 40, name=f"a_{number}", frames=50
        )
        for clause in register()
        for number in range(2)
    ]
    assert len(checks) > 600
    html = html_of(made_report(checks))
    assert len(html.encode()) < 2_000_000


@pytest.mark.parametrize(
    "path", sorted(PUBLISHED.glob("*/report.json")), ids=lambda p: p.parent.name
)
def test_published_reports_have_pages(path):
    report = read_report(path)
    soup = soup_of(report)
    assert len(soup.find_all(class_="check")) == len(report.checks)
    ids = [one["id"] for one in soup.find_all(id=True)]
    assert len(ids) == len(set(ids)), "an id that is there twice leads nowhere"
    inner = {one["href"][1:] for one in soup.find_all("a", href=True) if one["href"][0] == "#"}
    assert inner <= set(ids)


# -- hostile relays ------------------------------------------------------------------------


def test_nothing_that_a_relay_says_becomes_an_element():
    def elements(report):
        return {name: len(soup_of(report).find_all(name)) for name in RUNNING}

    ids = [clause.id for clause in register()]
    plain = made_report(
        [result(ids[n], list(Verdict)[n % len(Verdict)], "plain") for n in range(len(HOSTILE))],
        information={"name": "plain", "software": "plain", "version": "plain"},
        evidence="plain",
    )
    assert elements(hostile_report()) == elements(plain)


def test_no_attribute_comes_from_a_relay():
    for element in soup_of(hostile_report()).find_all(True):
        assert not [name for name in element.attrs if name.startswith("on")], element
        assert not str(element.get("href", "")).lower().startswith("javascript")


def test_nothing_that_cannot_be_seen_is_in_the_page():
    html = html_of(hostile_report())
    assert UNSEEN.search(html) is None
    assert "\\u202egnp.exe" in html
    everything = json.dumps(packed(soup_of(hostile_report())), ensure_ascii=False)
    assert UNSEEN.search(everything) is None


def test_templates_do_not_take_a_relays_text_for_a_template():
    assert "1337" not in text_of(soup_of(hostile_report()))


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_hostile_is_still_readable(text):
    soup = soup_of(one_of_each(text))
    shown = soup.find(class_="capabilities").find_all("td")[-1].get_text()
    assert shown.split() == visible(text).split()


def test_the_policy_of_the_page_forbids_everything_but_its_own():
    soup = soup_of(one_of_each())
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'")
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    loading = soup.find_all(["link", "script", "img"])
    assert [one for one in loading if one.get("src")] == []
    assert [one["href"] for one in soup.find_all("link")] == ["data:,"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00b\x1b", "a\\u0000b\\u001b"),
        ("\u202e", "\\u202e"),
        ("\U000e0041", "\\udb40\\udc41"),
        ("\ud800", "\\ud800"),
        ("tab\tline\nfeed é 👩‍💻", "tab\tline\nfeed é 👩‍💻"),
    ],
)
def test_what_cannot_be_seen_is_spelled_out(text, expected):
    assert visible(text) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("NIP-09, Event Deletion Request", "/09.md#event-deletion-request"),
        ("NIP-AP, Slimming: kind:30177 (instance state)", "#slimming-kind30177-instance-state"),
        ("relay-behaviour.md 6.2", ""),
    ],
)
def test_sources_lead_to_their_section(source, expected):
    found = link_of(source)
    assert found.endswith(expected)
    assert bool(found) == bool(expected)
