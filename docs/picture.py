"""The picture at the head of the README: what `nip-ap run` prints, as an SVG.

`python docs/picture.py` makes it anew: it tests a bundled rogue, with colours, and draws the lines.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

PICTURE = Path(__file__).with_name("terminal.svg")
COMMAND = ("run", "--cmd", "my-relay --port {port}", "--only", "REPL")
STAND_IN = f"""#!/bin/sh
exec {sys.executable} -m nip_ap relay --rogue tie-highest-id "$@"
"""
"""What plays somebody's relay."""

_COLOURS = {"31": "#ff9186", "32": "#6fca95", "33": "#e9b558", "35": "#c3a7f3", "90": "#a1a9b6"}
_BOLD, _PLAIN = "1", "0"
_CODE = re.compile(r"\x1b\[([0-9;]*)m")
_PROGRESS = re.compile(r"checks after \d+ s;")
"""A line of a run that takes long, which says how far it is."""
_WIDTH, _HEIGHT, _MARGIN = 7.8, 18, 16
_COLUMNS = 100
_SPACE = "\N{NO-BREAK SPACE}"
"""Others are folded into one."""


def main() -> None:
    """Run, and draw what was printed."""
    PICTURE.write_text(svg_of(printed()), encoding="utf-8")


def printed() -> str:
    """The command and its output. Raises SystemExit where the run went otherwise than meant."""
    with tempfile.TemporaryDirectory() as folder:
        relay = Path(folder) / "my-relay"
        relay.write_text(STAND_IN, encoding="utf-8")
        relay.chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-m", "nip_ap", *COMMAND, "--seed", "readme", "--color", "always"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
        )
    if done.returncode != 1:
        raise SystemExit(f"the run did not end with 1:\n{done.stdout}{done.stderr}")
    lines = [one for one in done.stdout.splitlines() if not _PROGRESS.search(one)]
    return "\n".join([f"$ {shlex.join(('nip-ap', *COMMAND))}", *lines])


def svg_of(text: str) -> str:
    """Lines with terminal colours as a picture that needs no font of its own."""
    lines = text.rstrip("\n").split("\n")
    width = round(_COLUMNS * _WIDTH + 2 * _MARGIN)
    height = len(lines) * _HEIGHT + 2 * _MARGIN
    drawn = "\n".join(_line(line, number) for number, line in enumerate(lines, 1))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="A run of nip-ap on a terminal">\n'
        f'<rect width="100%" height="100%" rx="8" fill="#131519"/>\n'
        f'<g font-family="ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace" '
        f'font-size="13" fill="#e5e8ec">\n{drawn}\n</g>\n</svg>\n'
    )


def _line(line: str, number: int) -> str:
    """One line; each stretch of one style is a span at its column, whatever the font's width."""
    spans, column, style = [], 0, ""
    for place, part in enumerate(_CODE.split(line)):
        if place % 2:
            style = _style(part, style)
            continue
        if part:
            at = f"{_MARGIN + column * _WIDTH:g}"
            length = f' textLength="{len(part) * _WIDTH:g}" lengthAdjust="spacingAndGlyphs"'
            spans.append(
                f'<tspan x="{at}"{length}{style}>{escape(part).replace(" ", _SPACE)}</tspan>'
            )
        column += len(part)
    return f'<text y="{_MARGIN + number * _HEIGHT - 5}">{"".join(spans)}</text>'


def _style(codes: str, before: str) -> str:
    for code in codes.split(";"):
        if code in ("", _PLAIN):
            before = ""
        elif code == _BOLD:
            before += ' font-weight="bold"'
        elif code in _COLOURS:
            before += f' fill="{_COLOURS[code]}"'
    return before


if __name__ == "__main__":
    main()
