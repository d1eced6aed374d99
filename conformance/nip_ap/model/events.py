"""Moments of a run as frozen values: the engine emits them; what shows or keeps a run listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nip_ap.model.report import Report
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject


@dataclass(frozen=True)
class RunStarted:
    """The relay is up and has been probed; no check has run yet. `kind` is that of its target."""

    subject: Subject
    settings: Settings
    kind: str = ""


@dataclass(frozen=True)
class RunWaits:
    """A rate limit is being waited for; `text` says in one line how long and why."""

    text: str


@dataclass(frozen=True)
class RunGoesOn:
    """Nothing was to be told for some seconds; `text` says how far the run is."""

    text: str


@dataclass(frozen=True)
class CheckFinished:
    """One check of so many has a result."""

    result: Result
    expected: int


@dataclass(frozen=True)
class RunFinished:
    """All that could run has run: the verdict, and the document that every format renders."""

    run: Run
    report: Report


RunEvent = RunStarted | RunWaits | RunGoesOn | CheckFinished | RunFinished

Listener = Callable[[RunEvent], None]
"""What is told of a run. Listeners are told in turn; what one raises ends the run."""
