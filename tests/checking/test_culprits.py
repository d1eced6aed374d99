"""A check that sends many bad events names those that did harm, each by itself."""

from __future__ import annotations

from nip_ap.engine.controller import SuiteController
from nip_ap.model.settings import Settings
from nip_ap.resources import data
from nip_ap.targets import BundledTarget
from tests.running import run_of

CHECK = "AP-INT-06/malformed_events_are_not_stored_and_hurt_nobody"


def test_each_malformed_event_that_ends_other_connections_is_named():
    settings = Settings(seed="culprits", only=(CHECK,), answer_limit=2.0, spec="2026-11")
    target = BundledTarget(("--rogue", "malformed-crashes"))
    controller = SuiteController(settings, {"": target})
    (result,) = run_of(controller).results
    named = [entry["name"] for entry in data("malformed") if f"{entry['name']}: " in result.reason]
    assert len(named) == len(data("malformed"))
