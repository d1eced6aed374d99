"""No check waits for time to pass. What must not happen is proved by a fence, not by a pause.

Two guards. Scenario files may not import what waits, which is seen in their source; and while a
check runs, `time.sleep`, `asyncio.sleep` and a timed `threading.Event.wait` are a mistake when
scenario code calls them, through whatever helper. The suite's own waits go on working.
"""

from __future__ import annotations

import ast
import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from nip_ap.model.judgement import ScenarioMistake
from nip_ap.resources import resource

WAITING_MODULES = frozenset(
    ("asyncio", "sched", "select", "selectors", "signal", "subprocess", "threading", "time")
)
_REMEDY = "publish a fence and wait for that, or ask the `clock` fixture for the time"
_SUITE = str(Path(__file__).resolve().parents[1])


def imports_that_wait(source: str) -> list[str]:
    """Complaints about the imports of a scenario file, at any depth."""
    return [
        f"line {line} imports {name}, and a scenario must not wait: {_REMEDY}"
        for node in ast.walk(ast.parse(source))
        for line, name in _imported(node)
        if name.partition(".")[0] in WAITING_MODULES
    ]


@cache
def impatient_imports(file: Path) -> tuple[str, ...]:
    """The complaints about one file."""
    return tuple(imports_that_wait(file.read_text(encoding="utf-8")))


def _imported(node: ast.AST) -> list[tuple[int, str]]:
    if isinstance(node, ast.Import):
        return [(node.lineno, alias.name) for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [(node.lineno, node.module)]
    return []


@contextmanager
def no_waiting(scenario: Path) -> Iterator[None]:
    """While a check runs: what waits raises ScenarioMistake in the hands of scenario code."""
    places: list[tuple[Any, str, int | None]] = [
        (time, "sleep", None),
        (asyncio, "sleep", None),
        (threading.Event, "wait", 1),
    ]
    originals = [getattr(owner, name) for owner, name, _ in places]
    for (owner, name, timeout_at), original in zip(places, originals, strict=True):
        setattr(owner, name, _guarded(original, f"{owner.__name__}.{name}", scenario, timeout_at))
    try:
        yield
    finally:
        for (owner, name, _), original in zip(places, originals, strict=True):
            setattr(owner, name, original)


def _guarded(
    original: Callable[..., Any], name: str, scenario: Path, timeout_at: int | None
) -> Callable[..., Any]:
    """`timeout_at` is where the timeout stands; waiting without one is waiting for an event."""

    def guarded(*args: Any, **kwargs: Any) -> Any:
        is_timed = timeout_at is None or len(args) > timeout_at or "timeout" in kwargs
        if is_timed and _is_of_scenario(sys._getframe(1), scenario):
            raise ScenarioMistake(f"a scenario must not wait, and this one calls {name}: {_REMEDY}")
        return original(*args, **kwargs)

    return guarded


def _is_of_scenario(frame: FrameType | None, scenario: Path) -> bool:
    """Whether scenario code called, rather than the suite on a scenario's behalf."""
    scenarios = str(resource("scenarios"))
    while frame is not None:
        file = frame.f_code.co_filename
        if file == str(scenario) or file.startswith(scenarios):
            return True
        if file.startswith(_SUITE):
            return False
        frame = frame.f_back
    return False
