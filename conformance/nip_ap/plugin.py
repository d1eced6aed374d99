"""The pytest plugin: options and hooks, nothing else. Without --nip-ap it only skips checks."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from nip_ap.model.markers import CLAUSE, MARKERS
from nip_ap.model.option_table import option_table
from nip_ap.model.options import Option
from nip_ap.without_allure import refuse_without_allure, stand_in_for_allure


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, all under one prefix so that they meet nobody else's."""
    group = parser.getgroup("nip-ap", "NIP-AP relay conformance")
    group.addoption("--nip-ap", action="store_true", help="run the NIP-AP checks against a relay")
    for one in option_table():
        if one.under_pytest:
            group.addoption(one.pytest_name, dest=_dest(one), default=None, **_as_argparse(one))
    stand_in_for_allure(group)


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
    for line in MARKERS:
        config.addinivalue_line("markers", line)
    refuse_without_allure(config)
    if not config.getoption("nip_ap"):
        _refuse_idle_options(config)
        return
    from nip_ap.engine.guest import GuestController
    from nip_ap.engine.outside_files import OutsideFiles
    from nip_ap.engine.worker import SuiteWorker

    worker = hasattr(config, "workerinput")
    if not worker and not config.pluginmanager.hasplugin("nip_ap_controller"):
        controller = GuestController.from_options(given_options(config))
        config.pluginmanager.register(controller, "nip_ap_controller")
    config.pluginmanager.register(SuiteWorker(config), "nip_ap_worker")
    config.pluginmanager.register(OutsideFiles(config.rootpath), "nip_ap_outside_files")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A check that a plain pytest has come upon needs a relay, so it is left for a run with one."""
    if item.get_closest_marker(CLAUSE) is not None and not item.config.getoption("nip_ap"):
        pytest.skip("a check of a relay: `pytest --nip-ap` or `nip-ap run` runs it")


def _refuse_idle_options(config: pytest.Config) -> None:
    """An option without --nip-ap would test nothing, and look as if it had."""
    given = given_options(config)
    idle = [one.pytest_name for one in option_table() if given[one.key]]
    if idle:
        raise pytest.UsageError(f"{', '.join(idle)}: only valid with --nip-ap")
