"""The kill matrices in docs/ are written by the proof, which says itself when one is stale."""

from pathlib import Path

import pytest

from nip_ap.proof.page import rows
from nip_ap.proof.role import role_named, role_names

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", role_names())
def test_the_page_is_of_a_proof_that_held(name):
    role = role_named(name)
    text = (DOCS / role.page.file).read_text(encoding="utf-8")
    assert text.startswith(f"# {role.page.title}\n")
    assert "**Not proven.**" not in text


@pytest.mark.parametrize("name", role_names())
def test_every_row_of_a_rogue_says_what_it_broke(name):
    role = role_named(name)
    shown = rows((DOCS / role.page.file).read_text(encoding="utf-8"))
    silent = [
        one.name
        for one in role.rogues()
        if one.turns_red and one.name in shown and "AP-" not in shown[one.name]
    ]
    assert silent == []
