"""What stands between the suite and a Docker engine is said in one sentence. Needs no engine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest


def run(*arguments, environment=None, prelude=""):
    """`nip-ap run` with the environment changed; `prelude` runs before it in the same process."""
    source = f"{prelude}\nimport sys; from nip_ap.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", source, "run", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | (environment or {}),
    )


def test_no_engine_is_exit_code_3_and_one_sentence():
    pytest.importorskip("docker", reason="the extra `docker` is not installed")
    done = run("--image", "x", environment={"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "Error: no Docker engine answers at unix:///nowhere/docker.sock; is it installed and "
        "running?\n"
    )


@pytest.mark.parametrize("words", [("--image", "x"), ("--compose", __file__, "--service", "x")])
def test_no_sdk_is_exit_code_3_and_the_command_that_installs_it(tmp_path, words):
    """The supervisor's Python finds a `docker` that cannot be imported."""
    (tmp_path / "docker.py").write_text("raise ImportError('not installed')")
    done = run(*words, environment={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "Error: containers need the docker SDK: pip install 'nip-ap-conformance[docker]'\n"
    )


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a socket that others may not use")
def test_no_permission_is_told_from_no_engine(tmp_path):
    pytest.importorskip("docker", reason="the extra `docker` is not installed")
    place = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        place.chmod(0o600)
        tmp_path.chmod(0o755)
        source = (
            "import os, docker, requests\n"
            "from nip_ap.targets import engine, TargetError\n"
            "try: docker.from_env()\n"
            "except docker.errors.DockerException: pass\n"
            f"os.environ['DOCKER_HOST'] = 'unix://{place}'\n"
            "os.setgroups([]); os.setuid(65534)\n"
            "try: engine.connected()\n"
            "except TargetError as error: print(error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", source],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=os.environ | {"DOCKER_HOST": "unix:///nowhere"},
        )
    assert done.stdout.startswith(f"you may not use the Docker engine at unix://{place}"), (
        done.stdout + done.stderr
    )
