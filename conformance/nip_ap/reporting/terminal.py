"""What `nip-ap run` prints: progress while it runs, a line per group, the diagnosis, the faults.

On a terminal it keeps to its width; piped it keeps to 100 characters. Only a command to copy may
be longer. What a relay said is made visible first, so that it cannot drive the terminal.
"""

from __future__ import annotations

import shutil
import textwrap
from collections import Counter
from collections.abc import Collection, Sequence
from enum import Enum
from typing import IO, Any

from nip_ap.model.baseline import FAULTS
from nip_ap.model.capabilities import Capability
from nip_ap.model.diagnosis import Diagnosis
from nip_ap.model.frame import Frame
from nip_ap.model.report import (
    SIGNS,
    CapabilityReport,
    CheckReport,
    Document,
    Report,
)
from nip_ap.model.result import Result
from nip_ap.model.verdict import RED_FIRST, RunVerdict, Verdict
from nip_ap.reporting.diagnosis import diagnosis_of, remedies, sentence, unexplained
from nip_ap.reporting.faults import Fault, alike, faults_of
from nip_ap.reporting.hashed import hashed
from nip_ap.reporting.legible import brief, counted, on_one_line
from nip_ap.reporting.printing import painted, say, say_again, unfailing

_COLOURS = {
    Verdict.PASS: "green",
    Verdict.WARN: "yellow",
    Verdict.FAIL: "red",
    Verdict.UNSTABLE: "red",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.ERROR: "magenta",
    Verdict.NOT_APPLICABLE: "bright_black",
}
_RUN_COLOURS = {
    RunVerdict.CONFORMANT: "green",
    RunVerdict.NOT_CONFORMANT: "red",
    RunVerdict.INCONCLUSIVE: "magenta",
    RunVerdict.KNOWN_FAILURES: "yellow",
    RunVerdict.OUTDATED: "red",
}
_RELAYS = {
    "bundled": "the bundled relay at ",
    "process": "a process at ",
    "container": "a container at ",
    "compose": "a service at ",
}
_FRAMES_SHOWN = 6
_LOG_LINES_SHOWN = 6
_LINES_PER_FRAME = 3
_PIPED_WIDTH = 100
_NARROWEST, _WIDEST = 60, 110
_MARGIN = 12
_ARROWS = {"sent": "->", "received": "<-", "note": "--"}


class Detail(Enum):
    """How much is printed: the verdict and its diagnosis, the first check of each fault, or all."""

    QUIET, NORMAL, FULL = "quiet", "normal", "full"


class Progress:
    """A line that counts while checks run; piped it is a line only where nothing else was told."""

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
        total = f"/{expected}" if expected else ""
        signs: list[str] = []
        for verdict in RED_FIRST:
            if self._counts[verdict]:
                sign = f"{SIGNS[verdict]} {self._counts[verdict]}"
                signs += ["  ", painted(sign, fg=_COLOURS[verdict])]
        say_again(f"  {done}{total} checks", *signs, file=self._stream)

    def tell(self, text: str) -> None:
        """Say how far the run is, in place of the line or as one of its own."""
        if self._live:
            say_again(f"  {text}", file=self._stream)
        else:
            say(f"  {text}", file=self._stream)
            self._stream.flush()

    def clear(self) -> None:
        """Remove the line."""
        if self._live:
            say_again(file=self._stream)


class Printer:
    """Writes a report to a stream, plain where it is piped."""

    def __init__(self, stream: IO[str], detail: Detail = Detail.NORMAL) -> None:
        self._detail = detail
        self._stream = unfailing(stream)  # a console may know no tick
        self._width = _width(stream)
        self._noted: set[str] = set()

    def _line(self, *parts: str) -> None:
        say(*parts, file=self._stream)

    def heading(self, version: str, url: str, kind: str, spec: str, why: str, seed: str) -> None:
        """What is about to be tested; `kind` is that of the target."""
        if self._detail is Detail.QUIET:
            return
        relay = f"{_RELAYS.get(kind, '')}{url}"
        self._line(painted(f"nip-ap {version}", bold=True), f"  {on_one_line(relay)}")
        self._field("revision", f"{spec}: {why}")
        self._field("seed", seed)

    def heading_of_reader(self, version: str, name: str, seed: str) -> None:
        """What is about to be tested, where that is a reader: no relay's capabilities matter."""
        if self._detail is Detail.QUIET:
            return
        told = f"  the reader {on_one_line(name)}, before a relay that plays scripts"
        self._line(painted(f"nip-ap {version}", bold=True), told)
        self._field("seed", seed)

    def capabilities(self, capabilities: Collection[Capability | CapabilityReport]) -> None:
        """What the relay offers, what it does not, and what could not be found out."""
        if self._detail is Detail.QUIET:
            return
        for name, offered in (("offers", "yes"), ("lacks", "no"), ("unclear", "unknown")):
            found = [one.name for one in capabilities if one.offered == offered]
            if found:
                self._field(name, ", ".join(found))
        self._line()

    def report(self, report: Report) -> None:
        """The report, as much of it as was asked for."""
        document, found = report.document, diagnosis_of(report)
        if document.run.scenarios:
            self._own(document.run.scenarios)
        if self._detail is Detail.QUIET:
            self._diagnosis(found)
            self._verdict(document)
            return
        self._groups(report)
        for finding in document.findings:
            self._wrapped(f"finding: {finding}", fg="yellow")
        self._line()
        self._diagnosis(found)
        for fault in faults_of(report, found):
            self._fault(fault, report)
        self._undecided(report)
        self._baseline(document)
        self._verdict(document)

    def _own(self, folder: str) -> None:
        """What follows are somebody's own checks."""
        self._line()
        told = f" checks of {on_one_line(folder)}, no part of NIP-AP"
        self._line(painted("own", bold=True), told)

    def _diagnosis(self, found: Diagnosis) -> None:
        """What the relay behaves like, before all else: a fault reads as one fault."""
        for cause in found.causes:
            self._wrapped(sentence(cause), indent=0, bold=True)
            for remedy in remedies(cause):
                self._field("to fix it", remedy)
        if found.causes and found.unexplained:
            self._wrapped(unexplained(found), indent=0)
        if found.causes:
            self._line()

    def _groups(self, report: Report) -> None:
        groups: dict[str, list[CheckReport]] = {}
        for check in report.checks:
            group = check.group
            groups.setdefault(group, []).append(check)
        for group, checks in groups.items():
            counts = Counter(check.verdict for check in checks)
            worst = next(verdict for verdict in RED_FIRST if counts[verdict])
            if worst is Verdict.NOT_APPLICABLE and counts[Verdict.PASS]:
                worst = Verdict.PASS
            seconds = f"{sum(check.seconds for check in checks):.1f} s"
            line = ["  ", painted(SIGNS[worst], fg=_COLOURS[worst]), f" {group:<8} {seconds:>6} "]
            length = 20
            for verdict in (one for one in reversed(RED_FIRST) if counts[one]):
                number = f"{counts[verdict]} {verdict}"
                if length + len(number) + 2 > self._width:
                    self._line(*line, ",")
                    line, length = [" " * 20], 20
                line += [" " if length == 20 else ", ", painted(number, fg=_COLOURS[verdict])]
                length += len(number) + 2
            self._line(*line)

    def _finding(self, check: CheckReport, report: Report, of: Fault | None = None) -> None:
        verdict = check.verdict
        for identifier in check.clauses:
            head = f"{identifier} {check.level} {verdict}: {report.by_clause[identifier].title}"
            self._wrapped(f"{SIGNS[verdict]} {head}", indent=0, fg=_COLOURS[verdict], bold=True)
            contradiction = report.by_clause[identifier].contradiction
            if contradiction and identifier not in self._noted:
                self._field("note", contradiction)
                self._noted.add(identifier)
        self._field("check", check.id)
        if check.expected:
            self._field("expected", check.expected)
            self._field("seen", check.seen)
        else:
            self._field("because", check.reason)
        for control in check.controls[:2]:
            self._field("control", f"{control.twin}; differs in {control.difference}")
        if check.known:
            self._field("known", check.known)
        if verdict.is_red:
            self._frames(report.transcripts.get(check.id, ()))
        for number, line in enumerate(check.log.splitlines()[-_LOG_LINES_SHOWN:]):
            self._field("" if number else "log", line)
        self._command("repeat", check.repro)
        others = len(of.clauses[0]) - 1 if of else 0
        if others:
            self._field("more", f"{counted(others, 'more check')} of {check.clause}; -v shows all")
        self._line()

    def _fault(self, fault: Fault, report: Report) -> None:
        """One check in full, and of the others how many there are, or all of them in full."""
        if self._detail is Detail.FULL:
            for check in fault.checks:
                self._finding(check, report)
            return
        self._finding(fault.first, report, of=fault)
        for checks in fault.clauses[1:]:
            one = checks[0]
            head = f"{SIGNS[one.verdict]} {one.clause} {one.level} {one.verdict}: "
            told = f"{head}{report.title_of(one.clause)} ({counted(len(checks), 'check')})"
            self._wrapped(told, indent=0, fg=_COLOURS[one.verdict], bold=True)
        if fault.clauses[1:]:
            self._line()

    def _undecided(self, report: Report) -> None:
        """Undecided checks by their reasons: one cause makes most of them."""
        checks = report.checks_with(Verdict.INCONCLUSIVE)
        if self._detail is Detail.FULL or len(checks) == 1:
            for check in checks:
                self._finding(check, report)
            return
        if not checks:
            return
        colour = _COLOURS[Verdict.INCONCLUSIVE]
        self._wrapped(
            f"? {counted(len(checks), 'check')} undecided", indent=0, fg=colour, bold=True
        )
        for same in alike(checks):
            self._field(f"{len(same)} x", _cut(on_one_line(brief(same[0].reason)), 240))
            more = f" and {len(same) - 3} more" if len(same) > 3 else ""
            self._field("", ", ".join(check.id for check in same[:3]) + more)
        self._line()

    def _field(self, name: str, text: str) -> None:
        for number, line in enumerate(self._wrap(on_one_line(brief(text)), _MARGIN) or [""]):
            self._line(f"  {name if not number else '':<9} {line}")

    def _command(self, name: str, command: str) -> None:
        """A command that can be copied, broken only where the shell allows it."""
        first, *options = command.split(" --")
        lines = [f"  {name:<9} {first}"]
        for option in options:
            if len(f"{lines[-1]} --{option} \\") <= self._width:
                lines[-1] += f" --{option}"
            else:
                lines.append(f"    --{option}")
        self._line(" \\\n".join(lines))

    def _frames(self, frames: Sequence[Frame]) -> None:
        for number, frame in enumerate(frames[-_FRAMES_SHOWN:]):
            head = f"{frame.at:7.3f} {on_one_line(frame.who)} {_ARROWS[frame.direction]} "
            text = on_one_line(brief(frame.text[: self._width * _LINES_PER_FRAME * 4]))
            space = self._width - _MARGIN
            lines = [f"{head}{text}"[at : at + space] for at in range(0, len(head + text), space)]
            if len(lines) > _LINES_PER_FRAME:
                lines = [*lines[: _LINES_PER_FRAME - 1], f"{lines[_LINES_PER_FRAME - 1][:-3]}..."]
            for part, line in enumerate(lines):
                name = "frames" if not number and not part else ""
                self._line(f"  {name:<9} {line}")
            if note := hashed(frame.text):
                self._field("", note)

    def _baseline(self, document: Document) -> None:
        """Entries that cover nothing any more; the others stand at their checks."""
        for entry in document.baseline or ():
            if entry.state in FAULTS:
                until = f" ({entry.until})" if entry.until else ""
                told = f"baseline: {entry.clause} {entry.state}{until}: {entry.reason}"
                self._wrapped(told, fg="red")

    def _verdict(self, document: Document) -> None:
        verdict = document.verdict
        said = f"{verdict}: {document.why} ({document.run.seconds:.1f} s)"
        first, *others = self._wrap(on_one_line(said), 0)
        named = painted(verdict, fg=_RUN_COLOURS[verdict], bold=True)
        self._line(named, first.removeprefix(verdict))
        for line in others:
            self._line(line)

    def _wrapped(self, text: str, *, indent: int = 2, **style: Any) -> None:
        for number, line in enumerate(self._wrap(on_one_line(text), indent + 2)):
            self._line(" " * (indent + 2 * bool(number)), painted(line, **style))

    def _wrap(self, text: str, margin: int) -> list[str]:
        return textwrap.wrap(text, self._width - margin, break_on_hyphens=False)


def _width(stream: IO[str]) -> int:
    if not stream.isatty():
        return _PIPED_WIDTH
    return min(max(shutil.get_terminal_size().columns, _NARROWEST), _WIDEST)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."
