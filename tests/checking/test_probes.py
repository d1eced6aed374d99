"""What the preflight finds out, what --claim makes of it, and how revisions are told apart."""

from __future__ import annotations

import pytest

from nip_ap.checking.preflight import probe
from nip_ap.checking.probes import PROBES
from nip_ap.checking.refusal_texts import compared
from nip_ap.engine.controller import SuiteController
from nip_ap.engine.keys import SettingsError
from nip_ap.engine.preparation import bundled_target, check_claims, recipe_for
from nip_ap.model.clauses import register
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.verdict import RunVerdict, Verdict
from nip_ap.targets import UrlTarget
from tests.running import fresh_seed, run_of

JUNE, JULY, NOVEMBER = "2026-06", "2026-07", "2026-11"
NOT_ON_THE_BUNDLED_RELAY = {
    JUNE: {"rate-limit", "managed-agents", "team-catalog", "instructions"},
    JULY: {"rate-limit", "instructions"},
    NOVEMBER: {"rate-limit"},
}


def started(spec, *arguments):
    """A bundled relay of a revision."""
    target = bundled_target(Settings(seed=fresh_seed(), spec=spec), *arguments)
    target.start()
    return target


@pytest.fixture(scope="module")
def relays():
    found = {spec: started(spec) for spec in (JUNE, JULY, NOVEMBER)}
    yield found
    for target in found.values():
        target.stop()


def run(url, **settings) -> Run:
    """The run of some groups on a relay that is there already."""
    settings = Settings(seed=fresh_seed(), **settings)
    return run_of(SuiteController(settings, {"": UrlTarget(url)}))


def red(one: Run):
    return {clause for clause, verdict in one.by_clause.items() if verdict.is_red}


# -- probes ------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [JUNE, JULY, NOVEMBER])
def test_the_bundled_relay_offers_all_that_is_probed(relays, spec):
    found = probe(relays[spec].url, Settings(seed=fresh_seed()), {})
    assert {name for name in PROBES if not found.offers(name)} == NOT_ON_THE_BUNDLED_RELAY[spec]
    older = [one for one in found.contradictions if "the older revision 2026-06" in one]
    assert found.contradictions == older
    assert bool(older) is (spec == JUNE)


@pytest.mark.parametrize("spec", [JUNE, NOVEMBER])
def test_auto_picks_the_revision(relays, spec):
    assert probe(relays[spec].url, Settings(seed=fresh_seed()), {}).spec == spec


def test_a_relay_that_does_not_insist_on_authentication_is_probed_too():
    target = started(NOVEMBER, "--open")
    try:
        found = probe(target.url, Settings(seed=fresh_seed()), {})
    finally:
        target.stop()
    assert found.answers
    assert found.spec == NOVEMBER
    assert (found.offers("auth"), found.offers("auth-to-read")) == (True, False)
    assert not found.enforces("auth-to-write")


def test_a_duty_that_is_claimed_and_not_enforced_is_a_finding():
    target = started(NOVEMBER, "--rogue", "auth-not-enforced")
    try:
        found = probe(target.url, Settings(seed=fresh_seed()), {})
    finally:
        target.stop()
    assert found.enforces("auth-to-read")
    assert [one for one in found.contradictions if "auth-to-read" in one]


# -- claims ------------------------------------------------------------------------------


def test_a_claim_that_nobody_knows_is_an_error():
    with pytest.raises(SettingsError, match="no such capability"):
        check_claims(Settings(seed=fresh_seed(), claims=("flying",)))
    with pytest.raises(SettingsError):
        recipe_for({}, Settings(seed=fresh_seed(), claims=("flying",)))


def test_a_claim_that_holds_changes_nothing(relays):
    one = run(relays[NOVEMBER].url, only=("AP-THREAD-02",), claims=("threads",))
    assert one.verdict is RunVerdict.CONFORMANT


def test_a_missing_credential_does_not_apply_unless_it_is_claimed(relays):
    url = relays[NOVEMBER].url
    plain = run(url, only=("AP-SCOPE-02", "AP-SCOPE-01"))
    assert plain.verdict is RunVerdict.CONFORMANT
    assert plain.by_clause["AP-SCOPE-02"] is Verdict.NOT_APPLICABLE
    claimed = run(url, only=("AP-SCOPE-02", "AP-SCOPE-01"), claims=("limited-key",))
    assert claimed.verdict is RunVerdict.NOT_CONFORMANT
    assert claimed.by_clause["AP-SCOPE-02"] is Verdict.FAIL
    assert "limited-key" in claimed.why


def test_a_claim_counts_even_if_no_check_needs_it(relays):
    one = run(relays[NOVEMBER].url, only=("AP-SLUG-02",), claims=("rate-limit",))
    assert one.verdict is RunVerdict.NOT_CONFORMANT
    assert one.why.startswith("claimed and not found: rate-limit (2 of ")


# -- revisions ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("spec", [JUNE, NOVEMBER])
def test_a_relay_conforms_to_its_own_revision(relays, spec):
    one = run(relays[spec].url, spec=spec, only=("GATE", "ENV", "SCOPE", "DEL"))
    assert one.verdict is RunVerdict.CONFORMANT


@pytest.mark.slow
def test_a_june_relay_breaks_november_in_the_gate_and_the_valueless_d(relays):
    one = run(relays[JUNE].url, spec=NOVEMBER, only=("GATE", "ENV", "SCOPE", "DEL", "THREAD"))
    assert one.verdict is RunVerdict.NOT_CONFORMANT
    assert {"AP-GATE-02", "AP-GATE-03", "AP-GATE-11", "AP-ENV-03"} <= red(one)
    assert {clause for clause in red(one) if "-GATE-" not in clause} == {"AP-ENV-03"}


@pytest.mark.slow
def test_a_november_relay_breaks_june_in_the_gate_alone(relays):
    one = run(relays[NOVEMBER].url, spec=JUNE, only=("GATE", "ENV", "SCOPE", "DEL", "THREAD"))
    assert one.verdict is RunVerdict.NOT_CONFORMANT
    assert red(one) == {"AP-GATE-14"}


FAMILY = ("TEAM", "CAT", "INSTR")


@pytest.mark.slow
def test_a_july_relay_breaks_november_in_the_instructions_alone(relays):
    url, groups = relays[JULY].url, ("GATE", *FAMILY)
    assert run(url, spec=NOVEMBER, only=groups).verdict is RunVerdict.CONFORMANT
    claimed = run(url, spec=NOVEMBER, only=groups, claims=("instructions",))
    assert {clause.split("-")[1] for clause in red(claimed)} == {"INSTR"}
    assert len(red(claimed)) == len([one for one in register() if one.group == "INSTR"])


@pytest.mark.slow
def test_a_november_relay_conforms_to_july_and_a_july_relay_breaks_june_in_the_gate(relays):
    newer = run(relays[NOVEMBER].url, spec=JULY, only=("GATE", *FAMILY))
    assert newer.verdict is RunVerdict.CONFORMANT
    assert {v for c, v in newer.by_clause.items() if "-INSTR-" in c} == {Verdict.NOT_APPLICABLE}
    older = run(relays[JULY].url, spec=JUNE, only=("GATE", "ENV", *FAMILY))
    assert red(older) == {"AP-GATE-14"}


@pytest.mark.slow
def test_a_june_relay_that_claims_the_family_breaks_july_in_all_of_it(relays):
    claims = ("managed-agents", "team-catalog")
    one = run(relays[JUNE].url, spec=JULY, only=FAMILY, claims=claims)
    of_july = {each.id for each in register() if each.group in ("TEAM", "CAT")}
    assert red(one) == of_july


# -- texts -------------------------------------------------------------------------------


def test_refusals_are_compared_word_for_word():
    words = "invalid: persona event `d` tag too long (65 chars, max 64)"
    assert compared(["AP-SLUG-04"], [words, words])["matches"] is True
    other = compared(["AP-SLUG-04"], [words, "invalid: too long"])
    assert (other["matches"], other["other"]) == (False, ["invalid: too long"])


def test_nothing_is_compared_where_there_is_nothing_to_compare():
    assert compared(["AP-SLUG-04"], []) is None
    assert compared(["AP-READ-01"], ["whatever"]) is None
