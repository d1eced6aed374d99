"""What a relay said, made fit to look at: nothing that hides, nothing that drives a terminal."""

from __future__ import annotations

import re

_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for tab and line feed
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # unseen, or turn text
    "\ud800-\udfff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f"
    "]"
)


_COMMAND = re.compile(r"^(\s*)::", re.MULTILINE)
"""GitHub's runner takes "::" at the beginning of a line for a command, and "##[" anywhere."""

_LONG_HEX = re.compile(r"\b(?!(.)\1{63})([0-9a-f]{8})[0-9a-f]{56}([0-9a-f]{64})?\b")


def visible(text: str) -> str:
    """Text with each character that nobody would see written as JSON would escape it."""
    return _UNSEEN.sub(_escape, text)


def is_legible(text: str) -> bool:
    """Whether every character of a text can be seen as it is."""
    return _UNSEEN.search(text) is None


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def harmless(text: str) -> str:
    """Visible text in which no line is a command to a CI runner that prints it."""
    return _COMMAND.sub(r"\1: :", visible(text)).replace("##[", "## [")


def on_one_line(text: str) -> str:
    """Visible text without line breaks and tabs."""
    return visible(text.replace("\n", " ").replace("\t", " "))


def harmless_line(text: str) -> str:
    """Harmless text on one line, for whoever prints lines otherwise than with `say`."""
    return harmless(on_one_line(text))


def counted(number: int, thing: str) -> str:
    """A number of things: "1 check", "2 checks"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def brief(text: str) -> str:
    """Text with ids, keys and signatures cut to their first eight digits."""
    return _LONG_HEX.sub(r"\2…", text)
