"""Installed and not asked for, the plugin does nothing to anybody's tests."""

from __future__ import annotations


def test_there_is_no_fixture_of_ours(run_pytest):
    printed = run_pytest("--fixtures", "-q").stdout.str()
    names = {line.partition(" ")[0] for line in printed.splitlines()}
    assert "tmp_path" in names
    assert not names & {"owner", "stranger", "relay", "persona", "slug", "check", "clock", "seed"}


def test_there_is_no_marker_of_ours(run_pytest):
    printed = run_pytest("--markers").stdout.str()
    assert "parametrize" in printed
    assert "nip_ap" not in printed


def test_nothing_of_the_suite_is_imported(pytester, run_pytest):
    pytester.makepyfile(
        """
        import sys

        def test_it():
            ours = {name for name in sys.modules if name.startswith("nip_ap")}
            table = {"option_table", "options", "settings", "delivery", "target_options"}
            table |= {"recipe", "relay_url"}
            names = {"plugin", "version", "model", *(f"model.{name}" for name in table)}
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


def test_without_the_option_an_url_starts_nothing(pytester, run_pytest):
    pytester.makepyfile("def test_it():\n    pass\n")
    result = run_pytest("--relay-url", "ws://127.0.0.1:1")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("nip-ap: *")


def test_all_options_have_one_prefix(run_pytest):
    printed = run_pytest("--help").stdout.str()
    section = printed.partition("NIP-AP relay conformance:")[2].partition("\n\n")[0]
    options = [line.split()[0] for line in section.splitlines() if line.startswith("  --")]
    assert options
    assert [one for one in options if not one.startswith(("--nip-ap", "--relay-url"))] == []
