"""docs/benchmarks.md and its plot, from docs/benchmarks.json. No figure is written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.bars import bars
from benchmarks.events import AUTHORS
from benchmarks.relays import FILLED, LISTENERS, WINDOW
from benchmarks.subjects import MEMORY

Results = Mapping[str, Any]

PLOT = "benchmarks.svg"

_ABOUT = f"""\
# Benchmarks

Written by `tox -e bench` (`python -m benchmarks`) from `benchmarks.json`; do not edit. The command
installs the other relays, measures, and writes this page and its plot.

What is measured: each relay is started fresh and alone, with an empty store, and the same driver
talks to it over loopback from one other process. Events are personas (kind 30175, about 500
bytes), each at an address of its own, by {AUTHORS} authors, signed ahead. *Pipelined* is one
connection with {WINDOW} events in flight; a new one is taken every 5,000 events, because the relay
of nostr-sdk cuts a connection after 6,000 messages. *Fan-out* is {LISTENERS} subscribers that each
get each event. A round puts every relay in turn through all of it; the tables show the median of
the rounds and, in brackets, the least and the most. *Filled* is one more start, in which events are
published until {FILLED:,} are stored or a minute is over; memory is the resident memory of all the
relay's processes at that moment, and the cost of an event their processor time over 10,000 events,
from 1,000 stored ones on and up to {FILLED:,}.

The bundled relay runs with `--open`, since the others do not authenticate; on disk it answers OK
after the commit (SQLite, WAL, `synchronous=FULL`), and writes that come in one turn of its event
loop share a commit. Limits of the others are opened as far as they can be (peers/declarations.py).
"""


def write(results: Results, folder: Path) -> None:
    """The page and the plot."""
    parts = [_ABOUT, _machine(results["machine"])]
    if "relays" in results:
        parts += [_bars(results["relays"]), _relays(results["relays"])]
        plot(results["relays"], folder / PLOT)
    if "alone" in results:
        parts.append(_alone(results["alone"]))
    if "suite" in results:
        parts.append(_suite(results["suite"]))
    if "far" in results:
        parts.append(_far(results["far"]))
    (folder / "benchmarks.md").write_text("\n".join(parts), encoding="utf-8")


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def _machine(machine: Mapping[str, Any]) -> str:
    return (
        f"Measured on {machine['date']}: {machine['cores']} cores ({machine['processor']}), "
        f"Python {machine['python']}, SQLite {machine['sqlite']}, {machine['rounds']} round(s), "
        f"load of the machine at the start {machine['load at the start']}.\n"
    )


def _bars(relays: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (bar.what, f"{bar.least:,}", f"{bar.reached:,}", "yes" if bar.holds else "**no**")
        for bar in bars(relays)
    ]
    return "## Bars of the bundled relay\n\n" + _table(
        ("bar", "at least", "reached", "holds"), rows
    )


def _relays(relays: Sequence[Mapping[str, Any]]) -> str:
    ours = {one["storage"]: one for one in relays if one["ours"]}
    rows = []
    for one in relays:
        pipelined = "pipelined events/s"
        ratio = one[pipelined]["median"] / ours[one["storage"]][pipelined]["median"]
        filled = one["filled"]
        rows.append(
            (
                f"{one['relay']}, {one['storage']}",
                _with_p99(one, "publish to OK"),
                _spread(one[pipelined]),
                f"{ratio:.2f}",
                _with_p99(one, "REQ to EOSE"),
                _spread(one["fan-out deliveries/s"]),
                f"{filled['memory MiB']:.0f} ({filled['events']:,})",
                _cost(filled),
            )
        )
    head = (
        "relay",
        "publish to OK, median / p99 ms",
        "pipelined events/s",
        "against the bundled",
        "REQ to EOSE, median / p99 ms",
        "fan-out deliveries/s",
        "MiB (events)",
        "us of processor an event, at 1,000 / 100,000",
    )
    notes = [f"- {one['relay']}, {one['storage']}: {_note(one)}." for one in relays]
    return "\n".join(
        [
            "## Relays",
            "",
            _table(head, rows),
            f"![Events a second and deliveries]({PLOT})",
            "",
            *notes,
            "",
        ]
    )


def _note(one: Mapping[str, Any]) -> str:
    empty = one["reads that were empty"]
    failure = one["filled"]["failure"]
    return "; ".join(
        (
            str(one["note"]),
            *([f"{empty} reads by address gave nothing"] if empty else ()),
            *([f"while it was filled: {failure}"] if failure else ()),
        )
    )


def _with_p99(one: Mapping[str, Any], name: str) -> str:
    return f"{one[f'{name}, median ms']['median']:.2f} / {one[f'{name}, p99 ms']['median']:.2f}"


def _spread(value: Mapping[str, float]) -> str:
    return f"{value['median']:,.0f} ({value['least']:,.0f}-{value['most']:,.0f})"


def _cost(filled: Mapping[str, Any]) -> str:
    stages = (filled["early"], filled["late"])
    return " / ".join(f"{one['us an event']:.0f}" if one else "-" for one in stages)


def _alone(alone: Mapping[str, Any]) -> str:
    rows = [(name, f"{value:,}") for name, value in alone.items()]
    return (
        "## The driver and the load generator alone\n\n"
        "On a relay that does nothing but answer and deliver (benchmarks/sink.py, one process on\n"
        "the same cores), so no relay's figure above these can be trusted.\n\n"
        + _table(("what", "reached"), rows)
    )


def _suite(suite: Sequence[Mapping[str, Any]]) -> str:
    workers = list(suite[0]["workers"])
    rows = []
    for one in suite:
        cells = [
            f"{found['seconds']:.1f} s, {found['ms a check']:.0f} ms"
            for found in one["workers"].values()
        ]
        rows.append((one["relay"], one["workers"][workers[0]]["checks"], *cells))
    head = ("relay", "checks", *(f"-n {number}" for number in workers))
    return (
        "## The suite\n\n"
        "Wall time of `nip-ap run URL -n N`, start and probes included, and that time divided by\n"
        "the number of checks that applied.\n\n" + _table(head, rows)
    )


def _far(rows: Sequence[Mapping[str, Any]]) -> str:
    head = (
        "suite",
        "round trip ms",
        "jitter ms",
        "loss %",
        "workers",
        "seconds",
        "verdict",
        "load",
    )
    return (
        "## The suite from far away\n\n"
        "A whole run on the bundled relay through the delay proxy (benchmarks/distance.py). A run\n"
        "mostly waits for answers to travel, so `-n auto` takes more processes the farther the\n"
        "relay is. *Load* is the machine's load average at the start: above the number of cores,\n"
        "the many processes of `-n auto` wait for the processor, not for the relay.\n\n"
        + _table(head, [[row[name] for name in head] for row in rows])
    )


def plot(relays: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Bars with their spread: pipelined events and deliveries a second, on logarithmic scales."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "nip-ap"
    from matplotlib import pyplot

    names = [f"{one['relay']}\n{one['storage']}" for one in relays]
    colours = ["#1f6f8b" if one["ours"] else "#b0b7bd" for one in relays]
    hatches = ["" if one["storage"] == MEMORY else "//" for one in relays]
    figure, axes = pyplot.subplots(2, 1, figsize=(9, 7), layout="constrained")
    for axis, name in zip(axes, ("pipelined events/s", "fan-out deliveries/s"), strict=True):
        values = [one[name]["median"] for one in relays]
        low = [one[name]["median"] - one[name]["least"] for one in relays]
        high = [one[name]["most"] - one[name]["median"] for one in relays]
        axis.bar(names, values, color=colours, hatch=hatches, yerr=[low, high], capsize=3)
        axis.set_yscale("log")
        axis.set_title(name, loc="left")
        axis.tick_params(axis="x", labelsize=8)
        for number, value in enumerate(values):
            axis.annotate(f"{value:,.0f}", (number, value), ha="center", va="bottom", fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)
