"""Workers that are forks of this process: they begin with everything imported and collected.

A worker of xdist is a new interpreter: it imports the suite and collects every check again, which
takes longer than some hundred checks do. A fork has both. Only where a fork is sound, on Linux; a
run on another system or over several hosts has xdist's workers.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any

import pytest

FORKS = "nip_ap_forks"
"""The name of the plugin."""

_OF_THE_CONTROLLER = ("nip_ap_controller", "terminalreporter")
"""What hears of checks in the controller's process alone."""

_STANDARD = 3
"""So many descriptors, from 0 on, a fork keeps as they are."""

_LOST = (EOFError, OSError, pickle.UnpicklingError)


def can_fork() -> bool:
    """Whether a process with threads may be forked here: macOS's own libraries do not bear it."""
    return sys.platform == "linux"


@dataclass
class _Fork:
    """One worker as the controller sees it."""

    pid: int
    line: Connection
    running: pytest.Item | None = None
    broke: str = ""
    """The last that it said, where the suite itself failed in it."""


class Forks:
    """The loop of a pytest session that deals out its items, one at a time, to forks."""

    def __init__(self, count: int) -> None:
        """`count` processes run checks; this one gathers what they report."""
        self.__name__ = FORKS
        self.count = count
        self._forks: list[_Fork] = []
        self._places: dict[pytest.Item, int] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run all items, in their order as far as several processes have one."""
        if session.testsfailed or session.config.option.collectonly or not session.items:
            return None  # as pytest itself does with a broken collection
        self._places = {item: place for place, item in enumerate(session.items)}
        waiting = iter(session.items)
        gc.freeze()  # what is collected stays, and is not worth looking through in each fork
        try:
            for _ in range(min(self.count, len(session.items))):
                self._deal(session, self._forked(session), waiting)
            while self._forks:
                self._hear(session, waiting)
        finally:
            gc.unfreeze()
            self._end()
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        return True

    def _hear(self, session: pytest.Session, waiting: Iterator[pytest.Item]) -> None:
        """Take in one message of each fork that has something to say."""
        by_line = {fork.line: fork for fork in self._forks}
        for line in wait(list(by_line)):
            fork = by_line[line]  # type: ignore[index]
            try:
                told = fork.line.recv()
            except _LOST:
                self._bury(session, fork, waiting)
                continue
            if isinstance(told, _Broke):
                fork.broke = told.why
                continue
            self._tell(session, fork, told)
            if told is None:
                self._deal(session, fork, waiting)

    def _tell(self, session: pytest.Session, fork: _Fork, told: Any) -> None:
        """What a fork says in pytest's hooks: a report, or that the item is over."""
        hook, item = session.config.hook, fork.running
        assert item is not None
        if told is None:
            hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
            return
        report = hook.pytest_report_from_serializable(config=session.config, data=told)
        hook.pytest_runtest_logreport(report=report)

    def _deal(self, session: pytest.Session, fork: _Fork, waiting: Iterator[pytest.Item]) -> None:
        """Give a fork its next item; none is left, or none is wanted any more: let it go."""
        stops = session.shouldfail or session.shouldstop
        fork.running = None if stops else next(waiting, None)
        if fork.running is None:
            with suppress(OSError):
                fork.line.send(None)
            return
        item = fork.running
        session.config.hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        with suppress(OSError):  # one that died is buried when its line is read
            fork.line.send(self._places[item])

    def _bury(self, session: pytest.Session, fork: _Fork, waiting: Iterator[pytest.Item]) -> None:
        """A fork ended: as it should, or in the middle of an item, which is told then."""
        self._forks.remove(fork)
        fork.line.close()
        _, status = os.waitpid(fork.pid, 0)
        item = fork.running
        if item is None:
            return
        report = pytest.TestReport(
            item.nodeid, item.location, {}, "failed", fork.broke or _how_it_ended(status), "call"
        )
        session.config.hook.pytest_runtest_logreport(report=report)
        session.config.hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        self._deal(session, self._forked(session), waiting)

    def _forked(self, session: pytest.Session) -> _Fork:
        here, there = Pipe()
        with warnings.catch_warnings():
            # Of threads: the other one here is the run's pulse, and a fork has nothing to do
            # with what that holds.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if not pid:
            _work(session, there)
        there.close()
        fork = _Fork(pid, here)
        self._forks.append(fork)
        return fork

    def _end(self) -> None:
        """Nothing of a run that was broken off goes on."""
        for fork in self._forks:
            with suppress(ProcessLookupError):
                os.kill(fork.pid, signal.SIGKILL)
            fork.line.close()
            os.waitpid(fork.pid, 0)
        self._forks.clear()


def _how_it_ended(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return (
        f"the process was ended by signal {signal.Signals(-code).name}"
        if code < 0
        else f"the process ended with exit code {code}"
    )


@dataclass(frozen=True)
class _Broke:
    """What a fork sends in place of a report where the suite itself failed in it."""

    why: str


# -- in the fork ------------------------------------------------------------------


class _Reporting:
    """Sends what a fork reports to the controller."""

    def __init__(self, config: pytest.Config, line: Connection) -> None:
        self._config, self._line = config, line

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of an item is over."""
        hook = self._config.hook
        self._line.send(hook.pytest_report_to_serializable(config=self._config, report=report))


def _work(session: pytest.Session, line: Connection) -> None:
    """The life of a fork; it never returns, so that nothing of the controller's is done twice."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the controller's
        _let_go_of_all_but(line.fileno())
        _run_items(session, line)
        code = 0
    except BaseException as error:
        with suppress(OSError):
            line.send(_Broke(f"{type(error).__name__}: {error}"))
    finally:
        os._exit(code)


def _run_items(session: pytest.Session, line: Connection) -> None:
    plugins = session.config.pluginmanager
    for name in (FORKS, *_OF_THE_CONTROLLER):
        plugins.unregister(name=name)
    plugins.register(_Reporting(session.config, line))
    try:
        while (place := line.recv()) is not None:
            item = session.items[place]
            # The next item is not known yet, so that nothing is kept for it.
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            line.send(None)
    except _LOST:
        pass  # the controller is gone
    finally:
        plugins.getplugin("nip_ap_worker").leave()


def _let_go_of_all_but(*kept: int) -> None:
    """A fork holds none of the controller's lines: the ends of other processes depend on them.

    They become the null device instead of being closed, because objects that know their numbers
    are still here.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for number in _descriptors():
        if number >= _STANDARD and number not in kept:
            with suppress(OSError):
                os.dup2(null, number, inheritable=False)


def _descriptors() -> Sequence[int]:
    return [int(name) for name in os.listdir("/proc/self/fd")]
