"""The picture at the head of the README is what a run prints, drawn."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nip_ap.model.clauses import register
from nip_ap.version import __version__

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def picture():
    spec = importlib.util.spec_from_file_location("picture", ROOT / "docs" / "picture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lines_of(svg):
    texts = ElementTree.fromstring(svg).iter(f"{SVG}text")
    return ["".join(one.itertext()).replace("\N{NO-BREAK SPACE}", " ") for one in texts]


def test_colours_and_columns_are_drawn_and_nothing_else_of_the_text_is_markup(picture):
    svg = picture.svg_of("  \x1b[31m\x1b[1m✗ a<b\x1b[0m  plain\n$ nip-ap")
    assert lines_of(svg) == ["  ✗ a<b  plain", "$ nip-ap"]
    red = next(one for one in ElementTree.fromstring(svg).iter(f"{SVG}tspan") if "✗" in one.text)
    assert (red.get("fill"), red.get("font-weight")) == ("#ff9186", "bold")


def test_the_readme_shows_a_run_of_this_version(picture):
    assert "](docs/terminal.svg)" in (ROOT / "README.md").read_text(encoding="utf-8")
    lines = lines_of((ROOT / "docs" / "terminal.svg").read_text(encoding="utf-8"))
    assert lines[1].startswith(f"nip-ap {__version__}  "), "python docs/picture.py makes it anew"
    told = "\n".join(lines)
    titles = {one.id: one.title for one in register()}
    for sign, clause, title in re.findall(r"^(.) (AP-\S+) \w+ \w+: (.*?)(?: \(|$)", told, re.M):
        assert (sign in "✗!", titles[clause]) == (True, title)
    for part in ("behaves like `tie-highest-id`", "to fix it", "expected", "seen", "repeat"):
        assert part in told
