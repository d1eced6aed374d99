"""What `nip-ap run` prints: progress while it runs, then a line a group, then each finding."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import IO, Any

import click

from nip_ap.reporting.model import RED_FIRST, Report
from nip_ap.run import Result
from nip_ap.verdict import RunVerdict, Verdict
from nip_ap.wire import Frame

_SIGNS = {
    Verdict.PASS: ("✓", "green"),
    Verdict.WARN: ("!", "yellow"),
    Verdict.FAIL: ("✗", "red"),
    Verdict.UNSTABLE: ("~", "red"),
    Verdict.INCONCLUSIVE: ("?", "magenta"),
    Verdict.ERROR: ("E", "magenta"),
    Verdict.NOT_APPLICABLE: ("-", "bright_black"),
}
_RUN_COLOURS = {
    RunVerdict.CONFORMANT: "green",
    RunVerdict.NOT_CONFORMANT: "red",
    RunVerdict.INCONCLUSIVE: "magenta",
}
_FRAMES_SHOWN = 6
_FRAME_WIDTH = 220
_WIDTH = 96


class Progress:
    """A line that counts while checks run, on terminals only."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._counts: Counter[Verdict] = Counter()

    def add(self, result: Result, expected: int) -> None:
        """Note one result of so many."""
        self._counts[result.verdict] += 1
        if not self._live:
            return
        done = sum(self._counts.values())
        signs = "  ".join(
            click.style(f"{_SIGNS[verdict][0]} {self._counts[verdict]}", fg=_SIGNS[verdict][1])
            for verdict in RED_FIRST
            if self._counts[verdict]
        )
        total = f"/{expected}" if expected else ""
        click.echo(f"\r\033[K  {done}{total} checks  {signs}", nl=False, file=self._stream)
        self._stream.flush()

    def clear(self) -> None:
        """Remove the line."""
        if self._live:
            click.echo("\r\033[K", nl=False, file=self._stream)


class Printer:
    """Writes a report to a stream, plain where it is piped."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def _line(self, text: str = "") -> None:
        click.echo(text, file=self._stream)

    def heading(
        self, version: str, url: str, bundled: bool, spec: str, why: str, seed: str
    ) -> None:
        """What is about to be tested."""
        relay = f"the bundled relay at {url}" if bundled else url
        self._line(click.style(f"nip-ap {version}", bold=True) + f"  {relay}")
        self._line(f"  revision {spec}: {why}")
        self._line(f"  seed {seed}")

    def capabilities(self, capabilities: Sequence[Mapping[str, Any]]) -> None:
        """One line of what the relay offers."""
        shown = [
            click.style(
                f"{one['name']} {one['offered']}", fg="green" if one["offered"] == "yes" else None
            )
            for one in capabilities
        ]
        if shown:
            self._line(f"  offers: {', '.join(shown)}")
        self._line()

    def report(self, report: Report) -> None:
        """The whole report."""
        document = report.document
        self._groups(report)
        for finding in document["findings"]:
            self._line(click.style(f"  finding: {finding}", fg="yellow"))
        self._line()
        for verdict in RED_FIRST[:5]:
            for check in report.checks_with(verdict):
                self._finding(check, report)
        self._verdict(document)

    def _groups(self, report: Report) -> None:
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for check in report.checks:
            group = check["clauses"][0].split("-")[1] if check["clauses"] else "?"
            groups.setdefault(group, []).append(check)
        for group, checks in groups.items():
            counts = Counter(Verdict(check["verdict"]) for check in checks)
            worst = next(verdict for verdict in RED_FIRST if counts[verdict])
            sign, colour = _SIGNS[Verdict.PASS if worst is Verdict.NOT_APPLICABLE else worst]
            if set(counts) == {Verdict.NOT_APPLICABLE}:
                sign, colour = _SIGNS[Verdict.NOT_APPLICABLE]
            numbers = ", ".join(
                click.style(f"{counts[verdict]} {verdict}", fg=_SIGNS[verdict][1])
                for verdict in reversed(RED_FIRST)
                if counts[verdict]
            )
            seconds = sum(check["seconds"] for check in checks)
            self._line(f"  {click.style(sign, fg=colour)} {group:<7} {numbers}  {seconds:.1f} s")

    def _finding(self, check: Mapping[str, Any], report: Report) -> None:
        verdict = Verdict(check["verdict"])
        sign, colour = _SIGNS[verdict]
        by_id = {clause["id"]: clause for clause in report.clauses}
        for identifier in check["clauses"]:
            title = by_id[identifier]["title"]
            head = f"{sign} {identifier} {check['level']} {verdict}: {title}"
            self._line(click.style(head, fg=colour, bold=True))
            if by_id[identifier]["contradiction"]:
                self._field("note", by_id[identifier]["contradiction"])
        self._field("check", check["id"])
        if check["expected"]:
            self._field("expected", check["expected"])
            self._field("seen", check["seen"])
        else:
            self._field("because", check["reason"])
        for control in check["controls"][:2]:
            self._field("control", f"{control['twin']}; differs in {control['difference']}")
        self._frames(report.transcripts.get(check["id"], ()))
        self._field("repeat", check["repro"], wrap=False)
        self._line()

    def _field(self, name: str, text: str, *, wrap: bool = True) -> None:
        lines = textwrap.wrap(text, _WIDTH - 12, break_on_hyphens=False) if wrap else [text]
        for number, line in enumerate(lines or [""]):
            self._line(f"  {name if not number else '':<9} {line}")

    def _frames(self, frames: Sequence[Frame]) -> None:
        arrows = {"sent": "->", "received": "<-", "note": "--"}
        for number, frame in enumerate(frames[-_FRAMES_SHOWN:]):
            text = frame.text.replace("\n", " ")
            shown = text if len(text) <= _FRAME_WIDTH else f"{text[:_FRAME_WIDTH]}..."
            name = "frames" if not number else ""
            arrow = arrows[frame.direction]
            self._line(f"  {name:<9} {frame.at:7.3f} {frame.who} {arrow} {shown}")

    def _verdict(self, document: Mapping[str, Any]) -> None:
        verdict = RunVerdict(document["verdict"])
        text = click.style(str(verdict), fg=_RUN_COLOURS[verdict], bold=True)
        self._line(f"{text}: {document['why']} ({document['run']['seconds']:.1f} s)")
