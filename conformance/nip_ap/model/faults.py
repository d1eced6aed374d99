"""Faults that end a command: each class says with which exit code. None of them is a verdict."""

from __future__ import annotations

EXIT_UNREACHABLE = 3
EXIT_USAGE = 4
EXIT_SUITE_FAULT = 70
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


class Fault(Exception):
    """The suite's own fault; the message is a sentence, and `details` what helps its developers."""

    exit_code = EXIT_SUITE_FAULT
    details = ""


class UsageFault(Fault):
    """Something that the user asked for and that cannot be done; the message says what can."""

    exit_code = EXIT_USAGE


class UnreachableFault(Fault):
    """A relay that cannot be tested, because it cannot be started or reached."""

    exit_code = EXIT_UNREACHABLE
