"""`python -m benchmarks`: measure, and write docs/benchmarks.json, .md and .svg."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import far, page, relays, suite
from benchmarks.bars import bars
from benchmarks.subjects import subjects

ROOT = Path(__file__).resolve().parent.parent
RELAYS, ALONE, SUITE, FAR = "relays", "alone", "suite", "far"


def main() -> int:
    """0 where every bar holds, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / ".peers", help="where peers live")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--only",
        choices=(RELAYS, ALONE, SUITE, FAR, "page"),
        help="measure this alone and keep the rest of benchmarks.json; `page` measures nothing",
    )
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    file = options.out / "benchmarks.json"
    results: dict[str, Any] = json.loads(file.read_text()) if options.only and file.exists() else {}
    wanted = (options.only,) if options.only else (ALONE, RELAYS, SUITE, FAR)
    options.out.mkdir(parents=True, exist_ok=True)
    if RELAYS in wanted:
        results["machine"] = _machine(options.rounds)
        results[RELAYS] = relays.measure(subjects(work), options.rounds)
        _keep(results, file)
    if ALONE in wanted:
        results[ALONE] = relays.generator_alone()
        _keep(results, file)
    if SUITE in wanted:
        results[SUITE] = suite.measure(work)
        _keep(results, file)
    if FAR in wanted:
        results[FAR] = far.measure()
        _keep(results, file)
    page.write(results, options.out)
    return _judge(results)


def _keep(results: dict[str, Any], file: Path) -> None:
    """Write down what is there: the parts that follow take minutes, and may be ended."""
    file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _judge(results: dict[str, Any]) -> int:
    found = bars(results.get(RELAYS, ())) if RELAYS in results else []
    for bar in found:
        print(f"{'holds' if bar.holds else 'FAILS'}: {bar.what}: {bar.reached} of {bar.least}")
    return int(not all(bar.holds for bar in found))


def _machine(rounds: int) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "rounds": rounds,
        "load at the start": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


if __name__ == "__main__":
    sys.exit(main())
