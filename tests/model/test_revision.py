"""The revision that fits what strangers see: never concluded from an absence without a control."""

from __future__ import annotations

import pytest

from nip_ap.model.capabilities import Capabilities
from nip_ap.model.clauses import JULY, JUNE, NOVEMBER, REVISIONS, register
from nip_ap.model.judgement import Inconclusive, NotApplicable
from nip_ap.model.revision import CLOSED, OPEN, UNCLEAR, revision_from
from nip_ap.model.subject import Subject

WAYS = ("by address", "by id", "by author", "over HTTP")


def found(*shown, knows_readers=True):
    return revision_from(dict(zip(WAYS, shown, strict=False)), knows_readers=knows_readers)


def test_what_is_closed_everywhere_is_november():
    revision = found(CLOSED, CLOSED, UNCLEAR)
    assert (revision.spec, revision.is_clear, revision.warning) == (NOVEMBER, True, "")
    assert "by address and by id" in revision.reason


def test_what_is_open_everywhere_is_june_and_a_run_warns_of_it():
    revision = found(OPEN, OPEN, UNCLEAR)
    assert (revision.spec, revision.is_clear) == (JUNE, True)
    assert "--spec 2026-11" in revision.warning


@pytest.mark.parametrize("leak", range(4))
def test_a_relay_that_leaks_in_one_way_is_of_november(leak):
    shown = [CLOSED] * 4
    shown[leak] = OPEN
    revision = found(*shown)
    assert (revision.spec, revision.is_clear) == (NOVEMBER, True)
    assert WAYS[leak] in revision.warning


def test_without_a_control_the_revision_is_unclear():
    revision = found(UNCLEAR, UNCLEAR)
    assert not revision.is_clear
    assert revision.reason.startswith("unclear: neither a stranger nor its author")


def test_a_relay_without_authentication_is_said_to_know_no_readers():
    for shown in (OPEN, UNCLEAR):
        assert "without NIP-42" in found(shown, knows_readers=False).reason


def test_a_clause_holds_from_the_first_revision_that_it_names_to_the_last():
    assert register()["AP-REPL-01"].revisions == REVISIONS
    assert register()["AP-GATE-03"].revisions == (JULY, NOVEMBER)
    assert register()["AP-GATE-14"].revisions == (JUNE,)


def of_unclear_revision():
    capabilities = Capabilities({}, NOVEMBER, "unclear: nobody reads", spec_is_clear=False)
    return Subject("", "ws://127.0.0.1:1", capabilities)


def test_what_only_one_revision_has_is_undecided_where_the_revision_is_unclear():
    for clause in ("AP-GATE-03", "AP-GATE-14"):
        with pytest.raises(Inconclusive, match="unclear: nobody reads"):
            of_unclear_revision().require(register()[clause], ())


def test_what_both_revisions_have_is_judged_all_the_same():
    of_unclear_revision().require(register()["AP-REPL-01"], ())


def test_a_clause_of_the_other_revision_is_not_applicable_where_it_is_clear():
    subject = Subject("", "ws://127.0.0.1:1", Capabilities({}, NOVEMBER, "chosen"))
    with pytest.raises(NotApplicable):
        subject.require(register()["AP-GATE-14"], ())


def test_the_warning_is_a_finding_and_survives_the_way_to_a_worker():
    capabilities = Capabilities({}, JUNE, "", warnings=("judged by the older",), lag=0.0)
    assert capabilities.contradictions == ["judged by the older"]
    assert Capabilities.from_json(capabilities.to_json()) == capabilities
