"""pytest inside pytest: the plugin as users meet it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from nip_ap.targets import BundledTarget


@pytest.fixture(scope="session")
def relay() -> Iterator[BundledTarget]:
    """One conformant relay for all of these tests; every check brings keys of its own."""
    target = BundledTarget()
    target.start()
    yield target
    target.stop()


@pytest.fixture
def rogue():
    """Starts a relay with a deviation."""
    started = []

    def start(name):
        started.append(BundledTarget(("--rogue", name)))
        started[-1].start()
        return started[-1].url

    yield start
    for target in started:
        target.stop()


@pytest.fixture(autouse=True)
def plain_pytest(monkeypatch):
    """What the developer of the suite has set is nothing that a user has set."""
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run_pytest(pytester):
    """Runs pytest in a process of its own, in an empty folder."""

    def run(*arguments):
        return pytester.runpytest_subprocess("-p", "no:randomly", *map(str, arguments))

    return run


@pytest.fixture
def run_checks(run_pytest, relay, tmp_path):
    """Runs `pytest --nip-ap` on the shared relay, or at `url`; gives the report as well."""

    def run(*arguments, url=None):
        out = tmp_path / "report"
        printed = run_pytest(
            "--nip-ap", "--relay-url", url or relay.url, "--nip-ap-out", out, *arguments
        )
        document = json.loads((out / "report.json").read_text()) if out.exists() else None
        return SimpleNamespace(printed=printed, code=printed.ret, report=document, out=out)

    return run


@pytest.fixture
def nip_ap():
    """Runs the command; with --json its output comes parsed."""

    def run(*arguments, timeout=120):
        done = subprocess.run(
            [sys.executable, "-m", "nip_ap", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        parsed = json.loads(done.stdout) if "--json" in arguments and done.stdout else None
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr, json=parsed)

    return run


@pytest.fixture
def scenario(pytester):
    """Writes a scenario file of a user's own; gives its path."""

    def write(body, name="test_mine.py"):
        path = pytester.path / name
        path.write_text("from nip_ap.scenario import *\n" + body)
        return path

    return write
