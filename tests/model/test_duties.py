"""Each duty of the agent family has a clause with a check, or says why it has none."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import Any

import pytest

from nip_ap.engine.declarations import declarations
from nip_ap.model.clauses import MUST, SHOULD, register
from nip_ap.resources import resource

DUTIES: list[dict[str, Any]] = tomllib.loads(
    resource("fixtures/family/duties.toml").read_text(encoding="utf-8")
)["duty"]
GROUPS = ("TEAM", "CAT", "INSTR")
"""Groups that are about the family alone."""


@pytest.mark.parametrize("duty", DUTIES, ids=lambda one: one["says"][:40])
def test_a_duty_has_clauses_or_a_reason(duty: dict[str, Any]) -> None:
    assert set(duty) <= {"part", "says", "level", "clauses", "reason"}
    assert duty["level"] in (MUST, SHOULD)
    assert bool(duty.get("clauses")) is not bool(duty.get("reason"))
    assert len(duty.get("reason", "a check needs none")) > 15


@pytest.mark.parametrize("duty", DUTIES, ids=lambda one: one["says"][:40])
def test_its_clauses_are_there_and_judged_or_say_why_not(duty: dict[str, Any]) -> None:
    judged = {clause for one in declarations() for clause in one.clauses}
    named = duty.get("clauses", ())
    assert [one for one in named if one not in register()] == []
    assert [one for one in named if one not in judged and not register()[one].reason] == []


def test_no_duty_stands_twice() -> None:
    assert [one for one, n in Counter(duty["says"] for duty in DUTIES).items() if n > 1] == []


def test_every_must_and_should_of_the_family_s_groups_serves_a_duty() -> None:
    named = {clause for duty in DUTIES for clause in duty.get("clauses", ())}
    family = [
        one.id
        for one in register()
        if one.level in (MUST, SHOULD)
        and (one.group in GROUPS or (one.group == "MIG" and int(one.id[-2:]) > 42))
    ]
    assert sorted(set(family) - named) == []
