"""Workers that are forks: every item once, and one that dies is told."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import pytest

from nip_ap.engine.forks import Forks, can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="forks are for Linux")

_ITEMS = """
import os, pytest

@pytest.mark.parametrize("number", range(6))
def test_passes(number):
    with open({notes!r}, "a") as file:
        file.write(f"{{os.getpid()}}\\n")

def test_fails():
    assert 1 == 2

def test_dies():
    os.abort()

def test_exits():
    os._exit(7)

def test_comes_after():
    pass
"""


class _Gathered:
    """What the controller hears, and whether a fork left as it should."""

    def __init__(self, farewells: Path) -> None:
        self.__name__ = "nip_ap_worker"
        self.outcomes: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.pids: set[int] = set()
        self._farewells = farewells

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            name = report.nodeid.partition("::")[2]
            self.outcomes[name] = report.outcome
            self.texts[name] = str(report.longrepr)
            self.pids.add(os.getpid())

    def leave(self) -> None:
        with self._farewells.open("a") as file:
            file.write("left\n")


def _run(folder: Path, *extra: str) -> tuple[_Gathered, list[int]]:
    notes, farewells = folder / "notes", folder / "farewells"
    notes.touch()
    farewells.touch()
    items = folder / "test_items.py"
    items.write_text(_ITEMS.format(notes=str(notes)), encoding="utf-8")
    gathered = _Gathered(farewells)
    usual = (
        "-q",
        "--import-mode=importlib",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
        "-p",
        "no:cacheprovider",
    )
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*usual, "--capture=no", str(items), *extra], plugins=[gathered, Forks(2)])
    return gathered, [int(line) for line in notes.read_text(encoding="utf-8").splitlines()]


def test_every_item_runs_once_in_a_fork_and_the_controller_hears_of_it(tmp_path: Path) -> None:
    gathered, pids = _run(tmp_path, "-k", "test_passes or test_fails or test_comes_after")
    assert len(pids) == 6
    assert os.getpid() not in pids
    assert gathered.pids == {os.getpid()}
    assert gathered.outcomes.pop("test_fails") == "failed"
    assert set(gathered.outcomes.values()) == {"passed"}
    assert len(gathered.outcomes) == 7
    assert (tmp_path / "farewells").read_text(encoding="utf-8") == "left\n" * 2


def test_a_fork_that_dies_is_told_and_replaced(tmp_path: Path) -> None:
    gathered, _ = _run(tmp_path)
    assert gathered.outcomes["test_dies"] == "failed"
    assert gathered.texts["test_dies"] == "the process was ended by signal SIGABRT"
    assert gathered.texts["test_exits"] == "the process ended with exit code 7"
    assert gathered.outcomes["test_comes_after"] == "passed"
    assert len(gathered.outcomes) == 10


def test_nothing_begins_after_the_failure_at_which_a_run_stops(tmp_path: Path) -> None:
    gathered, _ = _run(tmp_path, "-k", "test_fails or test_comes_after", "--maxfail", "1")
    assert gathered.outcomes["test_fails"] == "failed"
    assert len(gathered.outcomes) <= 2


def test_a_fork_holds_none_of_the_controllers_lines(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    target = os.readlink(f"/proc/self/fd/{writing}")
    held = tmp_path / "test_held.py"
    held.write_text(
        "import os\n"
        "def test_line():\n"
        "    links = [f'/proc/self/fd/{one}' for one in os.listdir('/proc/self/fd')]\n"
        "    held = [os.readlink(one) for one in links if os.path.islink(one)]\n"
        f"    assert {target!r} not in held\n",
        encoding="utf-8",
    )
    gathered = _Gathered(tmp_path / "farewells")
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(
            ["-q", "-c", os.devnull, "-p", "no:cacheprovider", "--capture=no", str(held)],
            plugins=[gathered, Forks(1)],
        )
    os.close(reading)
    os.close(writing)
    assert gathered.outcomes == {"test_line": "passed"}, gathered.texts
