"""What a command loads: reading reports needs no socket and no curve."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from tests.reporting.reports import one_of_each


@pytest.fixture
def reports(tmp_path):
    """A folder with two reports of a relay."""
    for name in ("old", "new"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "report.json").write_bytes(msgspec.json.encode(one_of_each().document))
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["diff", "old", "new"],
        ["history", "."],
        ["site", ".", "--out", "site"],
        ["baseline", "old"],
    ],
    ids=lambda one: one[0],
)
def test_readers_of_reports_load_no_socket_and_no_curve(reports, arguments):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "nip_ap", *arguments],
        capture_output=True,
        text=True,
        cwd=reports,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.split("\n")}
    assert "nip_ap" in loaded
    assert not loaded & {"websockets", "httpx", "h11", "coincurve", "pytest", "starlette"}
