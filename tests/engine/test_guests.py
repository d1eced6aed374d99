"""A part of a run never looks like a whole one, and the plugin is a guest in others' sessions."""

from __future__ import annotations

import json
import re

import pytest

FEW = ("--nip-ap-only", "AP-SLUG-02")
PART = re.compile(r"\((\d+) of (\d+) checks\)")


def part_of(text):
    found = PART.search(text)
    assert found, text
    return int(found[1]), int(found[2])


@pytest.mark.parametrize("how", [("-k", "an_empty_slug"), FEW], ids=" ".join)
@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_part_of_the_checks_says_so_everywhere(run_checks, how, spread):
    done = run_checks(*how, *spread)
    assert done.code == 0
    asked_for, whole = part_of(done.printed.stdout.str())
    assert (asked_for, whole > 400) == (2, True)
    assert (done.report["verdict"], done.report["complete"]) == ("conformant", False)
    assert part_of(done.report["why"]) == (2, whole)
    assert f"2 of {whole} checks" in (done.out / "summary.md").read_text()
    badge = json.loads((done.out / "badge.json").read_text())
    assert badge["color"] == "lightgrey"
    assert badge["message"].startswith("conformant (2 checks only), ")


def test_the_command_says_so_too(nip_ap, relay, tmp_path):
    done = nip_ap("run", relay.url, "--only", "AP-SLUG-02", "-n", 1, "--out", tmp_path)
    assert part_of(done.out)[0] == 2
    assert not json.loads((tmp_path / "report.json").read_text())["complete"]


def test_checks_by_their_node_ids_are_a_part(run_checks, scenario):
    path = scenario('@clause("AP-SLUG-01")\ndef test_it(owner, persona, slug):\n'
                    "    owner.publish(persona(slug))\n    raise NotApplicable('x')\n")  # fmt: skip
    done = run_checks(path)
    assert part_of(done.report["why"])[0] == 1


# -- other people's tests ----------------------------------------------------------------------

OWN_PLUGIN = """
    import pytest

    @pytest.fixture
    def client():
        return "their client"

    @pytest.fixture
    def clock(seed):
        return "their clock, " + seed

    @pytest.fixture
    def seed():
        return "their seed"

    @pytest.fixture(autouse=True)
    def slug(request):
        return "their slug"
"""
OWN_TESTS = """
    import pytest

    @pytest.fixture
    def relay(client):
        return client + "'s relay"

    def test_theirs(client, relay, clock, slug):
        assert (client, relay) == ("their client", "their client's relay")
        assert (clock, slug) == ("their clock, their seed", "their slug")

    def test_that_names_an_unknown_one(request):
        with pytest.raises(pytest.FixtureLookupError):
            request.getfixturevalue("stranger")
"""


@pytest.fixture
def project(pytester):
    """A project with a plugin and tests that have fixtures of the same names."""
    pytester.makepyfile(their_plugin=OWN_PLUGIN)
    pytester.makeini("[pytest]\naddopts = -p their_plugin --strict-markers\npythonpath = .\n")
    pytester.makepyfile(**{"tests/test_own": OWN_TESTS})
    return pytester


def test_fixtures_of_the_same_names_stay_the_users_own(project, run_checks):
    done = run_checks("tests", *FEW)
    done.printed.assert_outcomes(passed=4, deselected=done.printed.parseoutcomes()["deselected"])
    assert {check["verdict"] for check in done.report["checks"]} == {"pass"}
    assert len(done.report["checks"]) == 2


def test_given_paths_do_not_leave_out_the_suite(project, run_checks):
    assert len(run_checks("tests/test_own.py", *FEW).report["checks"]) == 2


def test_listing_checks_judges_nothing(run_checks):
    done = run_checks("--collect-only", "-q", *FEW)
    assert (done.code, done.report) == (0, None)
    done.printed.stdout.no_fnmatch_line("*conclusive*")
