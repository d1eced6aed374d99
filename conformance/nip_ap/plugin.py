"""The pytest plugin: options and hooks, nothing else. Without --nip-ap it does nothing at all."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from nip_ap.model.option_table import option_table
from nip_ap.model.options import Option


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, all under one prefix so that they meet nobody else's."""
    group = parser.getgroup("nip-ap", "NIP-AP relay conformance")
    group.addoption("--nip-ap", action="store_true", help="run the NIP-AP checks against a relay")
    for one in option_table():
        if one.under_pytest:
            group.addoption(one.pytest_name, dest=_dest(one), default=None, **_as_argparse(one))


def given_options(config: pytest.Config) -> dict[str, Any]:
    """The options as given, by key; None for what was not."""
    return {one.key: config.getoption(_dest(one), None) for one in option_table()}


def _dest(one: Option) -> str:
    return f"nip_ap_{one.name.replace('-', '_')}"


def _as_argparse(one: Option) -> dict[str, Any]:
    told = one.explained.replace("%", "%%")
    if one.flag:
        return {"action": "store_true", "help": told}

    def read(given: str) -> Any:
        try:
            return one.value(given)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    metavar = f"{{{','.join(one.choices)}}}" if one.choices else one.metavar
    action = "append" if one.many else "store"
    return {"action": action, "type": read, "metavar": metavar, "help": told}


def pytest_configure(config: pytest.Config) -> None:
    """Hand over to the session, if asked to."""
    if not config.getoption("nip_ap"):
        return
    from nip_ap.clients import fixtures as migration_fixtures
    from nip_ap.engine import fixtures
    from nip_ap.engine.check_ids import DESTRUCTIVE, OUTLIVES
    from nip_ap.engine.controller import SuiteController
    from nip_ap.engine.worker import SuiteWorker

    config.addinivalue_line("markers", f"{DESTRUCTIVE}: a check that may hurt the relay")
    config.addinivalue_line("markers", f"{OUTLIVES}: a check that runs last of all")
    config.addinivalue_line(
        "markers", "nip_ap_clause(*ids, needs=()): the clauses that a check judges"
    )
    config.pluginmanager.register(fixtures, "nip_ap_fixtures")
    config.pluginmanager.register(migration_fixtures, "nip_ap_migration_fixtures")
    worker = hasattr(config, "workerinput")
    if not worker and not config.pluginmanager.hasplugin("nip_ap_controller"):
        config.pluginmanager.register(
            SuiteController.from_options(given_options(config)), "nip_ap_controller"
        )
    config.pluginmanager.register(SuiteWorker(config), "nip_ap_worker")
