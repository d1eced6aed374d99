"""Two reports compared: what got worse, what got better, and where the frames first differ."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from nip_ap.model.capabilities import NO, YES, Capabilities, Capability
from nip_ap.model.clauses import JUNE, NOVEMBER, register
from nip_ap.model.frame import Frame
from nip_ap.model.latency import summary
from nip_ap.model.report import TargetName
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict
from nip_ap.reporting import report_of, write_reports
from nip_ap.reporting.compare.alignment import first_parting
from nip_ap.reporting.compare.difference import difference
from nip_ap.reporting.compare.shift import p_value, shift_of
from nip_ap.reporting.compare.text import markdown_of
from tests.certificate.conftest import nip_ap

V = Verdict


def result(check, verdict, *frames, **more):
    return Result(f"{check}/it", (check,), verdict, frames=frames, reason="because", **more)


def report_with(*results, count=YES, software="a-relay", seed="s", spec=NOVEMBER, why="probed"):
    found = {"count": Capability("count", count, "COUNT was tried", None)}
    capabilities = Capabilities(found, spec, why, {"software": software})
    subject = Subject("", "ws://127.0.0.1:1", capabilities)
    run = Run(subject, Settings(seed), tuple(one.check for one in results), results)
    return report_of(run, register(), started=0.0, seconds=1.0, target=TargetName(), workers=1)


CHANGES = {
    ("pass", "fail"): "regressions",
    ("pass", "warn"): "regressions",
    ("pass", "unstable"): "regressions",
    ("warn", "fail"): "regressions",
    ("not applicable", "fail"): "regressions",
    ("inconclusive", "fail"): "regressions",
    ("fail", "pass"): "repairs",
    ("warn", "pass"): "repairs",
    ("fail", "warn"): "repairs",
    ("pass", "inconclusive"): "undecided",
    ("fail", "error"): "undecided",
    ("fail", "not applicable"): "other",
    ("pass", "not applicable"): "regressions",
    ("warn", "not applicable"): "regressions",
    ("inconclusive", "pass"): "other",
}


@pytest.mark.parametrize(("verdicts", "sort"), CHANGES.items())
def test_a_change_is_of_its_sort(verdicts, sort):
    before, now = (report_with(result("AP-SLUG-01", V(one))) for one in verdicts)
    found = difference(before, now)
    sorts = ("regressions", "repairs", "undecided", "other")
    assert {one: len(getattr(found, one)) for one in sorts} == dict.fromkeys(sorts, 0) | {sort: 1}
    assert found.regressed_clauses == (("AP-SLUG-01",) if sort == "regressions" else ())


def test_new_and_gone_checks_are_neither_regressions_nor_repairs():
    before = report_with(result("AP-SLUG-01", V.PASS))
    now = report_with(result("AP-SLUG-02", V.FAIL))
    found = difference(before, now)
    assert (found.appeared, found.gone) == (("AP-SLUG-02/it",), ("AP-SLUG-01/it",))
    assert not found.regressions


def test_capabilities_that_come_and_go_are_told():
    one = result("AP-SLUG-01", V.PASS)
    found = difference(report_with(one), report_with(one, count=NO))
    (change,) = found.capabilities
    assert (change.name, change.before, change.now) == ("count", "yes", "no")
    assert change.evidence == "COUNT was tried"


def test_a_lost_capability_is_a_regression_though_every_check_is_green():
    one = result("AP-SLUG-01", V.PASS)
    lost = difference(report_with(one), report_with(one, count=NO))
    assert lost.has_regressed
    assert [change.name for change in lost.losses] == ["count"]
    assert "count fell from yes to no" in markdown_of(lost)
    gained = difference(report_with(one, count=NO), report_with(one))
    assert not gained.has_regressed


def test_a_relay_that_falls_to_the_older_revision_has_regressed():
    one = result("AP-SLUG-01", V.PASS)
    fell = difference(report_with(one), report_with(one, spec=JUNE))
    assert fell.has_regressed
    assert "revision fell from 2026-11 to 2026-06" in markdown_of(fell)
    assert not difference(report_with(one, spec=JUNE), report_with(one)).has_regressed


def test_the_older_revision_on_request_is_no_regression():
    one = result("AP-SLUG-01", V.PASS)
    asked = report_with(one, spec=JUNE, why="chosen by --spec")
    assert not difference(report_with(one), asked).has_regressed


def test_what_the_suite_had_no_means_for_is_no_regression():
    reason = "the suite does not control the relay's life (give --cmd, --image or --compose)"
    old = report_with(Result("AP-DUR-01/it", ("AP-DUR-01",), V.PASS))
    new = report_with(Result("AP-DUR-01/it", ("AP-DUR-01",), V.NOT_APPLICABLE, reason=reason))
    found = difference(old, new)
    assert not found.has_regressed
    assert len(found.other) == 1


def test_equal_reports_have_no_difference():
    one = report_with(result("AP-SLUG-01", V.FAIL))
    assert difference(one, one).is_nothing


# -- the first frame that differs --------------------------------------------------------

KEYS = {"a": "1" * 62, "b": "2" * 62}


def conversation(seed, answer, *, at=1_700_000_000, port=1):
    """A write and its answer, as another seed, time and place would have them."""
    identifier = f"{KEYS[seed]}aa"
    event = (
        f'{{"id":"{identifier}","pubkey":"{KEYS[seed]}bb","created_at":{at},'
        f'"tags":[["d","persona-{seed * 12}"]],"content":"of {seed}"}}'
    )
    tags = f'[["challenge","{seed}"],["relay","ws://h:{port}"]]'
    auth = f'["AUTH",{{"created_at":{at + 1},"tags":{tags}}}]'
    return (
        Frame(0.0, "suite", "", "note", f"clock reads {at}"),
        Frame(0.1, "owner", "ws", "received", f'["AUTH","random {seed}"]', 1),
        Frame(0.1, "owner", "ws", "sent", auth, 1),
        Frame(0.1, "owner", "ws", "sent", f'["EVENT",{event}]', 1),
        Frame(0.2, "owner", "ws", "received", f'["OK","{identifier}",{answer}]', 1),
    )


def test_other_keys_times_and_places_are_no_difference():
    old = conversation("a", "true")
    new = conversation("b", "true", at=1_800_000_000, port=2)
    assert first_parting(old, new, same_seed=False) is None


def test_the_first_frame_that_says_something_else_is_found():
    old, new = conversation("a", "true"), conversation("b", 'false,"invalid: no"')
    parting = first_parting(old, new, same_seed=False)
    assert (parting.before, parting.now) == (old[-1], new[-1])


def test_another_event_than_before_is_a_difference():
    """The second id that came up is not the first."""
    old, new = conversation("a", "true"), conversation("b", "true")
    other = replace(new[-1], text=f'["OK","{KEYS["b"]}cc",true]')
    assert first_parting(old, (*new[:-1], other), same_seed=False).now == other


def test_a_frame_too_few_or_too_many_is_a_difference():
    old = conversation("a", "true")
    assert first_parting(old, old[:-1], same_seed=True).before == old[-1]
    assert first_parting(old[:-1], old, same_seed=True).now == old[-1]


def test_the_order_among_connections_is_no_difference():
    one = Frame(0.1, "owner", "ws", "received", '["EOSE","x"]', 1)
    other = Frame(0.2, "owner", "ws", "received", '["EOSE","y"]', 2)
    assert first_parting((one, other), (other, one), same_seed=True) is None


def test_where_there_is_no_transcript_nothing_is_said():
    assert first_parting((), conversation("a", "true"), same_seed=True) is None


def test_contents_count_where_the_seed_is_the_same():
    old, new = conversation("a", "true"), conversation("b", "true")
    assert first_parting(old, new, same_seed=False) is None
    assert first_parting(old, new, same_seed=True).now == new[3]


# -- latency -----------------------------------------------------------------------------


def operation(*samples):
    return summary(samples, "EVENT to OK")


FAST = [0.002 + 0.0001 * (number % 7) for number in range(200)]


def test_what_takes_twice_as_long_is_a_shift():
    slow = [3 * one for one in FAST]
    shift = shift_of(operation(*FAST), operation(*slow))
    assert shift.is_slower
    assert shift.factor == pytest.approx(3, abs=0.2)
    assert not shift_of(operation(*slow), operation(*FAST)).is_slower


@pytest.mark.parametrize(
    "other",
    [
        FAST,
        [1.4 * one for one in FAST],
        [3 * one for one in FAST[:19]],
        [*FAST, 8.0, 9.0],
    ],
    ids=["the same", "less than twice", "too few samples", "two outliers"],
)
def test_noise_is_no_shift(other):
    assert shift_of(operation(*FAST), operation(*other)) is None


def test_microseconds_do_not_matter():
    tiny = [0.0001] * 100
    assert shift_of(operation(*tiny), operation(*[4 * one for one in tiny])) is None


def test_the_test_is_that_of_mann_and_whitney():
    """Against scipy.stats.mannwhitneyu(method="asymptotic", use_continuity=False)."""
    assert p_value({1: 3, 2: 2, 3: 1}, {2: 1, 3: 2, 4: 3}) == pytest.approx(0.013433465205771562)
    wide = p_value({1: 50, 2: 30, 3: 20}, {1: 40, 2: 30, 3: 25, 4: 5})
    assert wide == pytest.approx(0.06677360901607854)
    assert p_value({1: 5, 2: 5}, {1: 5, 2: 5}) == pytest.approx(1.0)
    assert p_value({1: 10}, {1: 10}) == 1.0


# -- output ------------------------------------------------------------------------------

NASTY = "x\x1b[31m</details>`code` | <script>"


@pytest.fixture
def folders(tmp_path):
    before = report_with(result("AP-SLUG-01", V.PASS, *conversation("a", "true")))
    now = report_with(
        result(
            "AP-SLUG-01", V.FAIL, *conversation("b", "false"), expected="acceptance", seen=NASTY
        ),
        count=NO,
        software=NASTY,
        seed="t",
    )
    for name, one in (("old", before), ("new", now)):
        write_reports(one, tmp_path / name)
    return tmp_path / "old", tmp_path / "new"


def test_the_command_shows_regressions_and_fails(folders):
    done = nip_ap("diff", *folders)
    assert (done.code, done.err) == (1, "")
    assert "AP-SLUG-01/it: pass -> fail" in done.out
    assert "1 clause regressed: AP-SLUG-01" in done.out
    assert 'was      0.200 s, owner received: ["OK"' in done.out
    assert "\x1b" not in done.out
    assert nip_ap("diff", *reversed(folders)).code == 0
    assert nip_ap("diff", folders[0] / "report.json", folders[0]).out.endswith("nothing changed\n")


def test_the_command_gives_json(folders):
    done = nip_ap("diff", "--json", *folders)
    found = json.loads(done.out)
    assert (done.code, found["regressed_clauses"]) == (1, ["AP-SLUG-01"])
    assert found["regressions"][0]["first_difference"]["now"]["text"].endswith(",false]")
    assert found["capabilities"][0]["name"] == "count"


def test_markdown_gives_a_relay_no_hold(folders):
    done = nip_ap("diff", "--markdown", *folders)
    assert done.code == 1
    assert "<script>" not in done.out
    assert "</details>" not in done.out
    assert "\x1b" not in done.out


def test_what_cannot_be_read_is_a_usage_error(folders, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    done = nip_ap("diff", folders[0], tmp_path / "x.json")
    assert done.code == 4
    assert "is not a report" in done.err
    assert nip_ap("diff", folders[0], tmp_path / "none").code == 4
    assert nip_ap("diff", "--json", "--markdown", *folders).code == 4
