"""`nip-ap run --cmd`, `pytest --nip-ap-cmd`: verdicts, exit codes, logs in reports, remains."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import jsonschema
import pytest

from nip_ap.resources import resource
from tests.targets.commands import BUNDLED, listens, processes_with, soon

COMMAND = [sys.executable, "-m", "nip_ap", "run"]
LIMIT = 180


def run(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        **options,
    )


def obey():
    """SIGINT as on a terminal: where the tests run in the background, it may be ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def report_in(folder):
    document = json.loads((folder / "report.json").read_text())
    schema = json.loads(resource("reports/report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


def test_a_command_gets_a_verdict_with_durability(tmp_path):
    done = run("--cmd", BUNDLED, "--only", "DUR", "--only", "SLUG", "-n", 2, "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    document = report_in(tmp_path)
    assert (document["target"]["kind"], document["target"]["bundled"]) == ("process", False)
    verdicts = {check["clauses"][0]: check["verdict"] for check in document["checks"]}
    assert {verdicts[f"AP-DUR-0{number}"] for number in (1, 2, 3)} == {"pass"}


def test_a_relay_that_forgets_is_caught_and_its_log_is_in_the_report(tmp_path):
    secret = "hunter-in-the-log"
    command = f"{BUNDLED} --rogue forgets-on-crash"
    done = run(
        *("--cmd", command, "--env", f"TOKEN={secret}", "--env", "NIP_AP_RELAY_LOG=info"),
        *("--only", "AP-DUR-01", "--kills", 1, "--out", tmp_path, "--seed", "log"),
    )
    assert done.returncode == 1, done.stdout + done.stderr
    (check,) = report_in(tmp_path)["checks"]
    assert check["verdict"] == "fail"
    assert "lost" in check["seen"]
    assert "listening on ws://127.0.0.1:" in check["log"]
    assert "log       " in done.stdout
    assert "--env TOKEN " in check["repro"]
    everything = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert secret not in everything + done.stdout + done.stderr


def test_a_check_that_fails_on_the_shared_relay_shows_what_the_relay_wrote_meanwhile(tmp_path):
    command = f"{BUNDLED} --rogue slug-max-63"
    done = run(
        *("--cmd", command, "--env", "NIP_AP_RELAY_LOG=debug", "--only", "AP-SLUG-01"),
        *("-n", 1, "--out", tmp_path),
    )
    assert done.returncode == 1
    red = [one for one in report_in(tmp_path)["checks"] if one["verdict"] == "fail"]
    assert red
    assert all("EVENT" in one["log"] for one in red)


def test_a_command_that_never_gets_ready_is_exit_code_3_with_the_end_of_its_log():
    began = time.monotonic()
    command = "sh -c 'echo waiting for a database; sleep 600 # {port}'"
    done = run("--cmd", command, "--start-limit", 1)
    assert (done.returncode, done.stdout) == (3, "")
    assert time.monotonic() - began < 15
    assert "was not ready within 1 s; its log ends:\n" in done.stderr
    assert done.stderr.endswith("\n  waiting for a database\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("ws://127.0.0.1:1", "--cmd", "relay {port}"),
        ("--cmd", "relay"),
        ("--env", "A=b"),
        ("--image", "x", "--compose", "y"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_fit_are_exit_code_4(arguments):
    done = run(*arguments)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_a_url_has_no_durability_to_judge(tmp_path, start):
    target = start(cmd=BUNDLED)
    done = run(target.url, "--only", "DUR", "--only", "AP-SLUG-02", "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    reasons = {
        check["reason"] for check in report_in(tmp_path)["checks"] if "AP-DUR" in check["id"]
    }
    assert reasons == {
        "the suite does not control the relay's life (give --cmd, --image or --compose)"
    }


def test_pytest_reaches_commands_too(pytester):
    done = pytester.runpytest_subprocess(
        *("-p", "no:randomly", "--nip-ap", "--nip-ap-cmd", BUNDLED, "--nip-ap-only", "AP-DUR-02"),
    )
    done.assert_outcomes(passed=2)


def test_pytest_says_what_is_wrong_with_options(pytester):
    done = pytester.runpytest_subprocess("--nip-ap", "--nip-ap-cmd", "relay without a port")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*write {port} in the command*"])


# -- what is left -------------------------------------------------------------------------


@pytest.fixture
def traces(monkeypatch, tmp_path):
    """A mark that everything a run starts bears, and the folder of its temporary files."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("NIP_AP_TEST_MARK", mark := f"mark-{os.getpid()}-{time.monotonic_ns()}")
    return mark, temporary


def test_a_run_leaves_nothing(traces, tmp_path):
    mark, temporary = traces
    done = run("--cmd", BUNDLED, "--only", "DUR", "-n", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert processes_with(mark) == {}
    assert list(temporary.iterdir()) == []
    assert [one.name for one in tmp_path.iterdir()] == ["temporary"]


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name
)
def test_a_run_that_is_ended_leaves_nothing(traces, number):
    """While checks run that have relays of their own."""
    mark, temporary = traces
    words = ["--cmd", BUNDLED, "--only", "DUR", "--kills", "500", "-n", "2"]
    process = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, text=True, preexec_fn=obey
    )
    url = re.search(r"ws://\S+", process.stdout.readline()).group()
    assert soon(lambda: sum("supervisor" in one for one in processes_with(mark).values()) >= 2)
    process.send_signal(number)
    try:
        process.communicate(timeout=90)
    finally:
        process.kill()
    assert process.returncode in (-number, 130)
    assert soon(lambda: processes_with(mark) == {}), processes_with(mark)
    assert soon(lambda: list(temporary.iterdir()) == []), list(temporary.rglob("*"))
    assert not listens(int(url.rpartition(":")[2]))


# -- fifty kills --------------------------------------------------------------------------


@pytest.mark.slow
def test_fifty_kills_in_a_row_lose_nothing(tmp_path, capsys):
    began = time.monotonic()
    done = run("--only", "AP-DUR-01", "--kills", 50, "--seed", "fifty", "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (check,) = report_in(tmp_path)["checks"]
    facts = check["facts"]
    assert facts["kills"] == 50
    assert 0 < facts["acknowledged"] < facts["sent"]
    with capsys.disabled():
        sys.stdout.write(f"\n50 kills in {time.monotonic() - began:.0f} s, 0 lost: {facts}\n")
