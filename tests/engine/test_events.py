"""What the engine emits: a start, a result for each check, an end, whoever listens."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import nip_ap
from nip_ap.engine.preparation import bundled_recipe
from nip_ap.engine.runner import NothingSelected, Order, run_suite
from nip_ap.model.delivery import Delivery
from nip_ap.model.events import CheckFinished, RunFinished, RunGoesOn, RunStarted
from nip_ap.model.settings import Settings
from nip_ap.nostr import SecretKey

PACKAGE = Path(nip_ap.__file__).parent


def order_of(*only: str, workers: str = "1") -> Order:
    settings = Settings(seed=SecretKey.fresh().pubkey[:8], only=only, spec="2026-11")
    return Order(settings, bundled_recipe(settings), Delivery(workers=workers))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_is_told_from_its_start_over_each_check_to_its_end(workers):
    events: list[object] = []
    code = run_suite(order_of("AP-SLUG-01", "AP-SLUG-02", workers=workers), [events.append])
    # A line of progress comes every ten seconds; on a machine with other work that may be here.
    start, *checks, end = [one for one in events if not isinstance(one, RunGoesOn)]
    assert isinstance(start, RunStarted)
    assert isinstance(end, RunFinished)
    assert start.kind == "bundled"
    assert all(isinstance(one, CheckFinished) for one in checks)
    assert sorted(one.result.check for one in checks) == sorted(end.run.manifest)
    assert {one.expected for one in checks} == {len(end.run.manifest)}
    assert sorted(one.id for one in end.report.checks) == sorted(end.run.manifest)
    assert code == 0


def test_every_listener_hears_the_same_in_turn():
    heard: list[tuple[str, object]] = []
    listeners = [lambda event, name=name: heard.append((name, event)) for name in "ab"]
    run_suite(order_of("AP-SLUG-01"), listeners)
    assert [event for name, event in heard if name == "a"] == [
        event for name, event in heard if name == "b"
    ]
    assert [name for name, _ in heard] == ["a", "b"] * (len(heard) // 2)


def test_a_run_that_certainly_selects_nothing_is_not_begun():
    events: list[object] = []
    with pytest.raises(NothingSelected):
        run_suite(order_of("AP-NOWHERE-01"), [events.append])
    assert events == []


def test_a_run_that_selected_nothing_is_not_told_as_finished():
    events: list[object] = []
    with pytest.raises(NothingSelected):
        run_suite(order_of("AP-SLUG-01/*[[]no such variant]"), [events.append])
    assert [type(one) for one in events] == [RunStarted]


def test_no_module_imports_a_private_name_of_another():
    private = [
        f"{module.relative_to(PACKAGE)}: {node.module}.{one.name}"
        for module in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nip_ap")
        for one in node.names
        if one.name.startswith("_") and not one.name.startswith("__")
    ]
    assert private == []
