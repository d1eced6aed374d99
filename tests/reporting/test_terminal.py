"""What is printed: within the width, plain where piped, and nothing that drives a terminal."""

from __future__ import annotations

import io
import re
import shlex
import subprocess

import pytest
from click.testing import CliRunner

from nip_ap import cli
from nip_ap.model.clauses import register
from nip_ap.model.result import Result
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.terminal import Detail, Printer, Progress
from tests.reporting.fixed_run import fixed_report
from tests.reporting.reports import hostile_report, made_report, one_of_each, result

STYLE = re.compile("\x1b\\[[0-9;]*m")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def printed(monkeypatch):
    """Prints a report; gives its lines."""

    def print_(report, *, columns=None, detail=Detail.NORMAL):
        stream = io.StringIO() if columns is None else Terminal()
        monkeypatch.setenv("COLUMNS", str(columns or 80))
        printer = Printer(stream, detail)
        printer.heading("0.1.0", "ws://relay:1", False, "2026-11", "a reason " * 20, "seed")
        printer.capabilities(report.document.capabilities)
        printer.report(report)
        return stream.getvalue().splitlines()

    return print_


@pytest.mark.parametrize("columns", [60, 80, 110])
def test_only_a_command_may_be_wider_than_the_terminal(printed, columns):
    for report in (one_of_each("some words " * 60), one_of_each("x" * 500), hostile_report()):
        for line in printed(report, columns=columns):
            plain = STYLE.sub("", line)
            assert len(plain) <= columns or plain.lstrip().startswith("--only"), plain


def test_a_pipe_gets_no_colour_and_no_line_over_a_hundred_characters(printed):
    lines = printed(one_of_each("some words " * 60))
    assert not any("\x1b" in line for line in lines)
    assert all(len(line) <= 100 or line.lstrip().startswith("--only") for line in lines)


@pytest.mark.parametrize("columns", [None, 80])
def test_a_relay_cannot_drive_the_terminal(printed, columns):
    text = STYLE.sub("", "\n".join(printed(hostile_report(), columns=columns)))
    assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066]", text) is None


def test_a_relay_cannot_command_a_ci_runner(printed):
    for text in ("::error::x", "a " * 41 + "::set-output name=a::b " * 20, "##[group]x"):
        for line in printed(one_of_each(text)):
            assert not line.lstrip().startswith("::")
            assert "##[" not in line


def test_each_group_is_one_line_with_its_worst_sign(printed):
    lines = printed(
        made_report(
            [
                result("AP-SLUG-01", Verdict.PASS),
                result("AP-SLUG-02", Verdict.FAIL),
                result("AP-REPL-01", Verdict.PASS),
                result("AP-REPL-02", Verdict.NOT_APPLICABLE),
                result("AP-GATE-01", Verdict.NOT_APPLICABLE),
            ]
        )
    )
    groups = [line.split() for line in lines if re.match(r"  [✓✗-] [A-Z]+ ", line)]
    assert [one[:2] for one in groups] == [["✗", "SLUG"], ["✓", "REPL"], ["-", "GATE"]]


def test_a_failing_check_is_told_with_clause_sides_frames_and_command(printed):
    text = "\n".join(printed(made_report([result("AP-SLUG-02", Verdict.FAIL, "too much")])))
    for part in (
        "✗ AP-SLUG-02 MUST fail: An empty slug is refused",
        "check     AP-SLUG-02/a_check",
        "expected  too much",
        "seen      too much",
        'owner <- ["NOTICE","too much"]',
        "repeat    nip-ap run ws://relay:1 --only AP-SLUG-02/a_check --seed seed --spec 2026-11",
        "not conformant: 1 clause broken: AP-SLUG-02",
    ):
        assert part in text


def test_a_command_in_several_lines_is_still_the_command(printed):
    name = f"a_check_with_a_long_name[{'x' * 60} y]"
    report = made_report([result("AP-SLUG-02", Verdict.FAIL, name=name)])
    lines = printed(report, columns=80)
    (start,) = [number for number, line in enumerate(lines) if line.startswith("  repeat")]
    command = "\n".join(lines[start:]).partition("\n\n")[0].removeprefix("  repeat")
    assert command.count("\\\n") == 2
    echo = subprocess.run(["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True)
    assert echo.stdout.splitlines() == shlex.split(report.checks[0].repro)


def test_of_many_failing_checks_of_one_clause_the_first_is_told(printed):
    checks = [result("AP-SLUG-02", Verdict.FAIL, name=f"check_{n}") for n in range(9)]
    lines = printed(made_report(checks))
    assert sum(line.startswith("  check ") for line in lines) == 1
    assert "  more      8 more checks of AP-SLUG-02; -v shows all" in lines
    full = printed(made_report(checks), detail=Detail.FULL)
    assert sum(line.startswith("  check ") for line in full) == 9


def test_quietly_there_is_the_diagnosis_and_the_verdict(printed):
    lines = printed(fixed_report(), detail=Detail.QUIET)
    assert lines[0].startswith("behaves like `tie-highest-id`")
    text = " ".join(" ".join(lines).split())
    assert "not conformant: 4 clauses broken" in text
    assert not any("AP-REPL-03/" in line for line in lines)
    green = printed(made_report([result("AP-SLUG-01", Verdict.PASS)]), detail=Detail.QUIET)
    assert len(green) == 1


def test_clauses_that_are_red_for_one_cause_read_as_one_fault(printed):
    lines = printed(fixed_report())
    told = [line for line in lines if line.startswith("  check ") and "AP-REPL" in line]
    assert len(told) == 1
    assert "✗ AP-REPL-08 MUST fail: A write that lost is not delivered live (1 check)" in lines


def test_what_follows_from_a_dead_relay_is_folded(printed):
    ids = [clause.id for clause in register()][:30]
    checks = [
        result(one, Verdict.ERROR, f"port {n}: connection refused") for n, one in enumerate(ids)
    ]
    checks += [result(one, Verdict.INCONCLUSIVE, f"no answer, {n} s") for n, one in enumerate(ids)]
    lines = printed(made_report(checks))
    assert sum(line.startswith("  check ") for line in lines) == 1
    assert "? 30 checks undecided" in lines
    assert len(lines) < 70


def test_undecided_checks_are_told_by_their_reasons(printed):
    checks = [
        result("AP-SLUG-02", Verdict.INCONCLUSIVE, f"no control for {n:064x}", name=f"check_{n}")
        for n in range(20)
    ]
    lines = printed(made_report([*checks, result("AP-SLUG-03", Verdict.INCONCLUSIVE, "other")]))
    text = " ".join(" ".join(lines).split())
    assert "? 21 checks undecided" in text
    assert "20 x no control for" in text
    assert "and 17 more 1 x other AP-SLUG-03/a_check" in text


def test_a_console_that_knows_no_tick_is_written_to_all_the_same():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Printer(stream).report(one_of_each())
    stream.flush()
    assert rb"\u2713 SLUG" in raw.getvalue() or rb"\u2717 SLUG" in raw.getvalue()


def test_progress_is_one_line_on_a_terminal_and_nothing_in_a_pipe():
    for stream in (Terminal(), io.StringIO()):
        progress = Progress(stream)
        for number, verdict in enumerate(Verdict):
            progress.add(Result(f"c{number}", ("AP-SLUG-01",), verdict), 7)
        progress.clear()
        text = stream.getvalue()
        assert "\n" not in text
        assert bool(text) == stream.isatty()
        if text:
            last = STYLE.sub("", text.split("\r\x1b[K")[-2])
            assert last == "  7/7 checks  ✗ 1  ~ 1  E 1  ? 1  ! 1  - 1  ✓ 1"


def test_quiet_and_verbose_exclude_each_other():
    done = CliRunner().invoke(cli.main, ["run", "-v", "-q", "ws://127.0.0.1:9"])
    assert done.exit_code == 4
    assert "--verbose and --quiet: choose one" in done.output
