"""Listeners to a run that show it or write it down: the terminal, JSON, report files, Allure."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO

from nip_ap.model.client_name import client_name
from nip_ap.model.events import (
    CheckFinished,
    RunEvent,
    RunFinished,
    RunGoesOn,
    RunStarted,
    RunWaits,
)
from nip_ap.reporting.formats import write_reports
from nip_ap.reporting.printing import say, say_json, unfailing
from nip_ap.reporting.terminal import Detail, Printer, Progress
from nip_ap.version import __version__

OWN = "own"
"""The folder of the reports of somebody's own checks, below that of the suite's."""


class TerminalListener:
    """Prints a run: its heading, the progress, the waits, and at the end the report."""

    def __init__(self, stream: IO[str], detail: Detail = Detail.NORMAL) -> None:
        self._printer = Printer(stream, detail)
        self._stream = stream if detail is not Detail.QUIET else io.StringIO()
        self._progress = Progress(self._stream)

    def __call__(self, event: RunEvent) -> None:
        """Print what the event is about."""
        match event:
            case RunStarted():
                self._announce(event)
            case RunWaits():
                self._progress.clear()
                say(event.text, file=self._stream)
            case RunGoesOn():
                self._progress.tell(event.text)
            case CheckFinished():
                self._progress.add(event.result, event.expected)
            case RunFinished():
                self._progress.clear()
                self._printer.report(event.report)

    def close(self) -> None:
        """Leave a clean line, also where the run broke off."""
        self._progress.clear()

    def _announce(self, event: RunStarted) -> None:
        capabilities = event.subject.capabilities
        if event.settings.reader:
            self._printer.heading_of_reader(
                __version__, client_name(event.settings.reader), event.settings.seed
            )
            return
        self._printer.heading(
            __version__,
            event.subject.url,
            event.kind,
            capabilities.spec,
            capabilities.spec_reason,
            event.settings.seed,
        )
        self._printer.capabilities(capabilities.found.values())


class JsonListener:
    """Prints report.json and nothing else."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = unfailing(stream)

    def __call__(self, event: RunEvent) -> None:
        """Print the document at the end."""
        if isinstance(event, RunFinished):
            say_json(event.report.document.to_json(), self._stream)


class FilesListener:
    """Writes every report format into a folder, and says where, if there is a stream for it."""

    def __init__(self, out: Path, stream: IO[str] | None = None) -> None:
        self._out = out
        self._stream = stream

    def __call__(self, event: RunEvent) -> None:
        """Write at the end."""
        if not isinstance(event, RunFinished):
            return
        out = self._out / OWN if event.run.scenarios else self._out
        write_reports(event.report, out)
        if self._stream is not None:
            say(f"report: {out / 'report.html'}", file=self._stream)


class AllureListener:
    """Writes results that Allure reads; needs the extra `allure`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, event: RunEvent) -> None:
        """Write at the end."""
        if isinstance(event, RunFinished):
            from nip_ap.reporting.formats.allure import write_allure

            write_allure(event.report, self._folder)
