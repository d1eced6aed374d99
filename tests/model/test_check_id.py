"""Ids of checks: built, read back, and the same for every check of the suite."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nip_ap.engine.declarations import declarations
from nip_ap.model.check_id import CheckId

NAME = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)


@given(NAME, st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_built_is_read_back(name, parameters):
    one = CheckId.of("AP-READ-01", f"test_{name}", parameters)
    assert one.name == name
    assert CheckId.read(str(one)) == one
    assert str(one.declared) == f"AP-READ-01/{name}"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("AP-READ-01/limit", ("AP-READ-01", "limit", "")),
        ("AP-READ-01/limit[one]", ("AP-READ-01", "limit", "one")),
        ("AP-READ-01/limit[a/b[c]]", ("AP-READ-01", "limit", "a/b[c]")),
        ("limit", ("", "limit", "")),
        ("limit[one]", ("", "limit", "one")),
        ("", ("", "", "")),
    ],
)
def test_an_id_is_read(text, parts):
    one = CheckId.read(text)
    assert (one.clause, one.name, one.parameters) == parts


def test_the_ids_of_all_declared_checks_are_read_back():
    for one in declarations():
        assert CheckId.read(one.check_id("x")) == CheckId(one.clauses[0], one.name, "x")
