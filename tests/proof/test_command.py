"""`nip-ap prove`: what it prints, its exit codes, the page that it writes, and a new role."""

import io
import json
from dataclasses import replace

import pytest

from nip_ap.proof import command
from nip_ap.proof.command import Order, UnknownRogue, prove
from nip_ap.proof.matrix import Matrix
from nip_ap.proof.page import page, rows, stale_rows
from nip_ap.proof.role import role_named, role_names
from nip_ap.rogue import DEVIATION, Rogue
from tests.proof.findings import FAIL, ONE, OTHER, PASS, finding, result

BROKEN = ("accepts-everything", "refuses-everything", "stores-nothing", "answers-nothing")


def role_of(*findings):
    """A role whose rogues were run already."""
    return replace(
        role_named("relay"),
        rogues=lambda: [one.rogue for one in findings],
        findings=lambda task: [one for one in findings if one.rogue in task.rogues],
    )


def proved(monkeypatch, *findings, **order):
    monkeypatch.setattr(command, "role_named", lambda name: role_of(*findings))
    monkeypatch.setattr(command, "write_signatures", lambda seen: None)
    stream = io.StringIO()
    given = {"role": "relay", "names": (), "workers": "1", "seed": "s"} | order
    code = prove(Order(**given), stream)
    return code, stream.getvalue()


@pytest.mark.parametrize(("verdict", "code"), [(FAIL, 0), (PASS, 1)])
def test_the_proof_fails_where_a_rogue_is_not_caught(monkeypatch, verdict, code):
    found = finding(DEVIATION, result(ONE, verdict), red=[ONE])
    given, printed = proved(monkeypatch, found, names=["made-here"], as_json=True)
    matrix = json.loads(printed)
    assert given == code
    assert matrix["proven"] is (code == 0)
    assert bool(matrix["rogues"][0]["complaints"]) is (code == 1)


def test_what_would_be_exact_is_printed_where_a_declaration_is_not(monkeypatch):
    found = finding(DEVIATION, result(ONE, FAIL), result(OTHER, FAIL), red=[ONE])
    code, printed = proved(monkeypatch, found, names=["made-here"])
    assert code == 1
    assert f"{OTHER} went red: it blames the wrong clause" in printed
    assert f'turns_red="{ONE} {OTHER}",' in printed


def test_what_is_exact_is_printed_only_when_asked_for(monkeypatch):
    found = finding(DEVIATION, result(ONE, FAIL), red=[ONE])
    assert "exact would be" not in proved(monkeypatch, found, names=["made-here"])[1]
    suggested = proved(monkeypatch, found, names=["made-here"], suggests=True)[1]
    assert f'turns_red="{ONE}",' in suggested


def test_a_proof_with_all_rogues_names_what_none_of_them_breaks(monkeypatch):
    found = finding(DEVIATION, result(ONE, FAIL), red=[ONE])
    code, printed = proved(monkeypatch, found)
    assert code == 1
    assert f"{OTHER}: no rogue breaks it" in printed
    assert f"{ONE}: no rogue breaks it" not in printed


def test_an_unknown_rogue_is_named_with_those_that_there_are(monkeypatch):
    found = finding(DEVIATION, result(ONE, FAIL), red=[ONE])
    with pytest.raises(UnknownRogue, match="no rogue relay is named nobody; there are made-here"):
        proved(monkeypatch, found, names=["nobody"])


def test_the_page_has_a_row_for_each_rogue_and_each_broken_clause(monkeypatch, tmp_path):
    found = finding(DEVIATION, result(ONE, FAIL), red=[ONE])
    proved(monkeypatch, found, names=["made-here"], page=tmp_path / "page.md")
    shown = rows((tmp_path / "page.md").read_text())
    assert shown["made-here"] == f"made-here | - | {ONE}"
    assert shown[ONE] == f"{ONE} | MUST | made-here (1)"


def test_a_page_is_stale_where_a_rogue_is_new_gone_or_caught_by_something_else():
    before = matrix_of("kept", "gone", "changed")
    after = matrix_of("kept", "new", changed=OTHER)
    assert set(stale_rows(after, page(before))) == {"gone", "changed", "new", ONE, OTHER}
    assert stale_rows(after, page(after)) == []


def matrix_of(*names, **others):
    clauses = dict.fromkeys(names, ONE) | others
    found = [
        replace(finding(DEVIATION, result(clause, FAIL), red=[clause]), rogue=rogue(name, clause))
        for name, clause in clauses.items()
    ]
    return Matrix(role_of(*found), found, (), "s", 1.0)


def rogue(name, clause):
    return Rogue(name, "-", frozenset((clause,)))


def test_a_proof_says_that_the_page_in_docs_is_stale(monkeypatch, tmp_path):
    found = finding(DEVIATION, result(ONE, FAIL), red=[ONE])
    (tmp_path / "page.md").write_text(page(matrix_of("gone")))
    monkeypatch.setattr(command, "page_in_docs", lambda role: tmp_path / "page.md")
    printed = proved(monkeypatch, found)[1]
    assert "docs/kill-matrix.md is out of date (" in printed
    assert printed.rstrip().endswith("nip-ap prove --page docs/kill-matrix.md")


@pytest.mark.parametrize("name", role_names())
def test_a_role_is_complete(name):
    role = role_named(name)
    assert role.name == name
    assert role.groups
    assert len({one.name for one in role.rogues()}) == len(role.rogues()) > 1


def test_roles_share_no_group_of_clauses():
    groups = [group for name in role_names() for group in role_named(name).groups]
    assert len(groups) == len(set(groups))


@pytest.mark.slow
@pytest.mark.parametrize(
    "names", [BROKEN, ("slug-max-63", "tie-highest-id", "slug-trimmed")], ids=str
)
def test_the_proof_of_some_rogues(names):
    stream = io.StringIO()
    code = prove(Order("relay", names, "auto", "some rogues", as_json=True), stream)
    matrix = json.loads(stream.getvalue())
    found = {row["rogue"]: row["complaints"] for row in matrix["rogues"]}
    assert found == {name: [] for name in names}
    assert (code, matrix["proven"]) == (0, True)
