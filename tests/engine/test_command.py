"""`nip-ap run`: exit codes, unstable relays, broken ones, two runs at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from nip_ap.nostr import SecretKey
from tests.engine.reading import verdicts

RANDOM_RUNS = int(os.environ.get("NIP_AP_RANDOM_RUNS", "3"))
BROKEN = ("accepts-everything", "refuses-everything", "stores-nothing", "answers-nothing")


def test_json_is_one_document_and_nothing_else(nip_ap, relay):
    done = nip_ap("run", relay.url, "--only", "AP-SLUG-02", "-n", 1, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["verdict"] == "conformant"
    assert len(done.json["checks"]) == 2


def test_an_unreachable_relay_is_exit_code_3_and_one_sentence(nip_ap):
    done = nip_ap("run", "ws://127.0.0.1:1")
    assert (done.code, done.out) == (3, "")
    assert done.err == "Error: ws://127.0.0.1:1 cannot be reached: connection refused\n"


def test_a_selection_of_nothing_is_exit_code_4_and_says_what_there_is(nip_ap, relay):
    done = nip_ap("run", relay.url, "--only", "nothing-here", "-n", 1)
    assert done.code == 4
    assert "no check matches --only nothing-here; `nip-ap clauses` lists" in done.err


def test_one_pattern_that_matches_nothing_is_said_although_another_matches(nip_ap, relay):
    done = nip_ap("run", relay.url, "--only", "AP-SLUG-02", "--only", "AP-SULG-*", "-n", 1)
    assert (done.code, done.out.count("conformant")) == (4, 0)
    assert "no check matches --only AP-SULG-*; `nip-ap clauses` lists" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--no-such-option"),
        ("nonsense",),
        ("prove", "--rogue", "nobody"),
        ("run", "-n", "x"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_4(nip_ap, arguments):
    done = nip_ap(*arguments)
    assert done.code == 4
    assert "Traceback" not in done.err


def test_a_relay_that_differs_from_time_to_time_is_unstable(nip_ap, rogue, tmp_path):
    url = rogue("every-fifth-time")
    done = nip_ap(
        "run", url, "--repeat", 5, "--only", "AP-SLUG-02", "-n", 1, "--out", tmp_path, "--json"
    )
    assert (done.code, done.json["verdict"], done.json["missing"]) == (1, "not conformant", [])
    unstable = [one for one in done.json["checks"] if one["verdict"] == "unstable"]
    assert unstable
    for check in unstable:
        frames = [json.loads(line) for line in (tmp_path / check["transcript"]).open()]
        titles = [one["text"] for one in frames if one["text"].startswith("repetition")]
        assert len(titles) == 2
        assert {title.partition(": ")[2] for title in titles} == {"pass", "fail"}


@pytest.mark.parametrize("name", BROKEN)
def test_a_relay_that_is_broken_all_over_never_passes_a_negative_claim(nip_ap, rogue, name):
    wanted = [part for clause in ("02", "05", "08") for part in ("--only", f"AP-SLUG-{clause}")]
    done = nip_ap("run", rogue(name), *wanted, "-n", 1, "--timeout", 1, "--json")
    assert done.code in (1, 2)
    assert done.json["verdict"] in ("not conformant", "inconclusive")
    fooled = [
        one["id"] for one in done.json["checks"] if one["verdict"] == "pass" and one["controls"]
    ]
    assert fooled == []


def test_two_runs_at_once_on_one_relay_do_not_disturb_each_other(relay):
    command = [sys.executable, "-m", "nip_ap", "run", relay.url, "-n", "1", "--json"]
    command += ["--only", "READ", "--only", "AP-REPL-0[1-8]"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    reports = [json.loads(process.communicate(timeout=120)[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert verdicts(reports[0]) == verdicts(reports[1])
    assert reports[0]["run"]["seed"] != reports[1]["run"]["seed"]


@pytest.mark.slow
def test_random_order_on_four_workers_gives_the_verdicts_of_nip_ap_run(whole_run, tmp_path):
    expected = verdicts(json.loads((whole_run.report / "report.json").read_text()))
    for number in range(RANDOM_RUNS):
        out = tmp_path / str(number)
        command = [sys.executable, "-m", "pytest", "--nip-ap", "-n", "4", "-p", "randomly"]
        command += ["-p", "no:cacheprovider", "--nip-ap-out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert "Using --randomly-seed=" in done.stdout
        assert verdicts(json.loads((out / "report.json").read_text())) == expected
        assert done.returncode == 0


def test_the_register_can_be_listed_for_machines_and_people(nip_ap):
    as_json, plain = nip_ap("clauses", "--json"), nip_ap("clauses")
    assert (as_json.code, plain.code) == (0, 0)
    assert [one["id"] for one in as_json.json][:1] == ["AP-SLUG-01"]
    assert all(one["id"] in plain.out for one in as_json.json)


def test_keys_of_a_run_never_reach_its_output(nip_ap, relay, tmp_path):
    canary = SecretKey.fresh().secret_hex()
    (tmp_path / "keys.json").write_text(json.dumps({"owner": canary}))
    (tmp_path / "keys.json").chmod(0o600)
    arguments = ("run", relay.url, "--keys", tmp_path / "keys.json", "--only", "AP-SLUG-09")
    done = nip_ap(*arguments, "-n", 1, "--out", tmp_path / "out")
    written = [one.read_text() for one in (tmp_path / "out").rglob("*") if one.is_file()]
    assert done.code == 0
    assert len(written) > 3
    assert canary not in "\n".join([*written, done.out, done.err])
