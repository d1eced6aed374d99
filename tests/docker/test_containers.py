"""Relays in containers, on the real engine: a whole run, restarts, kills, and nothing left."""

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
from nip_ap.targets import TargetError
from nip_ap.targets.kinds import chosen, target_of
from nip_ap.targets.supervised import answers

COMMAND = [sys.executable, "-m", "nip_ap", "run"]
LIMIT = 600


def run(*arguments, environment=None):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env=os.environ | (environment or {}),
    )


def obey():
    """SIGINT as on a terminal: where the tests run in the background, it may be ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def report_in(folder):
    document = json.loads((folder / "report.json").read_text())
    schema = json.loads(resource("reports/report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


def ended(process, limit=90):
    """Wait for the end of a run; it is killed if that does not come."""
    try:
        process.communicate(timeout=limit)
    finally:
        process.kill()


def soon(condition, limit=60):
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


@pytest.fixture
def start():
    started = []

    def make(**given):
        started.append(target_of(chosen(given)))
        started[-1].start()
        return started[-1]

    yield make
    for target in started:
        target.stop()


def test_the_whole_suite_runs_on_a_container_and_kills_and_restarts_it(base, ours, tmp_path):
    done = run("--image", base, "-n", 2, "--out", tmp_path, "--claim", "restart")
    assert done.returncode == 0, done.stdout + done.stderr
    document = report_in(tmp_path)
    assert (document["verdict"], document["missing"]) == ("conformant", [])
    assert document["target"]["kind"] == "container"
    durability = [one for one in document["checks"] if "AP-DUR" in one["id"]]
    assert {one["verdict"] for one in durability} == {"pass"}
    assert ours() == set()


def test_it_keeps_its_port_and_its_events(base, start, ours):
    target = start(image=base)
    url = target.url
    assert target.shut_down(10.0) is True
    assert not answers(url, 1)
    target.start()
    assert (target.url, answers(url, 1)) == (url, True)
    target.kill()
    assert not answers(url, 1)
    target.start()
    assert answers(url, 1)
    target.stop()
    assert ours() == set()


def test_a_stop_that_is_ignored_is_told_from_a_clean_one(variant, relay_of, start):
    target = start(image=variant(relay_of("--rogue", "stop-ignored")))
    assert target.shut_down(1.0) is False


def test_what_it_wrote_is_in_the_report_and_what_it_forgets_is_found(variant, relay_of, tmp_path):
    image = variant(
        "ENV NIP_AP_RELAY_LOG=info",
        relay_of("--rogue", "forgets-on-crash", "--db", "/data/relay.db"),
    )
    done = run("--image", image, "--only", "AP-DUR-01", "--kills", 1, "--out", tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    (check,) = report_in(tmp_path)["checks"]
    assert (check["verdict"], "lost" in check["seen"]) == ("fail", True)
    assert check["log"].count("listening on ws://0.0.0.0:3000") == 2, "before and after the crash"


def test_variables_and_mounts_reach_it(base, start, tmp_path, engine):
    (tmp_path / "note.txt").write_text("read me")
    start(image=base, env=["NIP_AP_RELAY_LOG=info"], mount=[f"{tmp_path}:/mounted"])
    (container,) = engine.containers.list(
        ignore_removed=True, filters={"label": "nip-ap=relay", "ancestor": base}
    )
    shown = container.exec_run(["/bin/cat", "/mounted/note.txt"])
    assert (shown.exit_code, shown.output) == (0, b"read me")
    assert container.exec_run(["/bin/rm", "/mounted/note.txt"]).exit_code != 0
    assert "NIP_AP_RELAY_LOG=info" in container.attrs["Config"]["Env"]


def test_a_health_check_is_waited_for(variant, start, ours):
    start(image=variant("HEALTHCHECK CMD cat /data/relay.db"))
    never = target_of(chosen({"image": variant("HEALTHCHECK CMD /bin/false"), "start_limit": 2.0}))
    with pytest.raises(TargetError, match="not ready within 2 s"):
        never.start()


def test_a_container_that_ends_is_exit_code_3_with_the_end_of_its_log(variant, ours):
    image = variant("""CMD ["/bin/sh", "-c", "echo no such database; exit 7"]""")
    with_image = ours()
    done = run("--image", image)
    assert (done.returncode, done.stdout) == (3, "")
    assert "ended with exit code 7 before it was ready; its log ends:\n" in done.stderr
    assert "no such database" in done.stderr
    assert ours() == with_image


def test_an_image_that_is_nowhere_is_exit_code_3_and_one_sentence(engine, ours):
    done = run("--image", "localhost:1/no-such-relay")
    assert (done.returncode, done.stdout) == (3, "")
    assert re.fullmatch(
        r"Error: the image localhost:1/no-such-relay is not on this machine and cannot be pulled: "
        r"[^\n]+\n",
        done.stderr,
    )
    assert ours() == set()


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name
)
def test_a_run_that_is_ended_leaves_no_container(base, engine, ours, number):
    words = ["--image", base, "--only", "DUR", "--kills", "500", "-n", "2"]
    process = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, text=True, preexec_fn=obey
    )
    url = re.search(r"ws://\S+", process.stdout.readline()).group()
    assert soon(
        lambda: (
            len(engine.containers.list(ignore_removed=True, filters={"label": "nip-ap=relay"})) >= 2
        )
    )
    process.send_signal(number)
    ended(process)
    assert process.returncode in (-number, 130)
    assert soon(lambda: ours() == set()), ours()
    assert not answers(url, 1)
