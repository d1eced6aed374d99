"""Whose rules bind a relay, by profile."""

from __future__ import annotations

import pytest

from nip_ap.model.capabilities import Capabilities
from nip_ap.model.clauses import (
    ANOTHER_NIP,
    BUZZ_RULE,
    MUST,
    NIP_01,
    NIP_AP,
    NOVEMBER,
    RULES,
    SHOULD,
    RegisterError,
    read_register,
    register,
)
from nip_ap.model.judgement import NotApplicable
from nip_ap.model.profile import BUZZ, GENERIC, PERSONAS, exemption
from nip_ap.model.result import level_of
from nip_ap.model.subject import Subject

BY_RULE = {
    NIP_01: "AP-INT-01",
    NIP_AP: "AP-GATE-03",
    ANOTHER_NIP: "AP-AUTH-02",
    BUZZ_RULE: "AP-SCOPE-04",
}


def test_each_clause_says_whose_rule_it_is():
    assert {clause.rule for clause in register()} == set(RULES)
    assert {register()[one].rule: one for one in BY_RULE.values()} == BY_RULE


@pytest.mark.parametrize("clause", BY_RULE.values())
def test_a_relay_of_the_family_is_bound_by_all(clause):
    assert exemption(register()[clause], BUZZ, {"supported_nips": [1]}) == ""


@pytest.mark.parametrize(
    ("profile", "nips", "bound"),
    [
        (PERSONAS, [1], {NIP_01, NIP_AP, ANOTHER_NIP}),
        (GENERIC, [1, 9], {NIP_01}),
        (GENERIC, [1, 42], {NIP_01, ANOTHER_NIP}),
        (GENERIC, [1, 42, "AP"], {NIP_01, ANOTHER_NIP, NIP_AP}),
        (GENERIC, None, {NIP_01, ANOTHER_NIP}),
    ],
)
def test_other_relays_are_bound_by_what_is_theirs(profile, nips, bound):
    information = {} if nips is None else {"supported_nips": nips}
    found = {
        rule
        for rule, one in BY_RULE.items()
        if not exemption(register()[one], profile, information)
    }
    assert found == bound


def test_a_clause_that_does_not_bind_is_not_applicable_with_its_reason():
    subject = Subject("", "ws://127.0.0.1:1", Capabilities({}, NOVEMBER, "chosen"))
    with pytest.raises(NotApplicable, match="a rule of block/buzz"):
        subject.require(register()["AP-SCOPE-04"], (), (), PERSONAS)


def test_a_deletion_is_a_should_for_a_general_purpose_relay():
    assert level_of(["AP-DEL-01"], register(), NOVEMBER) == MUST
    assert level_of(["AP-DEL-01"], register(), NOVEMBER, GENERIC) == SHOULD


def test_another_authors_persona_is_judged_where_writers_authenticate():
    assert "auth-to-write" in register()["AP-SCOPE-04"].needs


def test_a_rule_that_nobody_has_is_refused(tmp_path):
    (tmp_path / "x.toml").write_text(
        'group = "X"\ntitle = "X"\nposition = 1\n[[clause]]\nid = "AP-X-01"\ntitle = "x"\n'
        'text = "x"\nlevel = "MUST"\nrevisions = ["2026-11"]\nsource = "NIP-01"\nrule = "mine"\n'
    )
    with pytest.raises(RegisterError, match="rule must be one of"):
        read_register(tmp_path)
