"""The parts of a run's time, as a run tells them."""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from nip_ap.model.events import CheckFinished, RunFinished, RunStarted
from nip_ap.reporting.timings import Moment, TimingsListener
from tests.reporting.fixed_run import RESULTS

CLOCK = [
    Moment(100.0, 0.5),  # the listener is made: imports are over
    Moment(101.5, 0.7),  # the relay is up
    Moment(103.0, 1.7),  # the first check is over, after a quarter of a second
    Moment(104.0, 1.8),  # the second
    Moment(104.5, 1.9),  # the run
]


def _told(monkeypatch: pytest.MonkeyPatch) -> str:
    moments = iter(CLOCK)
    monkeypatch.setattr(Moment, "now", lambda: next(moments))
    usage = SimpleNamespace(ru_utime=3.0, ru_stime=0.25)
    monkeypatch.setattr("resource.getrusage", lambda who: usage)
    printed = io.StringIO()
    not_looked_at: Any = None
    listener = TimingsListener(printed)
    first, second = replace(RESULTS[0], seconds=0.25), replace(RESULTS[1], seconds=0.75)
    listener(RunStarted(not_looked_at, not_looked_at))
    listener(CheckFinished(first, 2))
    listener(CheckFinished(second, 2))
    listener(RunFinished(not_looked_at, not_looked_at))
    return printed.getvalue()


@pytest.mark.parametrize(
    ("part", "figures"),
    [
        ("imports", ["0.50 s"]),
        ("the relay starts and is probed", ["1.50 s", "0.20 s"]),
        ("checks are collected", ["1.25 s", "1.00 s"]),
        ("checks run", ["1.25 s", "0.10 s"]),
        ("relay and workers end", ["0.50 s", "0.10 s"]),
        ("other processes: workers and the relay", ["3.25 s"]),
    ],
)
def test_each_part_has_its_wall_and_processor_time(
    monkeypatch: pytest.MonkeyPatch, part: str, figures: list[str]
) -> None:
    (line,) = [one for one in _told(monkeypatch).splitlines() if one.strip().startswith(part)]
    assert " ".join(line.split()).removeprefix(part).split(" ", 1)[1] == " ".join(figures)


def test_the_longest_check_is_told_first(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _told(monkeypatch).splitlines()
    place = next(number for number, line in enumerate(lines) if "the longest checks" in line)
    assert [line.split()[-1] for line in lines[place + 1 :]] == [
        RESULTS[1].check,
        RESULTS[0].check,
    ]
