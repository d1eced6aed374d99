"""A relay with other services beside it, by the machine's compose tool."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess

import pytest

from nip_ap.targets import TargetError
from nip_ap.targets.kinds import chosen, target_of
from nip_ap.targets.supervised import answers
from tests.docker.test_containers import COMMAND, ended, obey, report_in, run, soon

pytestmark = pytest.mark.skipif(
    not (shutil.which("docker-compose") or shutil.which("docker")), reason="no compose tool"
)


@pytest.fixture
def taken_port():
    """A port that is in use, as the file's own fixed port may be."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def compose_file(base, tmp_path, taken_port):
    path = tmp_path / "stack" / "compose.yaml"
    path.parent.mkdir()
    path.write_text(
        f"""
version: "3"
services:
  relay:
    image: {base}
    container_name: always-the-same
    restart: always
    depends_on: [database]
    ports: ["127.0.0.1:{taken_port}:3000"]
    volumes: ["kept:/data"]
    environment:
      NIP_AP_RELAY_LOG: warning
  database:
    image: {base}
    command: ["/bin/sleep", "600"]
volumes:
  kept:
"""
    )
    return path


def test_a_service_gets_a_verdict_with_durability_and_everything_goes(compose_file, ours, tmp_path):
    words = ("--compose", compose_file, "--service", "relay", "--only", "DUR", "--only", "SLUG")
    done = run(*words, "--env", "NIP_AP_RELAY_LOG=info", "-n", 2, "--out", tmp_path / "report")
    assert done.returncode == 0, done.stdout + done.stderr
    document = report_in(tmp_path / "report")
    assert document["target"]["kind"] == "compose"
    durability = [one for one in document["checks"] if "AP-DUR" in one["id"]]
    assert {one["verdict"] for one in durability} == {"pass"}
    assert ours() == set()


def test_the_other_services_outlive_a_kill_of_the_relay(compose_file, engine, ours):
    target = target_of(chosen({"compose": str(compose_file), "service": "relay"}))
    target.start()
    try:
        running = {
            one.id
            for one in engine.containers.list(
                ignore_removed=True, filters={"label": "nip-ap=relay"}
            )
        }
        assert len(running) == 2
        target.kill()
        assert not answers(target.url, 1)
        assert (
            len(engine.containers.list(ignore_removed=True, filters={"label": "nip-ap=relay"})) == 1
        )
        target.start()
        assert {
            one.id
            for one in engine.containers.list(
                ignore_removed=True, filters={"label": "nip-ap=relay"}
            )
        } == (running)
    finally:
        target.stop()
    assert ours() == set()


def test_a_service_that_is_not_in_the_file_is_named(compose_file, ours):
    target = target_of(chosen({"compose": str(compose_file), "service": "rely"}))
    with pytest.raises(TargetError, match=r"has no service rely; it has (database|relay), "):
        target.start()
    assert ours() == set()


def test_a_file_that_is_none_is_exit_code_3(engine, tmp_path):
    path = tmp_path / "compose.yaml"
    path.write_text("services: [")
    done = run("--compose", path, "--service", "relay")
    assert (done.returncode, done.stdout) == (3, "")
    assert "config failed" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_killed_run_takes_every_service_along(compose_file, engine, ours):
    words = ["--compose", str(compose_file), "--service", "relay", "--only", "DUR", "-n", "2"]
    process = subprocess.Popen(
        [*COMMAND, *words, "--kills", "500"], stdout=subprocess.PIPE, text=True, preexec_fn=obey
    )
    url = re.search(r"ws://\S+", process.stdout.readline()).group()
    assert soon(
        lambda: (
            len(engine.containers.list(ignore_removed=True, filters={"label": "nip-ap=relay"})) >= 4
        )
    )
    process.send_signal(signal.SIGKILL)
    ended(process)
    assert soon(lambda: ours() == set()), ours()
    assert not answers(url, 1)
