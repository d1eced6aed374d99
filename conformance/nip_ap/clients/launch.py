"""Starting a client as a process of its own, by docs/migrator-contract.md or reader-contract.md.

A template such as `mytool --base {base} --relay {relay} --key {key}` is split like a shell command
and its placeholders are filled in; no shell runs it. The suite's own migrator can also be started
from a warm process that has the imports behind it (warm.py): each run is still a process of its
own that can be killed, and a proof of many runs saves the start of many interpreters.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import orjson

from nip_ap.model.judgement import Inconclusive

WARM = "warm:"
"""A template that begins so holds the arguments of one of our clients (warm.py)."""


_VARIABLES = {
    "base": "NIP_AP_BASE",
    "relay": "NIP_AP_RELAY",
    "owner": "NIP_AP_OWNER",
    "slug": "NIP_AP_SLUG",
    "key": "NIP_AP_KEY_FILE",
}
"""The places that a client also finds in its environment."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `code` is None where it did not end in time and was killed."""

    code: int | None
    out: str
    err: str
    seconds: float

    @property
    def says_synced(self) -> bool:
        """Whether the migrator claims that all is on the relay."""
        return self.code == 0

    def mentions(self, *words: str) -> bool:
        """Whether the output names each of these, letter for letter or as JSON writes it."""
        said = self.out + self.err
        return all(word in said or orjson.dumps(word)[1:-1].decode() in said for word in words)

    def __str__(self) -> str:
        tail = (self.err.strip() or self.out.strip())[-300:]
        return f"exit {self.code} after {self.seconds:.2f} s; its last output: {tail!r}"


class Process(Protocol):
    """What is needed of a process."""

    def wait(self, timeout: float) -> int | None:
        """The exit code, or None where it still runs."""

    def kill(self) -> None:
        """SIGKILL; no error where it has ended."""


class PlainProcess:
    """A child of this process."""

    def __init__(self, argv: list[str], env: Mapping[str, str], out: IO[bytes], err: IO[bytes]):
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=dict(env),
            start_new_session=True,
        )

    def wait(self, timeout: float) -> int | None:
        """See Process."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """Kill the whole group: a migrator may be a script that started others."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Running:
    """A migrator that was started."""

    def __init__(self, argv: list[str], env: Mapping[str, str], budget: float, warm: bool) -> None:
        self._budget = budget
        self._began = time.monotonic()
        self._out = tempfile.TemporaryFile()  # noqa: SIM115
        self._err = tempfile.TemporaryFile()  # noqa: SIM115
        start: Any = PlainProcess
        if warm:
            from nip_ap.clients.warm import WarmProcess

            start = WarmProcess
        try:
            self._process: Process = start(argv, env, self._out, self._err)
        except OSError as error:
            raise Inconclusive(f"{argv[0]!r} cannot be started: {error}") from None

    def end(self) -> Outcome:
        """Wait for the end, and kill what takes longer than the budget and a grace."""
        code = self._process.wait(self._budget * 1.5)
        if code is None:
            self._process.kill()
        return self._outcome(code)

    def killed(self, *, after: float = 0.0) -> Outcome:
        """Kill it, at once or after some seconds unless it ends before."""
        code = self._process.wait(after) if after else None
        if code is None:
            self._process.kill()
        return self._outcome(code)

    def _outcome(self, code: int | None) -> Outcome:
        seconds = time.monotonic() - self._began
        return Outcome(code, _taken(self._out), _taken(self._err), seconds)


def _taken(stream: IO[bytes]) -> str:
    stream.seek(0)
    with stream:
        return stream.read().decode("utf-8", "replace")


def start(template: str, places: Mapping[str, str], *, budget: float) -> Running:
    """Start a migrator. `places` fill the placeholders, and go into its environment as well."""
    warm = template.startswith(WARM)
    argv = [_filled(word, places) for word in shlex.split(template.removeprefix(WARM))]
    env = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "NIP_AP_BUDGET": f"{budget:g}",
        **{variable: places[name] for name, variable in _VARIABLES.items() if name in places},
    }
    return Running(argv, env, budget, warm)


def _filled(word: str, places: Mapping[str, str]) -> str:
    for name, value in places.items():
        word = word.replace(f"{{{name}}}", value)
    return word


def clock_passes(seconds: float) -> None:
    """Wait until the wall clock reads so much more: the subject is an event's age, in seconds."""
    moment = time.time() + seconds
    while (left := moment - time.time()) > 0:
        threading.Event().wait(left)


def next_second() -> None:
    """Wait for the next second of the wall clock: created_at has no finer grain."""
    clock_passes(1.01 - time.time() % 1)
