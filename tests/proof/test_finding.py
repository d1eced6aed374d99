"""A rogue is caught by exactly what it declares, and what would be exact is said."""

import pytest

from nip_ap.model.judgement import Control
from nip_ap.rogue import ANYTHING, DEVIATION, GENERAL, NOISE
from tests.proof.findings import FAIL, INCONCLUSIVE, ONE, OTHER, PASS, WARN, finding, result


@pytest.mark.parametrize(
    ("results", "complaints"),
    [
        ([(ONE, FAIL), (OTHER, PASS)], []),
        ([(ONE, WARN), (OTHER, PASS)], []),
        ([(ONE, PASS), (OTHER, PASS)], [f"{ONE} stayed green: a blind check"]),
        ([(ONE, FAIL), (OTHER, FAIL)], [f"{OTHER} went red: it blames the wrong clause"]),
        ([(ONE, FAIL), (OTHER, INCONCLUSIVE)], [f"{OTHER} is undecided and not declared so"]),
    ],
)
def test_a_deviation_is_caught_by_exactly_its_list(results, complaints):
    assert (
        finding(DEVIATION, *(result(*one) for one in results), red=[ONE]).complaints == complaints
    )


def test_what_a_deviation_declares_undecided_may_be_so():
    results = [result(ONE, FAIL), result(OTHER, INCONCLUSIVE)]
    assert finding(DEVIATION, *results, red=[ONE], blinds=[OTHER]).complaints == []


CONTROL = Control("refused", "accepted", "tag d")


@pytest.mark.parametrize(
    ("results", "complaints"),
    [
        ([result(ONE, FAIL, CONTROL)], []),
        ([result(ONE, INCONCLUSIVE, CONTROL)], []),
        (
            [result(ONE, FAIL), result(OTHER, PASS, CONTROL)],
            [f"{OTHER}/x passed although it claims a negative"],
        ),
        ([result(ONE, PASS)], ["the run was conformant"]),
    ],
)
def test_on_a_broken_relay_no_negative_claim_may_pass(results, complaints):
    assert finding(GENERAL, *results).complaints == complaints


@pytest.mark.parametrize(("verdict", "good"), [(PASS, True), (WARN, True), (FAIL, False)])
def test_conformant_noise_has_to_stay_green(verdict, good):
    assert (finding(NOISE, result(ONE, verdict)).complaints == []) is good


def test_the_declaration_that_would_be_exact_is_what_was_found():
    results = [result(ONE, FAIL), result(OTHER, INCONCLUSIVE)]
    found = finding(DEVIATION, *results, red=[OTHER])
    assert found.exact_declaration == {"turns_red": ONE, "blinds": OTHER}


def test_a_rogue_that_blinds_anything_goes_on_to_say_so():
    results = [result(ONE, FAIL), result(OTHER, INCONCLUSIVE)]
    found = finding(DEVIATION, *results, red=[OTHER], blinds=[ANYTHING])
    assert found.exact_declaration == {"turns_red": ONE, "blinds": ANYTHING}


def test_noise_declares_nothing():
    assert finding(NOISE, result(ONE, FAIL)).exact_declaration == {}
