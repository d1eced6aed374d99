"""The pytest plugin: options and hooks, nothing else. Without --nip-ap it does nothing at all."""

from __future__ import annotations

import pytest

from nip_ap.model.target_options import OPTIONS


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, all under one prefix so that they meet nobody else's."""
    group = parser.getgroup("nip-ap", "NIP-AP relay conformance")
    group.addoption("--nip-ap", action="store_true", help="run the NIP-AP checks against a relay")
    group.addoption("--relay-url", metavar="URL", help="the relay; the bundled one by default")
    group.addoption(
        "--nip-ap-only",
        metavar="GLOB",
        action="append",
        default=[],
        help="only checks whose group, clause id or check id matches; repeatable",
    )
    group.addoption("--nip-ap-seed", metavar="TEXT", help="the seed of keys, slugs and contents")
    group.addoption(
        "--nip-ap-spec",
        choices=("auto", "2026-06", "2026-11"),
        default="auto",
        help="the revision of NIP-AP; auto finds out",
    )
    group.addoption(
        "--nip-ap-auth",
        choices=("nip42", "nip98", "x-pubkey"),
        default="nip42",
        help="how to authenticate; x-pubkey sends a bare header over HTTP",
    )
    group.addoption("--nip-ap-keys", metavar="FILE", help="a JSON file of secret keys by role")
    group.addoption(
        "--nip-ap-claim",
        metavar="NAME",
        action="append",
        default=[],
        help="fail where the relay lacks this capability; repeatable",
    )
    group.addoption(
        "--nip-ap-load",
        action="store_true",
        help="AP-ROB-06 in earnest, and heavy checks on a relay elsewhere too",
    )
    for name, kind, default, what in (
        ("publishers", int, 64, "connections that publish, with --nip-ap-load"),
        ("subscribers", int, 16, "connections that listen, with --nip-ap-load"),
        ("load-events", int, 6400, "events that all publishers send at most"),
        ("load-seconds", float, 20.0, "how long they do at most, once warm"),
    ):
        group.addoption(f"--nip-ap-{name}", metavar="N", type=kind, default=default, help=what)
    group.addoption("--nip-ap-out", metavar="DIR", help="write the reports into this folder")
    group.addoption(
        "--nip-ap-baseline", metavar="FILE", help="known failures (TOML) that do not fail the run"
    )
    group.addoption(
        "--nip-ap-timeout",
        metavar="SECONDS",
        type=float,
        default=8.0,
        help="how long the relay may take for one answer",
    )
    group.addoption(
        "--nip-ap-repeat", metavar="N", type=int, default=1, help="run each check N times"
    )
    group.addoption(
        "--nip-ap-examples",
        metavar="N",
        type=int,
        default=50,
        help="sequences that the state machine tries",
    )
    group.addoption("--nip-ap-kills", metavar="N", type=int, default=2, help="kills of AP-DUR-01")
    for one in OPTIONS:
        group.addoption(
            f"--nip-ap-{one.name}",
            metavar=one.metavar,
            action="append" if one.many else "store",
            default=[] if one.many else None,
            help=one.help.replace("%", "%%"),
            **({} if one.many else {"type": one.type}),
        )
    group.addoption(
        "--nip-ap-migrator",
        metavar="CMD",
        default="",
        help="test this migrator too: 'tool --base {base} --relay {relay} --key {key}'",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Hand over to the session, if asked to."""
    if not config.getoption("nip_ap"):
        return
    from nip_ap.clients import fixtures as migration_fixtures
    from nip_ap.engine import fixtures
    from nip_ap.engine.controller import SuiteController
    from nip_ap.engine.worker import SuiteWorker

    config.addinivalue_line(
        "markers", "nip_ap_clause(*ids, needs=()): the clauses that a check judges"
    )
    config.pluginmanager.register(fixtures, "nip_ap_fixtures")
    config.pluginmanager.register(migration_fixtures, "nip_ap_migration_fixtures")
    worker = hasattr(config, "workerinput")
    if not worker and not config.pluginmanager.hasplugin("nip_ap_controller"):
        config.pluginmanager.register(SuiteController.from_options(config), "nip_ap_controller")
    config.pluginmanager.register(SuiteWorker(config), "nip_ap_worker")
