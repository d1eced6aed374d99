"""A baseline as users meet it: the command and pytest run with it, and say what it excused."""

from __future__ import annotations

import pytest

from nip_ap.targets.bundled import BundledTarget
from tests.certificate.conftest import nip_ap

ONLY = ("--only", "SLUG", "--only", "ENV")


@pytest.fixture(scope="module")
def broken_relay():
    target = BundledTarget(("--rogue", "slug-max-63"))
    target.start()
    yield target.url
    target.stop()


def test_the_command_writes_a_baseline_and_runs_with_it(broken_relay, tmp_path):
    out, file = tmp_path / "out", tmp_path / "known.toml"
    assert nip_ap("run", broken_relay, *ONLY, "--out", out).code == 1
    assert nip_ap("baseline", out, "--reason", "ticket 9", "--out", file).code == 0
    done = nip_ap("run", broken_relay, *ONLY, "--baseline", file, "--out", out)
    assert done.code == 0, done.out
    assert "known failures: 1 clause broken, all on the baseline: AP-SLUG-01" in done.out
    assert "known     ticket 9" in done.out
    sound = nip_ap("run", *ONLY, "--baseline", file)
    assert sound.code == 1
    assert "baseline outdated: on the baseline, AP-SLUG-01 no longer fails" in sound.out


def test_a_baseline_that_cannot_be_used_is_a_usage_error(tmp_path):
    (tmp_path / "b.toml").write_text("[[known]]\n")
    done = nip_ap("run", "--baseline", tmp_path / "b.toml")
    assert done.code == 4
    assert "an entry without a clause" in done.err
    assert nip_ap("run", "--baseline", tmp_path / "none.toml").code == 4


def test_a_certificate_excuses_nothing(tmp_path):
    (tmp_path / "b.toml").write_text("")
    done = nip_ap(
        "run", "--certify", tmp_path / "k", "--out", tmp_path, "--baseline", tmp_path / "b.toml"
    )
    assert (done.code, "a certificate excuses nothing" in done.err) == (4, True)


def test_under_pytest_a_known_failure_is_an_expected_one(broken_relay, tmp_path, pytester):
    file = tmp_path / "known.toml"
    file.write_text('[[known]]\nclause = "AP-SLUG-01"\nreason = "because"\n')
    arguments = ("--nip-ap", "--relay-url", broken_relay, "--nip-ap-only", "AP-SLUG-01")
    plain = pytester.runpytest_subprocess(*arguments)
    failed = plain.parseoutcomes()["failed"]
    assert plain.ret == 1
    done = pytester.runpytest_subprocess(*arguments, "--nip-ap-baseline", file)
    assert done.parseoutcomes()["xfailed"] == failed
    assert done.ret == 0
    done.stdout.fnmatch_lines(
        ["known failures: 1 clause broken, all on the baseline: AP-SLUG-01 (12 of * checks)"]
    )
