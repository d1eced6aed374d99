"""docs/kill-matrix.md is of the rogues that there are: who changes one runs the proof again."""

from pathlib import Path

from nip_ap.proof.relays import rogues_named
from nip_ap_relay.rogues import DEVIATION

PAGE = Path(__file__).resolve().parents[2] / "docs" / "kill-matrix.md"
AGAIN = "run `nip-ap prove --page docs/kill-matrix.md`"


def rows():
    table = PAGE.read_text(encoding="utf-8").partition("## By clause")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return {name: (because, red) for name, because, red, *_ in cells[2:]}


def test_the_page_is_of_a_proof_that_held():
    assert "**Proven.**" in PAGE.read_text(encoding="utf-8"), AGAIN


def test_every_rogue_stands_there_with_what_it_did_wrong():
    shown = {name: because for name, (because, _) in rows().items()}
    assert shown == {one.name: one.because for one in rogues_named(())}, AGAIN


def test_every_rogue_was_caught_by_what_it_declares():
    found = rows()
    for one in rogues_named(()):
        if one.kind == DEVIATION:
            red = set(found[one.name][1].split(", "))
            assert one.turns_red <= red <= one.turns_red | one.by_chance, (one.name, AGAIN)
