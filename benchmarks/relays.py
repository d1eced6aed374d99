"""The relays side by side: rounds in which each is started fresh and put through the same."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any, TypeVar

import uvloop

from benchmarks import driver
from benchmarks.events import Signed, signed
from benchmarks.subjects import Subject

WINDOW = 256
LISTENERS = 100
FILLED = 100_000
_SAMPLE = 10_000
_EARLY = 1_000
_PIPELINED, _SINGLE, _FANNED_OUT = 20_000, 1_000, 300
_SECONDS_SINGLE, _SECONDS_PIPELINED, _SECONDS_FILLING = 4.0, 8.0, 60.0

Value = TypeVar("Value")


def _do(work: Coroutine[Any, Any, Value]) -> Value:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def measure(subjects: Sequence[Subject], rounds: int) -> list[dict[str, Any]]:
    """All figures of all relays. A round goes over all of them, so that noise hits them alike."""
    found: dict[Subject, list[dict[str, Any]]] = {subject: [] for subject in subjects}
    for number in range(rounds):
        events = signed(_SINGLE + _PIPELINED)
        for subject in subjects:
            found[subject].append(_round(subject, events))
            print(f"round {number + 1}: {subject.name} {subject.storage}", flush=True)
    return [_result(subject, found[subject]) for subject in subjects]


def _result(subject: Subject, rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    filled = _fill(subject)
    print(f"filled: {subject.name} {subject.storage}: {filled}", flush=True)
    return {
        "relay": subject.name,
        "storage": subject.storage,
        "note": subject.note,
        "ours": subject.is_ours,
        **_gathered(rounds),
        "filled": filled,
    }


def _round(subject: Subject, events: Sequence[Signed]) -> dict[str, Any]:
    with subject.run() as url:
        single = _do(driver.publish_one_by_one(url, events[:_SINGLE], _SECONDS_SINGLE))
        answered = _do(
            driver.publish_pipelined(
                url, events[_SINGLE:], window=WINDOW, seconds=_SECONDS_PIPELINED
            )
        )
        reads, empty = _do(
            driver.read_one_by_one(url, events[: single.count // 2], _SECONDS_SINGLE)
        )
        fanned = signed(_FANNED_OUT, first=1_000_000)
        deliveries = _do(driver.fan_out(url, fanned, listeners=LISTENERS, window=32))
    return {
        "publish to OK": asdict(single),
        "pipelined events/s": len(answered) / answered[-1],
        "REQ to EOSE": asdict(reads),
        "reads that were empty": empty,
        "fan-out deliveries/s": deliveries,
    }


def _gathered(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Each figure as the median of the rounds, with the least and the most."""

    def spread(values: Sequence[float]) -> dict[str, float]:
        digits = 3 if max(values) < 100 else 0
        return {
            "median": round(statistics.median(values), digits),
            "least": round(min(values), digits),
            "most": round(max(values), digits),
        }

    found: dict[str, Any] = {}
    for name in ("publish to OK", "REQ to EOSE"):
        for part in ("median", "p99"):
            found[f"{name}, {part} ms"] = spread([one[name][part] for one in rounds])
    for name in ("pipelined events/s", "fan-out deliveries/s"):
        found[name] = spread([one[name] for one in rounds])
    found["reads that were empty"] = max(one["reads that were empty"] for one in rounds)
    return found


def _fill(subject: Subject) -> dict[str, Any]:
    """Memory, pace and cost while a relay fills up to FILLED events, as long as there is time.

    The cost is processor time of the relay, so that it tells of the relay and not of its neighbours
    on the machine.
    """
    events = signed(FILLED)
    left, stored = _SECONDS_FILLING, 0
    stages: dict[int, dict[str, float]] = {}
    failure = ""
    with subject.run() as url:
        for start, end in _stages():
            computed = driver.processor_time_of_children(os.getpid())
            try:
                answered = _do(
                    driver.publish_pipelined(url, events[start:end], window=WINDOW, seconds=left)
                )
            except driver.RelayFailed as reason:
                failure = str(reason)
                break
            computed = driver.processor_time_of_children(os.getpid()) - computed
            stored, left = stored + len(answered), left - answered[-1]
            stages[start] = {
                "events/s": round(len(answered) / answered[-1]),
                "us an event": round(computed / len(answered) * 1e6, 1),
            }
            if left <= 0:
                break
        memory = driver.memory_of_children(os.getpid())
    is_full = stored == FILLED
    return {
        "events": stored,
        "memory MiB": memory,
        "failure": failure,
        "early": stages.get(_EARLY) if stored >= _EARLY + _SAMPLE else None,
        "late": stages.get(FILLED - _SAMPLE) if is_full else None,
    }


def _stages() -> list[tuple[int, int]]:
    """Where the events are cut: before, early, between and late."""
    cuts = (0, _EARLY, _EARLY + _SAMPLE, FILLED - _SAMPLE, FILLED)
    return list(pairwise(cuts))


def generator_alone() -> dict[str, Any]:
    """What the driver and the load generator reach on a relay that does nothing."""
    from nip_ap.load import Outcome, Shape
    from nip_ap.load.generator import Task
    from nip_ap.load.processes import perform
    from nip_ap.model.greeting import SILENT
    from nip_ap.nostr import SecretKey

    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sink"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as sink:
        assert sink.stdout is not None
        url = sink.stdout.readline().split()[-1]
        events = signed(_PIPELINED)
        answered = _do(
            driver.publish_pipelined(url, events, window=WINDOW, seconds=_SECONDS_PIPELINED)
        )
        shape = Shape.full(64, 16, 20_000, 20.0)
        tasks = [
            Task(
                url=url,
                secret=SecretKey.fresh().secret_hex(),
                base="alone",
                now=1_800_000_000,
                shape=shape,
                publishers=tuple(range(number, shape.publishers, shape.processes)),
                subscribers=tuple(range(number, shape.subscribers, shape.processes)),
                greeting=SILENT,
                answer_limit=8.0,
            )
            for number in range(shape.processes)
        ]
        figures = Outcome(shape, perform(tasks)).figures()
        sink.communicate()
    return {
        "driver, pipelined events/s": round(len(answered) / answered[-1]),
        "load generator, events/s": figures["events a second"],
        "load generator, deliveries/s": figures["deliveries a second"],
        "publishers": shape.publishers,
        "subscribers": shape.subscribers,
        "processes": shape.processes,
    }
