"""The soak as a command: each part is a row, a part that breaks off does not hold, and exit 1."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from tests.soak import __main__ as command
from tests.soak.table import BEGIN, END, Finding, Part, Row, Soak, table, written_into

HOLDS = Finding("ten things", "0 lost", "none lost", True)
LOST = Finding("ten things", "1 lost", "none lost", False)


def breaks_off(soak):
    raise RuntimeError("the relay is gone")


@pytest.fixture
def soak(monkeypatch):
    parts = {
        "holds": Part("holds", lambda soak: HOLDS),
        "loses": Part("loses", lambda soak: LOST),
        "breaks": Part("breaks", breaks_off),
    }
    monkeypatch.setattr(command, "PARTS", parts)

    def invoke(*names, page=None):
        words = [word for name in names for word in ("--part", name)]
        words += ["--page", str(page)] if page else []
        choice = next(one for one in command.main.params if one.name == "names")
        monkeypatch.setattr(choice.type, "choices", tuple(parts))
        return CliRunner().invoke(command.main, words)

    return invoke


@pytest.mark.parametrize(
    ("scale", "whole", "least", "share"),
    [(1.0, 50, 2, 50), (0.5, 50, 2, 25), (0.02, 50, 2, 2), (0.001, 50, 1, 1), (2.0, 50, 1, 100)],
)
def test_a_scale_is_a_share_of_each_number_and_never_nothing(tmp_path, scale, whole, least, share):
    assert Soak(scale, 1, tmp_path).share(whole, least) == share


def test_a_row_says_what_was_done_found_and_whether_it_holds():
    told = table([Row("kills", HOLDS, 3.4), Row("idle", LOST, 0.6)]).splitlines()
    assert told[2:] == [
        "| kills | ten things (3 s) | 0 lost | none lost | holds |",
        "| idle | ten things (1 s) | 1 lost | none lost | **broken** |",
    ]


def test_a_page_gets_the_table_in_place_of_the_last_one():
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert written_into(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    with pytest.raises(ValueError, match="the page has no"):
        written_into("a page without a place", "new")


@pytest.mark.parametrize(
    ("names", "code"),
    [(["holds"], 0), (["holds", "loses"], 1), (["holds", "breaks"], 1), ([], 1)],
    ids=str,
)
def test_the_command_ends_with_1_where_a_part_does_not_hold(soak, names, code):
    done = soak(*names)
    assert done.exit_code == code, done.output


def test_a_part_that_breaks_off_is_told_and_the_next_is_run(soak):
    told = soak("breaks", "holds").output
    assert "| breaks | broke off (0 s) | RuntimeError: the relay is gone | no fault |" in told
    assert "| holds | ten things (0 s) | 0 lost | none lost | holds |" in told


def test_the_table_is_written_into_a_page_with_scale_and_seed(soak, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    assert soak("holds", page=page).exit_code == 0
    text = page.read_text()
    assert ", scale 1, seed 20261125, Python 3." in text
    assert "| holds | ten things" in text


def test_the_soak_has_every_part_that_the_page_names():
    assert list(command.PARTS) == [
        *("frames", "kills", "full disk", "crowd", "idle", "slow readers", "growth"),
        *("tamperings", "hostile relays"),
    ]
