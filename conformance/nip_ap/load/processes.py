"""Several generators at once: processes beside this one, started, kept in step and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import IO

import orjson

from nip_ap.load.connection import Refused
from nip_ap.load.generator import PUBLISHED, READY, Conduct, Generator, Share, Task

_SLACK = 30.0
_WORKER = (sys.executable, "-m", "nip_ap.load")


class GeneratorFailed(RuntimeError):
    """A process of the generator broke down: the suite's own fault."""


def perform(tasks: Sequence[Task]) -> tuple[Share, ...]:
    """Play tasks at the same time: one in this process, several in one each.

    Raises Refused where the relay lets a connection down before the start, GeneratorFailed.
    """
    if len(tasks) == 1:
        return (play(tasks[0], _alone),)
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(_Worker(task)) for task in tasks]
        for stage in (READY, PUBLISHED):
            total = sum(worker.arrived_at(stage) for worker in workers)
            for worker in workers:
                worker.go_on(total)
        return tuple(worker.share() for worker in workers)


def play(task: Task, conduct: Conduct) -> Share:
    """One task on an event loop of its own."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(Generator(task, conduct).run())


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _alone(stage: str, number: int) -> int:
    return number


class _Worker:
    """A process that plays one task. It ends when this one closes its standard input."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._process = subprocess.Popen(
            _WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._write(orjson.dumps(task.to_json()))

    def __enter__(self) -> _Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def arrived_at(self, stage: str) -> int:
        """Wait until the process comes to a stage; gives the number that it reports."""
        return int(self._read(stage))

    def go_on(self, total: int) -> None:
        """Let it go on, with the sum of what all reported."""
        self._write(str(total).encode())

    def share(self) -> Share:
        """What the process saw, at its end."""
        return Share.from_bytes(self._read("share"))

    def _read(self, awaited: str) -> bytes:
        assert self._process.stdout is not None
        limit = threading.Timer(self._task.time_limit + _SLACK, self._process.kill)
        limit.start()
        try:
            line = _whole_line(self._process.stdout)
        finally:
            limit.cancel()
        word, _, rest = line.partition(b" ")
        if word == b"refused" and line.endswith(b"\n"):
            raise Refused(rest.decode().strip())
        if word != awaited.encode() or not line.endswith(b"\n"):
            raise GeneratorFailed(self._how_it_ended())
        return rest

    def _how_it_ended(self) -> str:
        """A line that is not whole says no more than that there will be none."""
        self._process.kill()
        _, errors = self._process.communicate()
        last = errors.decode("utf-8", "replace").strip()[-2000:] or "it wrote nothing"
        return f"a process of the load generator on {self._task.url} ended early: {last}"

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # what it died of is read next
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()


def _whole_line(stream: IO[bytes]) -> bytes:
    """A line with its end, however long; less only where nothing more comes."""
    os.set_blocking(stream.fileno(), True)  # else a line may end where the pipe is empty for now
    line = b""
    while not line.endswith(b"\n"):
        part = stream.readline()
        if not part:
            break
        line += part
    return line
