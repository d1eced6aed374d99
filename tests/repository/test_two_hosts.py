"""A run over two hosts, which are network namespaces of this machine; the example does it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "two_hosts.py"
MISSING = 77


def namespaces():
    try:
        listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return set()
    return {line.split()[0] for line in listed.stdout.splitlines()}


def test_a_run_over_two_hosts_is_conformant_and_both_take_part():
    before = namespaces()
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "SLUG", "READ"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode == MISSING:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^conformant: all \d+ applicable checks hold", done.stdout, re.MULTILINE)
    shares = [int(number) for number in re.findall(r"^host-[ab] ran (\d+) ", done.stdout, re.M)]
    assert len(shares) == 2
    assert all(shares), "a host without a check took no part"
    assert namespaces() == before, "a namespace was left behind"
