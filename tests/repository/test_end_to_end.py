"""One run from end to end, as a stranger does it; and nothing of it is left behind."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nip_ap.engine.declarations import declarations
from nip_ap.model.clauses import register
from nip_ap.resources import resource

COMMAND = [sys.executable, "-m", "nip_ap", "run"]
ENDS_WITHIN = 30


def test_a_run_on_the_bundled_relay_is_conformant_and_leaves_only_its_reports(whole_run):
    out = whole_run.report
    assert whole_run.code == 0, whole_run.out + whole_run.err
    assert whole_run.err == ""
    assert re.search(r"^conformant: all \d+ applicable checks hold", whole_run.out, re.MULTILINE)
    assert "\x1b" not in whole_run.out, "colours in a pipe"

    report = json.loads((out / "report.json").read_text())
    schema = json.loads(resource("reports/report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(report)
    assert (report["verdict"], report["complete"]) == ("conformant", True)
    assert {one["id"].partition("[")[0] for one in report["checks"]} == {
        one.check_id() for one in declarations() if register().role_of(one.clauses) == "relay"
    }
    ids = [one["id"] for one in report["checks"]]
    cases = ElementTree.parse(out / "junit.xml").getroot().findall(".//testcase")
    assert sorted(f"{one.get('classname')}/{one.get('name')}" for one in cases) == sorted(ids)
    assert {path.name for path in (out / "transcripts").iterdir()} == {
        "preflight.jsonl",
        *(Path(one["transcript"]).name for one in report["checks"]),
    }
    assert [path.name for path in whole_run.cwd.iterdir()] == ["report"]
    assert not listens(port_of(report["target"]["url"]))


def port_of(url):
    return int(url.rpartition(":")[2].rstrip("/"))


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except ConnectionRefusedError:
        return False
    return True


def descendants(pid):
    """The processes below one, by /proc."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, left = [], [pid]
    while left:
        below = parents.get(left.pop(), [])
        found += below
        left += below
    return found


def wait_for_the_end_of(connection):
    """Read until the other side closes the connection. Raises TimeoutError if it does not."""
    with suppress(ConnectionClosed):
        while True:
            connection.recv(timeout=ENDS_WITHIN)


def obey_interrupts():
    """As on a terminal: what a shell starts in the background ignores SIGINT, and so do its own."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfds, to wait for an end")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=lambda one: one.name)
def test_nothing_outlives_a_run_that_was_killed(number):
    run = subprocess.Popen(
        [*COMMAND, "-n", "2", "--only", "READ", "--repeat", "20"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=obey_interrupts,
    )
    url = re.search(r"ws://\S+", run.stdout.readline()).group()
    with connect(url, proxy=None) as watching:
        running = descendants(run.pid)
        handles = [os.pidfd_open(pid) for pid in running]
        assert running, "the relay is a process of its own"
        run.send_signal(number)
        run.wait(ENDS_WITHIN)
        wait_for_the_end_of(watching)
    for handle in handles:
        ended, _, _ = select.select([handle], [], [], ENDS_WITHIN)
        os.close(handle)
        assert ended, "a process outlived the run"
    assert not listens(port_of(url))
    run.communicate()
    # Interrupted while Python starts or ends, the process dies of the signal itself.
    assert run.returncode in (-number, 130)
