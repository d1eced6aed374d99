"""A relay that the suite starts: start, readiness, restart, death and log, by its supervisor."""

from __future__ import annotations

import contextlib
import os
import signal
import textwrap
import time
from pathlib import Path
from typing import Any

from nip_ap.model.recipe import Recipe
from nip_ap.targets.base import TargetError
from nip_ap.targets.supervision import Supervision

DEFAULT_START_LIMIT = 30.0

_BREATH = 0.02
_ONE_TRY = 2.0
_STOP_LIMIT = 5.0
_TAIL = 4000
_LINES_SHOWN = 20


class SupervisedTarget:
    """A relay made from a recipe and held by a supervisor."""

    is_disposable = True

    def __init__(self, recipe: Recipe, what: str) -> None:
        """`what` names the relay in messages, such as "the command ./my-relay"."""
        self.recipe = recipe
        self.url = ""
        self.log: Path | None = None
        self._what = what
        self._limit = float(recipe.values.get("start_limit") or DEFAULT_START_LIMIT)
        self._supervision: Supervision | None = None
        self._last_output = ""
        self.group = 0
        """The process group of what runs, by its first process's id; 0 where none does."""

    def _ask(self, **request: Any) -> dict[str, Any]:
        if self._supervision is None:
            raise TargetError(f"{self._what} was stopped")
        try:
            return self._supervision.ask(**request)
        except TargetError as error:
            raise TargetError(self.recipe.masked(str(error))) from None

    def _supervised(self) -> Supervision:
        try:
            made = Supervision(self.recipe.to_json(), self._what)
        except TargetError as error:
            raise TargetError(self.recipe.masked(str(error))) from None
        self.log = Path(made.places["log"])
        return made

    # -- the relay -------------------------------------------------------------

    def start(self) -> None:
        """Start the relay, and wait until it answers. Raises TargetError with the log's tail.

        After `kill` or `shut_down` it is started again, on the same port and with what it stored.
        """
        try:
            if self._supervision is None:
                self._supervision = self._supervised()
            started = self._ask(do="start")
            self.url, self.group = started["url"], started["group"]
            self._await(time.monotonic() + self._limit)
        except BaseException:
            self.stop()
            raise

    def _await(self, deadline: float) -> None:
        while True:
            left = deadline - time.monotonic()
            ended = self._ask(do="watch", seconds=min(_BREATH, max(left, 0.0)))["ended"]
            if ended:
                raise TargetError(self._with_log(f"{self._what} {ended} before it was ready"))
            if left <= 0:
                raise TargetError(
                    self._with_log(f"{self._what} was not ready within {self._limit:g} s")
                )
            if answers(self.url, min(left, _ONE_TRY)) and self._ask(do="check")["well"]:
                return

    def _with_log(self, sentence: str) -> str:
        lines = self.logs().strip().splitlines()[-_LINES_SHOWN:]
        if not lines:
            return f"{sentence}; it wrote nothing to its log"
        return f"{sentence}; its log ends:\n" + textwrap.indent("\n".join(lines), "  ")

    def stop(self) -> None:
        """End the relay and its supervisor; what it stored is gone."""
        supervision, self._supervision, self.group = self._supervision, None, 0
        if supervision is not None:
            self._last_output = self.logs()
            supervision.end()

    def shut_down(self, grace: float = _STOP_LIMIT) -> bool:
        """Ask the relay to end; whether it did by itself within so many seconds. It can `start`."""
        self.group = 0
        return bool(self._ask(do="stop", grace=grace)["by_itself"])

    def kill(self) -> None:
        """SIGKILL to all of its processes, as a crash would; it can `start`."""
        if self.group:  # at once: the way by the supervisor may take as long as a burst of writes
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.group, signal.SIGKILL)
        self.group = 0
        self._ask(do="kill")

    def logs(self) -> str:
        """The end of what it wrote."""
        if self.log is None or not self.log.exists():
            return self._last_output
        return tail_of(self.log, self.recipe)


def size_of(log: Path) -> int:
    """How long a log is, in bytes; 0 where it is not on this machine."""
    try:
        return log.stat().st_size
    except OSError:
        return 0


def tail_of(log: Path, recipe: Recipe, since: int = 0) -> str:
    """The end of a log from a position in bytes on, with secrets masked; empty where it is gone."""
    try:
        with log.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(since, size - _TAIL))
            text = stream.read(_TAIL).decode("utf-8", "replace")
    except OSError:
        return ""
    return recipe.masked(text)


def answers(url: str, limit: float) -> bool:
    """Whether a relay lets a WebSocket connection be opened; an open port is no proof of that."""
    # Here and not above: a supervisor, of which a run may start many, does without.
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    try:
        with connect(url, open_timeout=limit, close_timeout=0.5, proxy=None, compression=None):
            return True
    except (OSError, TimeoutError, EOFError, WebSocketException):
        return False
