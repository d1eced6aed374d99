"""--like REPORT: what a relay offered once, it is held to."""

from __future__ import annotations

import pytest

from nip_ap.engine.keys import SettingsError
from nip_ap.engine.likeness import held_to
from nip_ap.model.capabilities import NO, YES, Capabilities, Capability
from nip_ap.model.clauses import JUNE, NOVEMBER, register
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict
from nip_ap.reporting import TargetName, report_of, write_reports


@pytest.fixture
def earlier(tmp_path):
    found = {
        name: Capability(name, offered, "probed")
        for name, offered in (("count", YES), ("search", NO), ("rate-limit", YES))
    }
    subject = Subject("", "ws://127.0.0.1:1", Capabilities(found, NOVEMBER, "probed"))
    result = Result("AP-SLUG-01/it", ("AP-SLUG-01",), Verdict.PASS)
    run = Run(subject, Settings("s"), (result.check,), (result,))
    report = report_of(run, register(), started=0.0, seconds=1.0, target=TargetName(), workers=1)
    write_reports(report, tmp_path)
    return tmp_path / "report.json"


def test_the_revision_and_what_was_offered_are_claimed(earlier):
    settings = held_to(Settings("s", claims=("http",)), earlier)
    assert settings.spec == NOVEMBER
    assert settings.claims == ("http", "count")


def test_a_revision_that_was_asked_for_stays(earlier):
    assert held_to(Settings("s", spec=JUNE), earlier).spec == JUNE


def test_without_a_report_nothing_changes():
    assert held_to(Settings("s"), None) == Settings("s")


def test_what_is_no_report_is_a_usage_error(tmp_path):
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(SettingsError, match="--like"):
        held_to(Settings("s"), tmp_path / "report.json")


def test_a_relay_that_fell_to_june_is_not_conformant(nip_ap, earlier, june_relay):
    words = ("run", june_relay, "-n", 1, "--only", "AP-GATE-03")
    assert nip_ap(*words).code != 1
    held = nip_ap(*words, "--like", earlier)
    assert held.code == 1
    assert "AP-GATE-03" in held.out


@pytest.fixture
def june_relay():
    from nip_ap.engine.preparation import bundled_target

    target = bundled_target(Settings("june", spec=JUNE))
    target.start()
    yield target.url
    target.stop()
