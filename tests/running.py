"""A run in this process, for tests that hold a controller in their hands."""

from __future__ import annotations

from typing import Any

from nip_ap.engine.controller import SuiteController
from nip_ap.engine.runner import run_pytest
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.nostr import SecretKey


def fresh_seed() -> str:
    """Another one each time: a relay that is used twice must not see the same keys twice."""
    return SecretKey.fresh().pubkey[:8]


def settings_of(*only: str, **more: Any) -> Settings:
    """What a run against a relay of the tests needs: it answers at once or not at all."""
    given = {"answer_limit": 0.5, "spec": "2026-11"} | more
    return Settings(seed=fresh_seed(), only=only, **given)


def run_of(controller: SuiteController) -> Run:
    """The one run of a controller, which is closed after it."""
    try:
        controller.prepare()
        run_pytest(controller, 1)
    finally:
        controller.close()
    (run,) = controller.runs()
    return run
