"""Certificates of clients: whose they are, and how far they reach."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nip_ap.certificate.document import level_of, role_of, subject_of
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.clauses import NOVEMBER, READER, RELAY, register
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict

RUN = Run(Subject("", "ws://r", Capabilities({}, NOVEMBER, "")), Settings(seed="s"), (), ())


@pytest.mark.parametrize(
    ("given", "bundled", "role"),
    [
        ({}, True, RELAY),
        ({"reader": "r {relay}"}, True, READER),
        ({"migrator": "m {relay}"}, True, "migrator"),
        ({"migrator": "m {relay}"}, False, RELAY),
    ],
)
def test_the_role_is_that_of_what_was_tested(
    given: dict[str, str], bundled: bool, role: str
) -> None:
    run = replace(RUN, settings=replace(RUN.settings, **given))
    assert role_of(run, {"bundled": bundled}) == role


def verdicts(role: str, **others: Verdict) -> dict[str, Verdict]:
    """A pass for each clause of the groups of a role, but for those given."""
    groups = {READER: ("READER", "WRITER"), "migrator": ("MIG",)}[role]
    found = {
        f"{clause.id}/it": Verdict.PASS
        for clause in register()
        if clause.group in groups and not clause.reason
    }
    return found | {f"{name.replace('_', '-')}/it": one for name, one in others.items()}


@pytest.mark.parametrize("role", [READER, "migrator"])
def test_a_client_that_holds_all_is_full(role: str) -> None:
    assert level_of(verdicts(role), {}, NOVEMBER, role) == "full"


def test_what_was_left_out_makes_it_core() -> None:
    found = verdicts(READER, AP_READER_25=Verdict.NOT_APPLICABLE)
    assert level_of(found, {}, NOVEMBER, READER) == "core"


def test_a_client_of_which_nothing_was_judged_reaches_no_level() -> None:
    assert level_of({"AP-WRITER-11/it": Verdict.PASS}, {}, NOVEMBER, READER) == ""
    assert level_of(verdicts(READER), {}, NOVEMBER, RELAY) == ""


def test_a_client_is_named_with_its_role_and_a_relay_by_itself() -> None:
    target = {"software": "relay", "version": "1", "name": None, "url": "ws://r"}
    content = {"target": target, "client": "mytool list"}
    assert subject_of(content | {"role": READER}) == "mytool list (reader)"
    assert subject_of(content | {"role": RELAY}) == subject_of({"target": target}) == "relay 1"
