"""No verdict on nothing, and no code that lies: how commands end that cannot do what was asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from nip_ap.cli import main
from nip_ap.model.faults import Fault

COMMAND = [sys.executable, "-m", "nip_ap"]
FEW = ("--only", "AP-SLUG-02", "-n", "1")


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", ""),
        ("run", "  "),
        ("run", "--cmd", ""),
        ("run", "--image", ""),
        ("run", "--compose", ""),
        ("run", "--baseline", ""),
        ("run", "--keys", ""),
        ("run", "--seed", ""),
        ("run", "--only", ""),
        ("run", "bundled", "--cmd", "x {port}"),
        ("run", "ws://127.0.0.1:78020"),
        ("run", "ws://127.0.0.1:abc"),
        ("run", "ws://127.0.0.1:1", "--timeout", "nan"),
        ("run", "--port", "70000", "--image", "x"),
        ("run", "--spec", b"\xff"),
        ("run", b"ws://\xff"),
        ("run", "--ca", __file__),
        ("run", "--out", __file__),
        ("run", "--out", "/dev/null/x"),
        ("run", "--keys", "/dev/null"),
        ("run", "--baseline", "/"),
        ("verify", "/dev/null/x"),
        ("verify", "/"),
        ("verify", "ws://127.0.0.1:abc", "--issuer", "0" * 64),
        ("diff", "/dev/null", "/dev/null"),
        ("baseline", "/dev/null"),
        ("prove", "-n", "0"),
        ("relay", "--port", "99999"),
        ("relay", "--host", "no such host"),
    ],
    ids=lambda arguments: ascii(arguments),
)
def test_what_cannot_be_done_is_usage(arguments):
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, timeout=60, check=False, cwd="/"
    )
    assert (done.returncode, done.stdout) == (4, b"")
    assert done.stderr.count(b"Error: ") == 1
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 10**5, b"null", b"{}", b"1e999"])
def test_an_odd_certificate_is_refused(nip_ap, tmp_path, content):
    file = tmp_path / "certificate.json"
    file.write_bytes(content)
    done = nip_ap("verify", file)
    assert (done.code, "Traceback" in done.err) == (1, False)
    assert done.out.startswith("refused: no certificate: ")


def test_the_bundled_relay_has_a_word_of_its_own(nip_ap):
    done = nip_ap("run", "bundled", *FEW, "--json")
    assert (done.code, done.json["target"]["kind"]) == (0, "bundled")
    assert "nip-ap run --only" in done.json["checks"][0]["repro"]


@pytest.mark.parametrize("flag", ["--relay-url", "--nip-ap-cmd", "--nip-ap-seed"])
def test_an_empty_option_of_pytest_is_usage(run_pytest, flag):
    done = run_pytest("--nip-ap", flag, "")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"*argument {flag}: it is empty*"])


# -- the suite's own faults --------------------------------------------------------------------


@pytest.fixture
def broken(monkeypatch, capsys):
    """Runs `nip-ap clauses` with a fault in it; gives exit code and what was said."""

    def run(error, *arguments):
        def fail(*_, **__):
            raise error

        monkeypatch.setattr("nip_ap.proof.catalogue.print_catalogue", fail)
        with pytest.raises(SystemExit) as ended:
            main(["clauses", *arguments])
        return ended.value.code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("x"), "Error: the suite itself failed: KeyError: 'x' (--debug shows where)\n"),
        (LookupError("unknown encoding: rot13"), "LookupError: unknown encoding: rot13"),
        (RuntimeError("two\nlines \x1b[31m"), r"RuntimeError: two lines \u001b[31m (--debug"),
        (EOFError(), "the suite itself failed: EOFError (--debug"),
        (BrokenPipeError(32, "Broken pipe"), "BrokenPipeError"),
        (OSError(28, "No space left on device", "/out/x"), "/out/x cannot be used: No space left"),
        (Fault("The reference is broken."), "Error: The reference is broken.\n"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_a_fault_of_the_suite_is_one_line_and_no_verdict(broken, error, said):
    code, printed = broken(error)
    assert (code, printed.count("\n")) == (70, 1)
    assert said in printed


def test_debug_shows_the_traceback(broken):
    code, printed = broken(KeyError("x"), "--debug")
    assert code == 70
    assert "Traceback (most recent call last)" in printed
    assert "in fail" in printed


def test_every_command_has_debug(nip_ap):
    for name in ("run", "relay", "verify", "diff", "prove", "clauses", "migrate"):
        assert "--debug" in nip_ap(name, "--help").out


# -- where the output goes ---------------------------------------------------------------------


def shell(line):
    command = " ".join(COMMAND)
    return subprocess.run(
        ["bash", "-c", line.replace("nip-ap", command)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("arguments", ["clauses", "clauses --json", "run --help", "--help"])
def test_a_full_disk_is_said(arguments):
    done = shell(f"nip-ap {arguments} > /dev/full")
    assert (done.returncode, "No space left on device" in done.stderr) == (70, True)
    assert done.stderr.count("\n") == 1


def test_a_report_on_a_full_disk_is_no_verdict(tmp_path):
    (tmp_path / "report.json").symlink_to("/dev/full")
    done = shell(f"nip-ap run {' '.join(FEW)} --out {tmp_path}")
    assert (done.returncode, "Traceback" in done.stderr) == (70, False)
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("arguments", ["clauses --json", "run --help", f"run {' '.join(FEW)}"])
def test_a_pipe_without_a_reader_ends_quietly(arguments):
    done = shell(f"nip-ap {arguments} | true; echo ${{PIPESTATUS[0]}}")
    assert (done.stdout, done.stderr) == ("141\n", "")


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_exit_code(closed):
    assert shell(f"nip-ap run {' '.join(FEW)} {closed}").returncode == 0
    assert shell(f"nip-ap run ws://127.0.0.1:1 {closed}").returncode == 3


# -- interrupts --------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_run_is_130_and_says_no_more(workers):
    command = [*COMMAND, "run", "--only", "SLUG", "--only", "READ", "-n", str(workers)]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert running.stdout.readline().startswith("nip-ap ")
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, err.strip()) == (130, "interrupted")
    assert "conformant" not in out


def test_a_fault_while_checks_run_is_no_verdict(nip_ap, tmp_path):
    """A plugin of ours that fails within pytest is pytest's internal error, and not a verdict."""
    program = (
        "from nip_ap.engine.worker import SuiteWorker\n"
        "def fail(self, item): raise LookupError('unknown encoding: rot13')\n"
        "SuiteWorker._transcript = fail\n"
        "from nip_ap.__main__ import main\n"
        "import sys; sys.argv = ['nip-ap', *sys.argv[1:]]; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "run", *FEW, "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (2, 70)
    assert "Traceback" not in done.stderr
    if done.stdout:
        assert json.loads(done.stdout)["verdict"] == "inconclusive"
