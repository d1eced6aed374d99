"""Known failures: what they excuse, and when the list itself is at fault."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from xml.etree import ElementTree

import jsonschema
import orjson
import pytest

from nip_ap.model.baseline import (
    EXPIRED,
    HOLDS,
    KNOWN,
    NOT_RUN,
    OTHER_CAUSE,
    UNDECIDED,
    Baseline,
    BaselineError,
    KnownFailure,
    read_baseline,
)
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.clauses import NOVEMBER, register
from nip_ap.model.report import TargetName
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.model.verdict import EXIT_CODES, RunVerdict, Verdict
from nip_ap.reporting import report_of, write_reports
from nip_ap.reporting.baseline_file import baseline_of
from nip_ap.resources import resource

V, R = Verdict, RunVerdict
TODAY = date(2026, 6, 15)
SUBJECT = Subject("", "ws://127.0.0.1:9", Capabilities({}, NOVEMBER, "probed"))


def result(verdict, clause="AP-SLUG-01", seen="seen 1"):
    return Result(f"{clause}/it", (clause,), verdict, reason="because", expected="e", seen=seen)


def run_of(*results, known=None, manifest=None, **settings):
    names = tuple(one.check for one in results) if manifest is None else manifest
    baseline = None if known is None else Baseline(tuple(known), TODAY)
    return Run(SUBJECT, Settings("s", **settings), names, results, baseline)


def entry(clause="AP-SLUG-01", **more):
    return KnownFailure(clause, "ticket 7", **more)


PASSED = result(V.PASS, "AP-SLUG-02")


@pytest.mark.parametrize(
    ("results", "known", "verdict", "state"),
    [
        ((result(V.FAIL), PASSED), entry(), R.KNOWN_FAILURES, KNOWN),
        ((result(V.FAIL),), entry(), R.KNOWN_FAILURES, KNOWN),
        ((result(V.UNSTABLE), PASSED), entry(), R.KNOWN_FAILURES, KNOWN),
        ((result(V.WARN), PASSED), entry(), R.CONFORMANT, KNOWN),
        ((result(V.FAIL), PASSED), entry(pattern=r"seen \d"), R.KNOWN_FAILURES, KNOWN),
        ((result(V.FAIL), PASSED), entry(pattern="something"), R.NOT_CONFORMANT, OTHER_CAUSE),
        ((result(V.WARN), PASSED), entry(pattern="something"), R.OUTDATED, OTHER_CAUSE),
        ((result(V.PASS), PASSED), entry(), R.OUTDATED, HOLDS),
        ((result(V.NOT_APPLICABLE), PASSED), entry(), R.OUTDATED, HOLDS),
        ((result(V.FAIL), PASSED), entry(until="2026-06-15"), R.KNOWN_FAILURES, KNOWN),
        ((result(V.FAIL), PASSED), entry(until="2026-06-14"), R.NOT_CONFORMANT, EXPIRED),
        ((result(V.PASS), PASSED), entry(until="2026-06-14"), R.OUTDATED, EXPIRED),
        ((result(V.INCONCLUSIVE), PASSED), entry(), R.INCONCLUSIVE, UNDECIDED),
        ((result(V.ERROR), PASSED), entry(), R.INCONCLUSIVE, UNDECIDED),
        ((PASSED,), entry(), R.CONFORMANT, NOT_RUN),
        ((result(V.FAIL), PASSED), entry("AP-SLUG-03"), R.NOT_CONFORMANT, NOT_RUN),
        ((result(V.FAIL), result(V.INCONCLUSIVE, "AP-SLUG-02")), entry(), R.INCONCLUSIVE, KNOWN),
    ],
)
def test_the_verdict_of_a_run_with_a_baseline(results, known, verdict, state):
    run = run_of(*results, known=[known])
    assert run.verdict is verdict
    assert run.why
    assert [one for _, one in run.baseline.states(run.results)] == [state]


def test_of_two_failures_one_known_the_run_is_not_conformant():
    run = run_of(result(V.FAIL), result(V.FAIL, "AP-SLUG-02"), known=[entry()])
    assert run.verdict is R.NOT_CONFORMANT
    assert run.why == "1 clause broken: AP-SLUG-02"


def test_one_entry_for_each_cause():
    other = Result("AP-SLUG-01/other", ("AP-SLUG-01",), V.FAIL, seen="two")
    known = [entry(pattern="^seen"), entry(pattern="two")]
    both = run_of(result(V.FAIL, seen="two"), other, known=known)
    assert both.verdict is R.OUTDATED
    assert both.why == "on the baseline, AP-SLUG-01 fails for another cause"
    each = run_of(Result("AP-SLUG-01/a", ("AP-SLUG-01",), V.FAIL, seen="seen"), other, known=known)
    assert each.verdict is R.KNOWN_FAILURES


def test_under_strict_a_warning_is_a_failure_that_can_be_known():
    run = run_of(result(V.WARN), PASSED, known=[entry()], strict=True)
    assert run.verdict is R.KNOWN_FAILURES
    assert run_of(result(V.WARN), PASSED, known=[], strict=True).verdict is R.NOT_CONFORMANT


def test_what_did_not_run_is_not_excused():
    manifest = ("AP-SLUG-01/it", "AP-SLUG-02/it")
    assert run_of(result(V.FAIL), known=[entry()], manifest=manifest).verdict is R.INCONCLUSIVE


def test_an_empty_baseline_changes_nothing():
    for verdict in (V.PASS, V.FAIL, V.INCONCLUSIVE, V.WARN):
        one = result(verdict)
        assert run_of(one, known=[]).verdict is run_of(one).verdict


def test_the_exit_codes_of_baselines():
    assert (EXIT_CODES[R.KNOWN_FAILURES], EXIT_CODES[R.OUTDATED]) == (0, 1)


def test_a_baseline_reaches_the_workers_whole():
    context = Context(Settings("s"), (SUBJECT,), baseline=Baseline((entry(pattern="x"),), TODAY))
    again = Context.from_json(json.loads(json.dumps(context.to_json())))
    assert again.baseline == context.baseline


# -- the file ----------------------------------------------------------------------------


def read(tmp_path, text):
    (tmp_path / "b.toml").write_text(text)
    return read_baseline(tmp_path / "b.toml", register(), TODAY)


GOOD = '[[known]]\nclause = "AP-SLUG-01"\nreason = "because"\n'


def test_a_file_is_read(tmp_path):
    found = read(tmp_path, f'{GOOD}pattern = "a.c"\nuntil = 2027-01-31\n{GOOD}until = "2027-02-01"')
    assert found.entries == (
        KnownFailure("AP-SLUG-01", "because", "a.c", "2027-01-31"),
        KnownFailure("AP-SLUG-01", "because", "", "2027-02-01"),
    )
    assert read(tmp_path, "").entries == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("known", "is not TOML"),
        ("[[failure]]\n", "entries of this form"),
        ("known = 1", "entries of this form"),
        ("[[known]]\n", "an entry without a clause"),
        (GOOD.replace("AP-SLUG-01", "AP-SLUG-99"), "there is no clause AP-SLUG-99"),
        (GOOD.replace("because", " "), "needs a reason"),
        (f"{GOOD}untill = 2027-01-31", "AP-SLUG-01 has 'untill'"),
        (f"{GOOD}until = 2027-13-31", "is not TOML"),
        (f'{GOOD}until = "soon"', "has to be a day such as"),
        (f"{GOOD}until = 17", "has to be a day such as"),
        (f'{GOOD}pattern = "("', "is not a regular expression"),
        (f"{GOOD}pattern = 1", "is not a regular expression"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, text, reason):
    with pytest.raises(BaselineError, match=reason):
        read(tmp_path, text)


# -- reports -----------------------------------------------------------------------------


def report(run):
    return report_of(run, register(), started=0.0, seconds=1.0, target=TargetName(), workers=1)


def test_the_report_shows_what_was_known(tmp_path):
    run = run_of(result(V.FAIL), PASSED, known=[entry(until="2026-12-31")])
    document = json.loads(orjson.dumps(report(run).document.to_json()))
    jsonschema.validate(document, json.loads(resource("reports/report.schema.json").read_text()))
    assert document["verdict"] == "known failures"
    assert document["why"] == "1 clause broken, all on the baseline: AP-SLUG-01"
    assert document["checks"][0]["verdict"] == "fail", "what is known is a failure all the same"
    assert document["checks"][0]["known"] == "ticket 7 (until 2026-12-31)"
    assert "known" not in document["checks"][1]
    assert document["baseline"] == [
        {"clause": "AP-SLUG-01", "reason": "ticket 7", "pattern": None, "until": "2026-12-31",
         "state": "fails as known"},
    ]  # fmt: skip


def test_in_junit_what_is_known_is_skipped_with_its_reason(tmp_path):
    write_reports(report(run_of(result(V.FAIL), PASSED, known=[entry()])), tmp_path)
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert root.findall(".//failure") == []
    (skipped,) = root.findall(".//skipped")
    assert skipped.get("message") == "known: ticket 7"
    for name in ("report.html", "summary.md"):
        assert "ticket 7" in (tmp_path / name).read_text()


def test_a_baseline_that_was_written_knows_of_everything_broken(tmp_path):
    seen = 'event 1a2b3c4d5e of 1795381910 "quoted" \\ back\nand more'
    failures = [
        Result(
            f"AP-SLUG-0{n}/it[{k}]", (f"AP-SLUG-0{n}",), V.FAIL, expected="e", seen=f"{k} {seen}"
        )
        for n in (1, 2)
        for k in range(n * 3)
    ]
    broken = run_of(*failures, PASSED)
    text = baseline_of(report(broken), "a reason")
    assert {one["clause"] for one in tomllib.loads(text)["known"]} == {"AP-SLUG-01", "AP-SLUG-02"}
    known = read(tmp_path, text).entries
    again = [  # another run: other ids and times
        Result(one.check, one.clauses, one.verdict, seen=one.seen.replace("1a2b3c4d5e", "ffffffff"))
        for one in failures
    ]
    assert run_of(*again, PASSED, known=known).verdict is R.KNOWN_FAILURES
    other = [Result(one.check, one.clauses, V.FAIL, seen="a new cause") for one in failures]
    assert run_of(*other, PASSED, known=known).verdict is R.NOT_CONFORMANT
