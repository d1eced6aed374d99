"""`nip-ap diff` of a conformant run and one with a rogue names that rogue's clauses, and no other.

For every rogue, over the runs that the proof makes; NIP_AP_ROGUES (names with commas) takes some.
"""

from __future__ import annotations

import os

import orjson
import pytest

from nip_ap.engine.declarations import declarations
from nip_ap.model.clauses import register
from nip_ap.model.report import Document, TargetName
from nip_ap.proof.command import rogues_named
from nip_ap.proof.role import Task, role_named
from nip_ap.proof.roles.relay import findings_beside_the_reference
from nip_ap.reporting import Report, report_of
from nip_ap.reporting.compare.difference import difference
from nip_ap_relay.rogues import DEVIATION, GENERAL

pytestmark = pytest.mark.slow


def report(run):
    """The report of a run, its document as it would be read from a file."""
    made = report_of(run, register(), started=0.0, seconds=1.0, target=TargetName(), workers=2)
    return Report(
        Document.from_json(orjson.loads(orjson.dumps(made.document.to_json()))), made.transcripts
    )


@pytest.fixture(scope="module")
def compared():
    """Each rogue with the difference between the reference's report and its own."""
    names = [one for one in os.environ.get("NIP_AP_ROGUES", "").split(",") if one]
    rogues = rogues_named(role_named("relay"), names)
    task = Task(rogues, "auto", "differences", lambda result, expected: None)
    reference, findings = findings_beside_the_reference(task)
    conformant = report(reference)
    return [(one.rogue, difference(conformant, report(one.run))) for one in findings]


def test_the_difference_names_exactly_the_rogues_clauses(compared):
    judged = {clause for declaration in declarations() for clause in declaration.clauses}
    wrong = {
        rogue.name: sorted(
            ((rogue.turns_red & judged) ^ set(found.regressed_clauses)) - rogue.by_chance
        )
        for rogue, found in compared
        if rogue.kind != GENERAL
    }
    assert {name: clauses for name, clauses in wrong.items() if clauses} == {}


def test_a_relay_that_breaks_down_regresses(compared):
    assert [
        rogue.name
        for rogue, found in compared
        if rogue.kind == GENERAL and not (found.regressions or found.undecided)
    ] == []


def test_a_regression_shows_where_the_frames_part(compared):
    """Not always can it: a run may differ in timing alone. Nearly always it has to."""
    regressions = [
        change
        for rogue, found in compared
        if rogue.kind == DEVIATION
        for change in found.regressions
        if not change.check.startswith("AP-MIG")
    ]
    shown = [change for change in regressions if change.parting is not None]
    assert len(shown) >= 0.9 * len(regressions)
