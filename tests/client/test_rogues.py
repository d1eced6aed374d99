"""The rogue migrators are declared as the fact sheet names them, and the proof holds."""

from __future__ import annotations

import io

import pytest

from nip_ap.model.clauses import register
from nip_ap.proof.command import Order, prove
from nip_ap.proof.matrix import unproven_clauses
from nip_ap.proof.role import role_named
from nip_ap_client.rogues import ROGUES

# docs/real-relay.md 8: which check has to catch which mutant. The F36 variant of M21 is left
# out: it needs a clock on the migrator's side that can be set.
NAMED = {
    "M1": (2, 16), "M2": (5, 18, 19), "M3": (32,), "M4": (4, 7), "M5": (9,), "M6": (11,),
    "M7": (35, 1), "M8": (13, 18), "M9": (13,), "M10": (22,), "M11": (22, 23), "M12": (1, 31),
    "M13": (21,), "M14": (20,), "M15": (9, 21), "M16": (29,), "M17": (30,), "M18": (24,),
    "M19": (32,), "M20": (33, 1), "M21": (8,), "M22": (40,), "M23": (39,), "M24": (37,),
    "M25": (27,),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_each_mutant_is_declared_with_the_checks_named_for_it(name: str) -> None:
    assert {f"AP-MIG-{number:02}" for number in NAMED[name]} <= ROGUES[name].turns_red


def test_declarations_name_clauses_and_reasons() -> None:
    known = register()
    for rogue in ROGUES.values():
        assert all(clause in known for clause in rogue.turns_red)
        assert len(rogue.because) > 20


def test_each_clause_of_clients_has_a_rogue_or_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unproven_clauses(role_named("migrator")) == []
    for name in ("P2", "P6", "P8"):
        monkeypatch.delitem(ROGUES, name)
    assert unproven_clauses(role_named("migrator")) == ["AP-PIN-03"]


@pytest.mark.slow
def test_the_proof_holds() -> None:
    stream = io.StringIO()
    code = prove(Order("migrator", (), "auto", "tests"), stream)
    assert code == 0, stream.getvalue()
