"""Installed and not asked for, the plugin does nothing to anybody's tests."""

from __future__ import annotations

import pytest


def test_there_is_no_fixture_of_ours(run_pytest):
    printed = run_pytest("--fixtures", "-q").stdout.str()
    names = {line.partition(" ")[0] for line in printed.splitlines()}
    assert "tmp_path" in names
    assert not names & {"owner", "stranger", "relay", "persona", "slug", "check", "clock", "seed"}


def test_the_markers_are_known_so_that_files_of_checks_can_be_collected(pytester, run_pytest):
    pytester.makepyfile(
        """
        from nip_ap.scenario import clause, destructive

        @destructive
        @clause("AP-SLUG-02")
        def test_it():
            pass
        """
    )
    run_pytest("--strict-markers", "--collect-only", "-W", "error").assert_outcomes()
    plain = run_pytest("--strict-markers", "-rs")
    plain.assert_outcomes(skipped=1)
    plain.stdout.fnmatch_lines(["*a check of a relay: `pytest --nip-ap` or `nip-ap run` runs it"])


def test_nothing_of_the_suite_is_imported(pytester, run_pytest):
    pytester.makepyfile(
        """
        import sys

        def test_it():
            ours = {name for name in sys.modules if name.startswith("nip_ap")}
            table = {"option_table", "options", "settings", "delivery", "target_options"}
            table |= {"recipe", "relay_url", "markers", "profile", "saved_sequence", "clauses"}
            table |= {"seed"}
            names = {"plugin", "version", "resources", "model", "without_allure"}
            names |= {f"model.{name}" for name in table}
            assert ours <= {"nip_ap", *(f"nip_ap.{name}" for name in names)}
            assert not {"httpx", "coincurve", "websockets", "starlette"} & set(sys.modules)
        """
    )
    run_pytest().assert_outcomes(passed=1)


def test_fixtures_of_the_same_names_are_the_users_own(pytester, run_pytest):
    pytester.makepyfile(
        """
        import time
        import pytest

        @pytest.fixture
        def owner():
            return "mine"

        @pytest.fixture
        def relay(owner):
            return owner + " too"

        def test_it(owner, relay):
            time.sleep(0.001)
            assert (owner, relay) == ("mine", "mine too")
        """
    )
    run_pytest("--strict-markers", "-W", "error").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "option",
    [("--relay-url", "ws://127.0.0.1:1"), ("--nip-ap-only", "SLUG"), ("--nip-ap-strict",)],
    ids=lambda words: words[0],
)
def test_an_option_of_ours_alone_is_a_usage_error(pytester, run_pytest, option):
    pytester.makepyfile("def test_it():\n    pass\n")
    result = run_pytest(*option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{option[0]}: only valid with --nip-ap"])
