"""A relay that is a command: start, log, restart and end, with all that is below it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from nip_ap.targets import TargetError
from nip_ap.targets.kinds import chosen, target_of
from tests.targets.commands import BUNDLED, listens, processes_with, soon

SILENT = "import sys, time; print('I listen to nobody', flush=True); time.sleep(600)"
FAILING = "import sys; print('no such database'); sys.exit(7)"
IGNORES_SIGTERM = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
from nip_ap_relay.__main__ import main
import uvicorn
uvicorn.Server.handle_exit = lambda *ignored: None
main(sys.argv[1:])
"""
RUNAWAY = """
import os, subprocess, sys
# A child in a session of its own, and a grandchild whose parent is gone: a daemon.
for number in range(2):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)"])
    os._exit(0)
from nip_ap_relay.__main__ import main
main(sys.argv[1:])
"""


def port_of(target):
    return int(target.url.rpartition(":")[2])


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_it_keeps_its_port_and_its_data(start, written, read, end):
    target = start(cmd=BUNDLED)
    url, event = target.url, written(target)
    if end == "restart":
        target.shut_down()
        target.start()
    else:
        target.kill()
        assert not listens(port_of(target))
        target.start()
    assert target.url == url
    assert read(target) == (event,)


def test_a_clean_stop_is_told_from_one_that_was_forced(start, command):
    willing = start(cmd=BUNDLED)
    assert willing.shut_down(5.0) is True
    stubborn = start(cmd=command(IGNORES_SIGTERM, "--port", "{port}"))
    assert stubborn.shut_down(0.5) is False
    assert not listens(port_of(stubborn))


def test_stopping_leaves_no_process_no_port_and_no_folder(start, command, monkeypatch, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("NIP_AP_TEST_MARK", mark := f"mark-{os.getpid()}-{time.monotonic_ns()}")
    target = start(cmd=command(RUNAWAY, "--port", "{port}"))
    assert len(processes_with(mark)) == 5, "supervisor, relay, two children, a daemon"
    assert len(list(temporary.iterdir())) == 1
    target.stop()
    target.stop()
    assert processes_with(mark) == {}
    assert list(temporary.iterdir()) == []
    assert not listens(port_of(target))


def test_a_kill_reaches_whatever_the_command_started(start, command, monkeypatch):
    monkeypatch.setenv("NIP_AP_TEST_MARK", mark := f"mark-{os.getpid()}-{time.monotonic_ns()}")
    target = start(cmd=command(RUNAWAY, "--port", "{port}"))
    target.kill()
    assert len(processes_with(mark)) == 1, "the supervisor alone"


def test_a_command_that_never_gets_ready_is_given_up_within_the_limit(command):
    target = target_of(chosen({"cmd": command(SILENT, "{port}"), "start_limit": 1.0}))
    began = time.monotonic()
    with pytest.raises(TargetError, match="not ready within 1 s") as caught:
        target.start()
    assert time.monotonic() - began < 5
    assert str(caught.value).endswith("its log ends:\n  I listen to nobody")


def test_a_command_that_ends_is_not_waited_for(command):
    target = target_of(chosen({"cmd": command(FAILING, "{port}")}))
    began = time.monotonic()
    with pytest.raises(TargetError, match="ended with exit code 7 before it was ready") as caught:
        target.start()
    assert time.monotonic() - began < 5
    assert "no such database" in str(caught.value)


@pytest.mark.parametrize("number", ["9", "11"])
def test_a_command_that_is_ended_by_a_signal_says_which(command, number):
    source = f"import os, sys; os.kill(os.getpid(), {number})"
    target = target_of(chosen({"cmd": command(source, "{port}")}))
    with pytest.raises(TargetError, match=r"was ended by SIG(KILL|SEGV) before it was ready"):
        target.start()


def test_a_command_that_does_not_exist_is_one_sentence():
    target = target_of(chosen({"cmd": "/nowhere/relay {port}"}))
    with pytest.raises(TargetError, match="cannot be run: No such file") as caught:
        target.start()
    assert "\n" not in str(caught.value)


def test_secrets_are_in_no_argument_and_not_in_the_log(start, command, monkeypatch):
    source = (
        "import os, sys; print('the token is', os.environ['TOKEN'], flush=True)\n"
        "from nip_ap_relay.__main__ import main\nmain(sys.argv[1:])"
    )
    secret = f"hunter-{os.getpid()}"
    target = start(cmd=command(source, "--port", "{port}"), env=[f"TOKEN={secret}"])
    assert "the token is (masked)" in target.logs()
    assert not any(secret in words for words in processes_with(secret).values())


def test_a_template_is_filled_in_and_the_folder_is_where_the_user_stands(
    start, command, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings.txt").write_text("port={port} folder={dir}")
    source = (
        "import os, pathlib, sys\n"
        "print('in', os.getcwd(), pathlib.Path(sys.argv[1]).read_text(), flush=True)\n"
        "from nip_ap_relay.__main__ import main\nmain(sys.argv[2:])"
    )
    target = start(
        cmd=command(source, "{dir}/settings.txt", "--port", "{port}"), template=["settings.txt"]
    )
    assert f"in {tmp_path} port={port_of(target)} folder=/" in target.logs()


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_a_killed_suite_takes_its_relay_along(command, monkeypatch, tmp_path):
    """The supervisor sees its pipe close, and clears up."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("NIP_AP_TEST_MARK", mark := f"mark-{os.getpid()}-{time.monotonic_ns()}")
    source = (
        "import sys, time\n"
        "from nip_ap.targets.kinds import chosen, target_of\n"
        "target = target_of(chosen({'cmd': sys.argv[1]}))\n"
        "target.start(); print(target.url, flush=True); time.sleep(600)"
    )
    runaway = command(RUNAWAY, "--port", "{port}")
    suite = subprocess.Popen(
        [sys.executable, "-c", source, runaway], stdout=subprocess.PIPE, text=True
    )
    url = suite.stdout.readline()
    assert len(processes_with(mark)) == 6
    suite.kill()
    suite.communicate()
    assert soon(lambda: processes_with(mark) == {}), processes_with(mark)
    assert soon(lambda: list(temporary.iterdir()) == [])
    assert not listens(int(url.rpartition(":")[2]))
