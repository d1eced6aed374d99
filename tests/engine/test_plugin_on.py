"""`pytest --nip-ap`: what is run, how it ends, and what it says."""

from __future__ import annotations

import textwrap

import jsonschema
import orjson
import pytest

from nip_ap.resources import resource
from tests.engine.reading import verdicts

FEW = ("--nip-ap-only", "AP-SLUG-02", "--nip-ap-only", "AP-INT-04")


def test_a_conformant_relay_passes_in_any_folder(run_checks, relay):
    done = run_checks(*FEW, "--nip-ap-seed", "my-seed")
    assert done.code == 0
    done.printed.stdout.fnmatch_lines([f"nip-ap: {relay.url}, revision 2026-11 *seed my-seed.*"])
    done.printed.stdout.fnmatch_lines(["conformant: all * applicable checks hold (* of * checks)"])
    assert set(verdicts(done.report).values()) == {"pass"}
    assert {check["clauses"][0] for check in done.report["checks"]} == {"AP-SLUG-02", "AP-INT-04"}
    assert done.report["run"]["seed"].startswith("my-seed.")


def test_the_report_of_pytest_is_valid_and_names_the_relay(run_checks, relay):
    report = run_checks("--nip-ap-only", "AP-SLUG-02").report
    schema = orjson.loads(resource("reports/report.schema.json").read_bytes())
    jsonschema.Draft202012Validator(schema).validate(report)
    assert (report["target"]["url"], report["target"]["bundled"]) == (relay.url, False)
    assert relay.url in report["checks"][0]["repro"]


def test_xdist_gives_the_same_verdicts(run_checks):
    alone = run_checks(*FEW)
    spread = run_checks(*FEW, "-n", "2")
    assert spread.code == 0
    assert verdicts(spread.report) == verdicts(alone.report)
    assert (spread.report["run"]["workers"], spread.report["missing"]) == (2, [])


def test_a_broken_must_fails_with_clause_and_frames(run_checks, rogue):
    done = run_checks("--nip-ap-only", "AP-SLUG-02", url=rogue("slug-empty-accepted"))
    assert done.code == 1
    done.printed.stdout.fnmatch_lines(
        ["*fail: AP-SLUG-02 (MUST)*", "*a refusal of 1 event*", "* owner sent: *"]
    )
    done.printed.stdout.fnmatch_lines(
        ["not conformant: 1 clause broken: AP-SLUG-02 (2 of * checks)"]
    )


def test_a_broken_should_passes_and_the_summary_names_it(run_checks, rogue):
    done = run_checks("--nip-ap-only", "AP-SLUG-09", url=rogue("refusal-without-prefix"))
    assert done.code == 0
    assert "warn" in verdicts(done.report).values()
    done.printed.stdout.fnmatch_lines(["warn: AP-SLUG-09 (SHOULD) AP-SLUG-09/*expected*seen*"])
    done.printed.stdout.no_fnmatch_line("*failed*")


def test_what_does_not_apply_is_skipped_with_the_reason(run_checks):
    done = run_checks("--nip-ap-only", "AP-ENV-03", "--nip-ap-only", "AP-SLUG-02", "-rs",
                      "--nip-ap-spec", "2026-06")  # fmt: skip
    named = [check for check in done.report["checks"] if check["verdict"] == "not applicable"]
    if named:
        done.printed.stdout.fnmatch_lines(["*SKIPPED*not applicable: *"])
    assert done.report["missing"] == []


def test_a_run_in_which_nothing_applied_is_no_success(run_checks, scenario):
    path = scenario(
        '@clause("AP-SLUG-02")\ndef test_it():\n    raise NotApplicable("no such thing")\n'
    )
    done = run_checks(path)
    assert done.code == 1
    done.printed.assert_outcomes(skipped=1)
    done.printed.stdout.fnmatch_lines(
        ["inconclusive: no check applied to this relay (1 of * checks)"]
    )


def test_a_selection_of_nothing_is_no_success(run_checks):
    assert run_checks("--nip-ap-only", "nothing-here").code == pytest.ExitCode.NO_TESTS_COLLECTED


def test_an_unreachable_relay_is_one_plain_sentence_and_exit_code_3(run_pytest):
    done = run_pytest("--nip-ap", "--relay-url", "ws://127.0.0.1:1")
    assert done.ret == 3
    text = done.stdout.str() + done.stderr.str()
    assert "ws://127.0.0.1:1 cannot be reached: connection refused" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "nonsense", "ws://user:pass@127.0.0.1/"])
def test_an_url_that_is_none_is_a_usage_error(pytester, url):
    done = pytester.runpytest_inprocess("--nip-ap", "--relay-url", url)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert "pass@" not in done.stderr.str()


INIS = {
    "odd names": """
        python_files = check_*.py
        python_functions = check_*
        python_classes = Check
        testpaths = elsewhere
        norecursedirs = *
    """,
    "strictness": """
        addopts = --strict-markers --strict-config --import-mode=importlib -n 2
        filterwarnings = error
    """,
}


@pytest.mark.parametrize("name", INIS)
def test_a_pytest_ini_of_the_users_does_not_break_it(pytester, run_checks, name):
    pytester.makeini("[pytest]\n" + textwrap.dedent(INIS[name]))
    done = run_checks("--nip-ap-only", "AP-SLUG-02")
    assert verdicts(done.report) == {
        "AP-SLUG-02/an_empty_slug_is_refused[ws]": "pass",
        "AP-SLUG-02/an_empty_slug_is_refused[http]": "pass",
    }
    assert done.code == 0


def test_a_users_own_tests_are_left_alone_beside_the_checks(pytester, run_checks, scenario):
    pytester.makepyfile("def test_mine_too():\n    pass\n")
    path = scenario('@clause("AP-SLUG-01")\ndef test_it(owner, persona, slug):\n'
                    "    accepted(owner, persona(slug))\n")  # fmt: skip
    done = run_checks(path, pytester.path)
    done.printed.assert_outcomes(passed=2)
    assert verdicts(done.report) == {"AP-SLUG-01/it": "pass"}
    assert (done.code, done.report["missing"]) == (0, [])


# -- what a scenario may not do ------------------------------------------------------------------

NEGATIVE = """
@clause("AP-SLUG-02")
def test_it(owner, persona, slug):
    {}
    assert not owner.send(owner.signs(persona(""))).accepted
"""


@pytest.mark.parametrize(
    ("twin", "verdict"),
    [("pass", "inconclusive"), ("owner.publish(persona(slug))", "pass")],
    ids=["without a twin", "with a twin"],
)
def test_a_negative_assertion_needs_a_positive_twin(run_checks, scenario, twin, verdict):
    done = run_checks(scenario(NEGATIVE.format(twin)))
    assert verdicts(done.report) == {"AP-SLUG-02/it": verdict}
    assert done.code == (verdict != "pass")
    if verdict == "inconclusive":
        done.printed.stdout.fnmatch_lines(["*no positive control: refused at door ws, but never*"])


HEAD = '@clause("AP-SLUG-02")\ndef test_it(owner, persona, slug, pytestconfig):\n    '
MISTAKES = {
    "import time": "import time\n" + HEAD + "pass",
    "from time import sleep": "from time import sleep\n" + HEAD + "sleep(0.01)",
    "import select": HEAD + "import select",
    "an import in a call": HEAD + '__import__("threading").Event().wait(0.01)',
    "two respects": HEAD + 'refused(owner, persona("", name="X"), twin=persona(slug))',
    "pytest.skip": HEAD + '__import__("pytest").skip("no")',
    "a bug": HEAD + "raise KeyError(1)",
    "an unknown clause": HEAD.replace("AP-SLUG-02", "AP-NONE-99") + "pass",
    "an unknown need": HEAD.replace('2")', '2", needs=["cuont"])') + "pass",
}  # fmt: skip
LESSONS = {
    "import time": "line 2 imports time, and a scenario must not wait",
    "from time import sleep": "line 2 imports time",
    "import select": "imports select",
    "an import in a call": "imports threading, and a scenario must not wait",
    "two respects": "must differ in one respect, not 2",
    "pytest.skip": "a scenario must not call pytest.skip",
    "a bug": "KeyError: 1",
    "an unknown clause": "AP-NONE-99 is not in fixtures/clauses/",
    "an unknown need": "'cuont'",
}


def test_mistakes_of_a_scenario_are_errors_that_teach(pytester, run_checks, scenario):
    paths = []
    for number, name in enumerate(MISTAKES):
        body = MISTAKES[name].replace("test_it", f"test_mistake_{number}")
        paths.append(scenario(body + "\n", f"test_mistake_{number}.py"))
    done = run_checks(*paths)
    assert done.code == 1
    found = {check["id"].partition("/")[2]: check for check in done.report["checks"]}
    reasons = {name: found[f"mistake_{n}"]["reason"] for n, name in enumerate(MISTAKES)}
    assert {name: LESSONS[name] in reasons[name] for name in MISTAKES} == dict.fromkeys(
        MISTAKES, True
    ), reasons
    assert set(verdicts(done.report).values()) == {"error"}


WAITS_OF_THE_SUITE = """
from concurrent.futures import ThreadPoolExecutor
from nip_ap.wire import Patience
from nip_ap.wire.backoff import Backoff

@clause("AP-SLUG-01")
def test_it(owner, persona, slug):
    Backoff(Patience(1.0)).pause("rate-limited: retry in 0.01s")
    with ThreadPoolExecutor(2) as pool:
        events = [pool.submit(accepted, owner, persona(f"{slug}-{n}")) for n in range(2)]
        assert len({event.result().id for event in events}) == 2
    watch = owner.watch(all_of(owner))
    delivered(owner.publish(persona(slug)), on=watch)
"""


def test_the_suites_own_waits_go_on_working(run_checks, scenario):
    done = run_checks(scenario(WAITS_OF_THE_SUITE))
    assert verdicts(done.report) == {"AP-SLUG-01/it": "pass"}


def test_time_can_be_slept_through_again_after_a_check(pytester, run_checks, scenario):
    path = scenario('@clause("AP-SLUG-01")\ndef test_it(owner, persona, slug):\n'
                    "    accepted(owner, persona(slug))\n")  # fmt: skip
    other = pytester.makepyfile(test_zz="import time\ndef test_zz():\n    time.sleep(0.001)\n")
    run_checks(path, other).printed.assert_outcomes(passed=2)


DIES = """
import os

@clause("AP-SLUG-01")
def test_dies(owner):
    os.kill(os.getpid(), 9)

@clause("AP-SLUG-02")
def test_lives(owner, persona, slug):
    accepted(owner, persona(slug))
"""


def test_a_worker_that_dies_is_inconclusive_and_never_silence(run_checks, scenario):
    done = run_checks(scenario(DIES), "-n", "2")
    assert done.code == 1
    assert verdicts(done.report) == {
        "AP-SLUG-01/dies": "inconclusive",
        "AP-SLUG-02/lives": "pass",
    }
    (dead,) = [one for one in done.report["checks"] if one["id"] == "AP-SLUG-01/dies"]
    assert "the worker process died" in dead["reason"]
    assert (done.report["verdict"], done.report["missing"]) == ("inconclusive", [])


def test_keys_come_from_a_file_and_go_nowhere(run_checks, tmp_path):
    secrets = {role: f"{number:02x}" * 32 for number, role in enumerate(("owner", "stranger"), 17)}
    path = tmp_path / "keys.json"
    path.write_bytes(orjson.dumps(secrets))
    path.chmod(0o600)
    done = run_checks("--nip-ap-only", "AP-SLUG-09", "--nip-ap-keys", path, "-n", "2")
    assert done.code == 0
    written = [one.read_text() for one in done.out.rglob("*") if one.is_file()]
    assert len(written) > 3
    everything = "\n".join([*written, done.printed.stdout.str(), done.printed.stderr.str()])
    assert [role for role, secret in secrets.items() if secret in everything] == []
    assert "Nostr ey" not in everything


@pytest.mark.parametrize("content", ["{", '["x"]', '{"owner": "no-hex-canary"}'])
def test_a_bad_key_file_is_a_usage_error_that_repeats_nothing(pytester, relay, tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(0o600)
    done = pytester.runpytest_inprocess("--nip-ap", "--relay-url", relay.url, "--nip-ap-keys", path)
    text = done.stdout.str() + done.stderr.str()
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert "must be a JSON object of roles to 64 hex digits" in text
    assert "canary" not in text
