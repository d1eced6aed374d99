"""The kill matrix read backwards: each rogue is known by its signature, two at once by theirs."""

from __future__ import annotations

import json
import random

import pytest

from nip_ap.model.clauses import register
from nip_ap.model.diagnosis import Diagnosis, Observed, Signature, diagnose
from nip_ap.model.verdict import Verdict
from nip_ap.proof.signatures import declared_signatures, rogues, write_signatures
from nip_ap.reporting import diagnosis
from nip_ap.reporting.diagnosis import diagnosis_of, sentences, signatures
from nip_ap.reporting.formats import formats
from tests.reporting.fixed_run import SIGNATURES as FIXED
from tests.reporting.fixed_run import fixed_report
from tests.reporting.reports import made_report, result
from tests.reporting.test_formats import written

SIGNATURES = declared_signatures({})
BY_NAME = {one.name: one for one in SIGNATURES}
BLINDS = {one.name: one.blinds for _, one in rogues()}
EVERY_CLAUSE = frozenset(clause.id for clause in register())
PAIRS = [random.Random(seed).sample(sorted(BY_NAME), 2) for seed in range(400)]


def observed(*names, undecided=frozenset()):
    """What a run sees on a relay with the faults of these rogues."""
    red = frozenset().union(*(BY_NAME[name].certain for name in names)) - undecided
    blind = frozenset().union(*(BLINDS[name] | BY_NAME[name].chance for name in names))
    return Observed(red, EVERY_CLAUSE - red - blind - undecided)


def twins(name):
    """The rogues that break exactly the same clauses."""
    return {one.name for one in SIGNATURES if one.certain == BY_NAME[name].certain}


def named(found):
    return {name for cause in found.causes for name in cause.names}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_rogue_is_diagnosed_as_itself_or_its_twin(name):
    found = diagnose(observed(name), SIGNATURES)
    (cause,) = found.causes
    assert set(cause.names) & twins(name)
    assert set(cause.explains) == BY_NAME[name].certain
    assert found.unexplained == ()
    assert cause.confidence == 1.0


def test_of_two_rogues_at_once_both_are_named():
    both = [
        bool(named(found) & twins(one)) and bool(named(found) & twins(other))
        for one, other in PAIRS
        for found in [diagnose(observed(one, other), SIGNATURES)]
    ]
    assert sum(both) >= 0.95 * len(both)


def test_on_a_green_relay_there_is_nothing_to_say():
    assert diagnose(Observed(frozenset(), EVERY_CLAUSE), SIGNATURES) == Diagnosis()


def test_what_no_rogue_breaks_is_said_to_be_unexplained():
    found = diagnose(Observed(frozenset({"AP-NEW-01"}), EVERY_CLAUSE), SIGNATURES)
    assert (found.causes, found.unexplained) == ((), ("AP-NEW-01",))


def test_a_rogue_is_known_though_one_of_its_clauses_was_not_decided():
    large = [one for one in SIGNATURES if len(one.certain) >= 3]
    for one in large:
        undecided = frozenset({min(one.certain)})
        found = diagnose(observed(one.name, undecided=undecided), SIGNATURES)
        alike = [
            other.name for other in SIGNATURES
            if other.certain - undecided == one.certain - undecided
        ]  # fmt: skip
        assert named(found) & set(alike), one.name


def sign(name, *red, checks=()):
    return Signature(name, "It does.", "Do not.", frozenset(red), checks=frozenset(checks))


def test_a_cause_that_should_break_more_than_is_broken_says_so():
    found = diagnose(
        Observed(frozenset({"AP-A-01", "AP-A-02", "AP-A-03"}), frozenset({"AP-A-04"})),
        [sign("wide", "AP-A-01", "AP-A-02", "AP-A-03", "AP-A-04")],
    )
    (cause,) = found.causes
    assert (cause.holds, cause.confidence) == (("AP-A-04",), 0.75)


def test_a_cause_of_which_less_than_half_is_there_is_none():
    red, green = frozenset({"AP-A-01"}), frozenset({"AP-A-02", "AP-A-03"})
    found = diagnose(Observed(red, green), [sign("wide", "AP-A-01", "AP-A-02", "AP-A-03")])
    assert found == Diagnosis((), ("AP-A-01",))


def test_twins_are_told_apart_by_the_checks_that_are_red():
    left = sign("left", "AP-A-01", checks=("AP-A-01/one", "AP-A-01/two"))
    right = sign("right", "AP-A-01", checks=("AP-A-01/three",))
    seen = frozenset({"AP-A-01/one", "AP-A-01/two"})
    found = diagnose(Observed(frozenset({"AP-A-01"}), frozenset(), seen), [right, left])
    assert found.causes[0].names == ("left",)
    unknown = diagnose(Observed(frozenset({"AP-A-01"}), frozenset()), [right, left])
    assert unknown.causes[0].names == ("left", "right")


def test_every_rogue_that_breaks_something_has_a_remedy():
    assert [one.name for one in SIGNATURES if not one.remedy] == []
    for one in SIGNATURES:
        assert one.remedy.endswith("."), one.name
        assert one.remedy[0].isupper(), one.name


def test_a_signature_comes_back_from_json():
    for one in SIGNATURES:
        assert Signature.from_json(one.to_json()) == one


# -- the file -------------------------------------------------------------------------------------


def test_the_recorded_signatures_are_those_that_are_declared(update_snapshots):
    """A rogue that is new is not there until the next proof; one that is there has to be right."""
    if update_snapshots:
        write_signatures({})
    for recorded in signatures():
        assert recorded.name in BY_NAME, "a rogue that is gone: pytest --update-snapshots"
        declared = BY_NAME[recorded.name]
        assert (recorded.red, recorded.chance) == (declared.red, declared.chance), recorded.name
        assert (recorded.because, recorded.remedy) == (declared.because, declared.remedy)


def test_a_proof_of_some_rogues_keeps_what_is_known_of_the_others(tmp_path):
    file = tmp_path / "signatures.json"
    write_signatures({"tie-highest-id": ["AP-REPL-03/a"], "tie-last-write": ["AP-REPL-03/b"]}, file)
    write_signatures({"tie-highest-id": ["AP-REPL-03/c"]}, file)
    found = {one["name"]: one["checks"] for one in json.loads(file.read_text())["rogues"]}
    assert found["tie-highest-id"] == ["AP-REPL-03/c"]
    assert found["tie-last-write"] == ["AP-REPL-03/b"]
    assert set(found) == set(BY_NAME)


# -- in reports -----------------------------------------------------------------------------------


def test_a_report_says_first_what_the_relay_behaves_like(tmp_path, monkeypatch):
    monkeypatch.setattr(diagnosis, "signatures", lambda: FIXED)
    told = fixed_report()
    (first, *_) = sentences(diagnosis_of(told))
    assert first == (
        "behaves like `tie-highest-id`: it compares ids the wrong way round "
        "(explains AP-REPL-03, AP-REPL-08, AP-REPL-09; all 3 signs are there)"
    )
    for one in formats().values():
        if one.name not in ("document", "transcripts", "sequences", "badge", "allure"):
            text = "".join(written(one, told, tmp_path / one.name).values())
            assert "tie-highest-id" in text, one.name
            assert "keep the one with the lowest id." in text, one.name


def test_a_green_report_has_no_diagnosis(tmp_path):
    green = made_report([result("AP-SLUG-01", Verdict.PASS)])
    assert sentences(diagnosis_of(green)) == []
    for one in formats().values():
        if one.name != "allure":
            text = "".join(written(one, green, tmp_path / one.name).values())
            assert "behaves like" not in text.lower(), one.name


def test_a_sign_that_is_found_by_chance_alone_is_the_weaker_evidence():
    chance = Signature(
        "chance", "It does.", "Do not.", frozenset({"AP-A-01", "AP-A-02"}), frozenset({"AP-A-01"})
    )
    certain = sign("sure", "AP-A-01", "AP-A-03", "AP-A-04")
    found = diagnose(Observed(frozenset({"AP-A-01"}), frozenset()), [chance, certain])
    assert found.causes[0].names == ("sure",)
