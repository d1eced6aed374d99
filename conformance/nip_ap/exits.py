"""How a command ends: one place where what went wrong becomes a sentence and an exit code.

An exception that nobody caught would leave Python's exit code 1, which here means "not conformant".
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from typing import IO, Any

import click

from nip_ap.model.faults import (
    EXIT_BROKEN_PIPE,
    EXIT_INTERRUPTED,
    EXIT_SUITE_FAULT,
    EXIT_USAGE,
    Fault,
)

_STANDARD = (0, 1, 2)
_LONGEST = 2000
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Carried(Exception):
    """An error past click, which takes each broken pipe for its own and EOFError for Ctrl-C."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def debuggable(command: click.Command) -> click.Command:
    """The command with --debug, which `exit_code_of` is told of."""
    if all(one.name != "debug" for one in command.params):
        command.params.append(
            click.Option(
                ["--debug"],
                is_flag=True,
                expose_value=False,
                help="Show the traceback where the suite itself fails.",
            )
        )
    return command


def exit_code_of(command: Callable[[], Any], *, debug: bool) -> int:
    """Run a command of click's, say what went wrong, and give the exit code."""
    _open_closed_streams()
    stream = sys.stdout  # click replaces it where its own output, such as --help, finds no reader
    try:
        try:
            result = command()
            sys.stdout.flush()
            return result if isinstance(result, int) else 0
        except SystemExit as error:
            return EXIT_BROKEN_PIPE if sys.stdout is not stream else _code(error)
        except Carried as error:
            return _told(error.error, debug=debug)
        except (Exception, KeyboardInterrupt) as error:
            return _told(error, debug=debug)
    except KeyboardInterrupt:  # once more, while the first was being told
        return EXIT_INTERRUPTED
    finally:
        _leave_nothing_to_flush()


def _code(error: SystemExit) -> int:
    return error.code if isinstance(error.code, int) else EXIT_SUITE_FAULT


def _told(error: BaseException, *, debug: bool) -> int:
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        # Whoever is impatient ends what is left of the process, and no traceback comes of it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _say("interrupted")
        return EXIT_INTERRUPTED
    if isinstance(error, BrokenPipeError) and _has_no_reader(sys.stdout):
        return EXIT_BROKEN_PIPE
    if debug:
        details = getattr(error, "details", "") or ""
        _say("".join([*traceback.format_exception(error), details]).rstrip("\n"))
    if isinstance(error, click.ClickException):
        told = io.StringIO()
        error.show(told)
        _say(told.getvalue().rstrip("\n"))
        return EXIT_USAGE
    if isinstance(error, Fault):
        _say(f"Error: {_paragraph(error)}{_hint(debug) if error.details else ''}")
        return error.exit_code
    if isinstance(error, OSError) and (error.filename or error.errno in _FULL):
        place = _shown(error.filename or "the output")
        _say(f"Error: {place} cannot be used: {error.strerror}{_hint(debug)}")
        return EXIT_SUITE_FAULT
    said = _shown(error)
    kind = type(error).__name__
    _say(f"Error: the suite itself failed: {kind}{f': {said}' if said else ''}{_hint(debug)}")
    return EXIT_SUITE_FAULT


def _hint(debug: bool) -> str:
    return "" if debug else " (--debug shows where)"


def _shown(value: object) -> str:
    """A text on one line, of bounded length."""
    text = os.fsdecode(value) if isinstance(value, (bytes, os.PathLike)) else str(value)
    return " ".join(text.split())[:_LONGEST]


def _paragraph(fault: Fault) -> str:
    """The words of a fault of which we wrote the lines, such as the indented end of a log."""
    return "\n".join(line.rstrip() for line in str(fault).splitlines())[:_LONGEST]


def _say(text: str) -> None:
    from nip_ap.reporting.printing import say

    with contextlib.suppress(OSError, ValueError):
        say(text, file=sys.stderr)


def _has_no_reader(stream: IO[str]) -> bool:
    """Whether it is this pipe that broke, and not a connection to a relay."""
    waiting = select.poll()
    try:
        waiting.register(stream.fileno(), select.POLLOUT)
    except (OSError, ValueError):
        return False
    return any(event & select.POLLERR for _, event in waiting.poll(0))


def _is_broken(stream: IO[str]) -> bool:
    try:
        stream.flush()
    except (OSError, ValueError):
        return True
    return False


def _open_closed_streams() -> None:
    """What the caller closed leads nowhere, before a file or a socket gets its number."""
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _leave_nothing_to_flush() -> None:
    """Python flushes once more as it ends, and would exit with 120 where that fails."""
    for stream in (sys.stdout, sys.stderr):
        if _is_broken(stream):
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
