"""What a command loads: reading reports needs no socket and no curve."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from tests.reporting.reports import one_of_each


@pytest.fixture
def two_reports(tmp_path):
    paths = [tmp_path / "old.json", tmp_path / "new.json"]
    for path in paths:
        path.write_bytes(msgspec.json.encode(one_of_each().document))
    return [str(path) for path in paths]


def test_comparing_reports_loads_no_socket_and_no_curve(two_reports):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "nip_ap", "diff", *two_reports],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.split("\n")}
    assert "nip_ap" in loaded
    assert not loaded & {"websockets", "h11", "coincurve"}
