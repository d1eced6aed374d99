"""`nip-ap personas` and `nip-ap play` against each other: what people see, and what is reported."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nip_ap.clients.scripts import Stage, script_named
from nip_ap.clients.stub import Stub, shared_stub
from nip_ap.nostr.bech32 import NPUB, encoded
from nip_ap_client.personas_command import personas

NOW = int(time.time())


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = shared_stub()
    yield made
    made.reset()


def shows(stub: Stub, script: str, *more: str) -> Result:
    stage = Stage(script_named(script), "tests", NOW)
    url = stub.plays(stage.served(), stage.script.relay)
    return CliRunner().invoke(personas, ["--relay", url, "--owner", stage.owner.pubkey, *more])


def test_a_list_has_a_line_for_each_persona_and_one_for_each_reason(stub: Stub) -> None:
    done = shows(stub, "content-not-json")
    assert done.exit_code == 0
    assert re.search(r"^plain +20\d\d-\d\d-\d\d \d\d:\d\d +Plain$", done.output, re.MULTILINE)
    assert "dropped 1 event: its content is not JSON" in done.output


def test_one_persona_is_shown_with_its_whole_prompt(stub: Stub) -> None:
    done = shows(stub, "plain", "--slug", "full")
    assert "You are full.\nOn two lines." in done.output
    assert "Sparse" not in done.output


def test_npub_and_hex_name_the_same_owner(stub: Stub) -> None:
    stage = Stage(script_named("control"), "tests", NOW)
    url = stub.plays(stage.served(), {})
    npub = encoded(NPUB, bytes.fromhex(stage.owner.pubkey))
    assert "Plain" in CliRunner().invoke(personas, ["--relay", url, "--owner", npub]).output


def test_what_came_since_a_time_is_a_difference(stub: Stub) -> None:
    done = shows(stub, "newest-last", "--since", str(NOW - 75))
    assert done.exit_code == 1
    assert '-display_name: "Helper, version 2"' in done.output
    assert '+display_name: "Helper, version 3"' in done.output
    assert shows(stub, "newest-last", "--since", str(NOW)).exit_code == 0


def test_two_owners_are_compared(stub: Stub) -> None:
    stage = Stage(script_named("stranger"), "tests", NOW)
    url = stub.plays(stage.served(), {})
    stranger = stage.events["same"].owner
    given = ["--relay", url, "--owner", stage.owner.pubkey, "--diff", stranger, "--json"]
    done = CliRunner().invoke(personas, given)
    assert done.exit_code == 1
    changed = json.loads(done.stdout)["changed"]
    assert sorted(changed) == ["other", "plain"]
    assert "Stranger" in changed["plain"]["before"]


def test_a_refusal_is_told_and_is_not_an_empty_list(stub: Stub) -> None:
    done = shows(stub, "closed", "--json")
    assert done.exit_code == 3
    assert "not today" in json.loads(done.stdout)["trouble"]
    assert "not today" in done.stderr


def test_an_app_that_is_played_to_gets_a_report(tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text('{"stranger": {"answer": "no", "note": "it shows both"}}')
    out = tmp_path / "out"
    given = ["READER-06", "--answers", str(answers), "--port", "0", "--app", "Some App 1.2"]
    app = subprocess.Popen(
        [sys.executable, "-u", "-m", "nip_ap", "play", *given, "--out", str(out)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert app.stdout is not None
    said = ""
    while "owner  npub1" not in said:
        line = app.stdout.readline()
        assert line, said
        said += line
    url, npub = re.findall(r"(?:relay|owner)  (\S+)", said)
    shown = CliRunner().invoke(personas, ["--relay", url, "--owner", npub])
    assert "Plain" in shown.output
    rest, _ = app.communicate(timeout=60)
    assert app.returncode == 1, said + rest
    (check,) = json.loads((out / "report.json").read_bytes())["checks"]
    assert (check["verdict"], check["notes"]) == (
        "fail",
        ["witnessed by a person", "it shows both"],
    )
    assert "the reader Some App" in rest
