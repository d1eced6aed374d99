"""Printing: the one way to a terminal, for text that somebody else may have written.

What a relay, a file or a certificate says is made visible, and no line of it is a command to the
terminal or to a CI runner. Colour is only what `painted` put there.
"""

from __future__ import annotations

import io
import re
import sys
from typing import IO, Any

import click
import orjson

from nip_ap.reporting.legible import harmless, harmless_line, visible

_REDRAWN = "\r\033[K"


class Painted(str):
    """A piece with colour of ours around harmless text. Joined to other text it is text again."""

    __slots__ = ()


def painted(text: str, **style: Any) -> Painted:
    """A piece of one line with a style as `click.style` takes it."""
    return Painted(click.style(harmless_line(text), **style))


def unfailing(stream: IO[str]) -> IO[str]:
    """The stream, set to escape what its console cannot show."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def say(*parts: str, file: IO[str] | None = None, end: str = "\n") -> None:
    """Print pieces next to each other; colour is left out where the stream is not a terminal."""
    text = "".join(one if isinstance(one, Painted) else harmless(one) for one in parts)
    if re.match(r"\s*::", click.unstyle(text)):  # a piece at the beginning may end in ":"
        text = text.replace("::", ": :", 1)
    click.echo(f"{text}{end}", file=sys.stdout if file is None else file, nl=False)


def say_again(*parts: str, file: IO[str]) -> None:
    """Print over the line that was printed last, and stay on it; for terminals alone."""
    click.echo(_REDRAWN, file=file, nl=False)
    say(*parts, file=file, end="")
    file.flush()


def say_json(value: object, file: IO[str] | None = None) -> None:
    """Print a JSON value, indented; what nobody would see is escaped, which changes no value."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    click.echo(visible(text), file=sys.stdout if file is None else file)
