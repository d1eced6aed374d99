"""What is printed, by the one way to print it; and that there is no other."""

from __future__ import annotations

import ast
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import nip_ap
from nip_ap import cli
from nip_ap.reporting.printing import painted, say, say_again, say_json
from tests.reporting.reports import HOSTILE
from tests.reporting.test_terminal import Terminal

SOURCES = Path(nip_ap.__file__).parent
PRINTER = SOURCES / "reporting" / "printing.py"
ANSWERS_TO_PROCESSES = {
    "clients/warm.py",
    "load/__main__.py",
    "load/connection.py",
    "load/processes.py",
    "targets/container.py",
    "targets/supervisor.py",
    "targets/supervised.py",
}
"""Modules that write to processes and files of the suite's own, and to no terminal."""

HARMLESS_LINES = ("harmless_line",)


def printed(*parts, stream=None):
    stream = stream or io.StringIO()
    say(*parts, file=stream)
    return stream.getvalue()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("before", ["", "  ", "a line\n"])
def test_no_text_drives_a_terminal_or_a_ci_runner(text, before):
    for stream in (io.StringIO(), Terminal()):
        out = printed(f"{before}{text}", stream=stream)
        assert not set(out) & {chr(code) for code in range(32) if chr(code) not in "\n\t"}
        assert not any("\x7f" <= one <= "\x9f" or one in "\u202e\u2066\u200b" for one in out)
        assert not any(line.lstrip().startswith("::") for line in out.splitlines())


@pytest.mark.parametrize(
    "parts", [("::error::x",), ("a\n::error::x",), (":", ":error::x"), ("  ##[x",)]
)
def test_no_line_is_a_command_whatever_it_is_made_of(parts):
    for line in printed(*parts).splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def test_colour_is_ours_alone():
    out = printed(painted("red \x1b[32m", fg="red"), "\x1b[31m", stream=Terminal())
    assert out == "\x1b[31mred \\u001b[32m\x1b[0m\\u001b[31m\n"
    assert printed(painted("red", fg="red")) == "red\n"


def test_a_painted_piece_that_is_joined_to_text_is_text_again():
    out = printed("a " + painted("red", fg="red"), stream=Terminal())
    assert out == "a \\u001b[31mred\\u001b[0m\n"


def test_a_line_is_printed_over_the_last_one_without_letting_text_do_so():
    stream = Terminal()
    say_again("a\r\x1b[K", file=stream)
    assert stream.getvalue() == "\r\x1b[Ka\\u000d\\u001b[K"


@pytest.mark.parametrize("text", HOSTILE)
def test_json_on_a_terminal_is_the_same_value_without_a_trick(text):
    stream = io.StringIO()
    say_json({"text": text}, stream)
    assert json.loads(stream.getvalue()) == {"text": text}
    assert not any("\x7f" <= one <= "\x9f" or one in "\x1b\u202e" for one in stream.getvalue())


def test_an_error_that_quotes_a_file_is_harmless(tmp_path):
    file = tmp_path / "x\x1b[31m\n::error::x"
    file.mkdir()
    done = CliRunner().invoke(cli.main, ["site", str(file)])
    assert done.exit_code == 4
    assert "\x1b" not in done.output
    assert not any(line.startswith("::") for line in done.output.splitlines())


# -- the lint ------------------------------------------------------------------------------------


def complaints(source: str) -> list[str]:
    """The calls of a module that print otherwise than with `say` and its like."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        constant = all(isinstance(one, ast.Constant) for one in node.args)
        if constant and name not in ("print", "click.secho"):
            continue
        if name in ("print", "click.secho", "click.echo") or name.startswith("traceback.print"):
            found.append(f"{node.lineno}: {name}")
        if name.endswith("write_line") and not _is_harmless(node.args[0]):
            found.append(f"{node.lineno}: {name}")
        if name.endswith(("stdout.write", "stderr.write", "stream.write")):
            found.append(f"{node.lineno}: {name}")
        if name == "click.style":
            found.append(f"{node.lineno}: {name} (painted)")
    return found


def _is_harmless(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Call) and ast.unparse(argument.func) in HARMLESS_LINES


def test_nothing_is_printed_otherwise():
    found = {
        str(path.relative_to(SOURCES)): complaints(path.read_text(encoding="utf-8"))
        for path in SOURCES.rglob("*.py")
        if path != PRINTER and str(path.relative_to(SOURCES)) not in ANSWERS_TO_PROCESSES
    }
    assert {name: one for name, one in found.items() if one} == {}


@pytest.mark.parametrize(
    "line",
    [
        "print(x)",
        "traceback.print_exception(x)",
        "click.echo(x)",
        "sys.stdout.write(x)",
        "self._stream.write(x)",
        "t.write_line(x)",
    ],
)
def test_the_lint_finds_other_ways_to_print(line):
    assert complaints(line)


@pytest.mark.parametrize("line", ["click.echo('interrupted', err=True)", "path.write(x)", "say(x)"])
def test_the_lint_leaves_the_rest_alone(line):
    assert not complaints(line)
