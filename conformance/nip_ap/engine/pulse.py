"""The pulse of a run: every second somebody looks at what it waits for, how far it is, how late.

A run that says nothing looks like one that hangs, and one that hangs must not do so for ever.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nip_ap.engine.waits import in_words, waiting_in
from nip_ap.model.deadline import Deadline
from nip_ap.model.events import RunEvent, RunGoesOn, RunWaits

_LOOK_EVERY = 1.0
_TELL_EVERY = 9.0
GRACE = 45.0
"""Seconds after the deadline in which checks that are under way take away what they wrote."""

Emit = Callable[[RunEvent], None]


class Pulse:
    """Looks after one run: tells of waits and of progress, and ends what outlives its deadline."""

    def __init__(
        self,
        emit: Emit,
        progress: Callable[[], str],
        deadline: Deadline,
        give_up: Callable[[], None],
    ) -> None:
        """`progress` says in a few words how far the run is; `give_up` ends it by force."""
        self._emit = emit
        self._progress = progress
        self._deadline = deadline
        self._give_up = give_up
        self.notes: Path | None = None
        """The folder where processes note what they wait for, once there is one."""

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Look every second for as long as the context lasts."""
        is_over = threading.Event()
        thread = threading.Thread(target=self._beat, args=(is_over,), daemon=True, name="pulse")
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _beat(self, is_over: threading.Event) -> None:
        told = time.monotonic()
        while not is_over.wait(_LOOK_EVERY):
            if self._deadline.left < -GRACE:
                self._give_up()
                return
            if time.monotonic() - told >= _TELL_EVERY:
                told = time.monotonic()
                self._emit(self._news())

    def _news(self) -> RunEvent:
        waiting = [] if self.notes is None else waiting_in(self.notes, time.time())
        return RunWaits(in_words(waiting)) if waiting else RunGoesOn(self._progress())


def interrupt_the_main_thread() -> None:
    """As Ctrl-C would, also where it waits for something."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)
