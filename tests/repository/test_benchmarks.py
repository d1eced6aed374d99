"""The benchmarks: the driver measures what it says, the page is made of nothing but results."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from benchmarks import bars, driver, page
from benchmarks.events import signed
from benchmarks.sink import sink

from nip_ap.targets import BundledTarget


@pytest.fixture(scope="module")
def relay():
    target = BundledTarget(("--open",))
    target.start()
    yield target.url
    target.stop()


@pytest.fixture(scope="module")
def events():
    return signed(60)


def test_what_was_published_one_by_one_can_be_read(relay, events):
    published = uvloop.run(driver.publish_one_by_one(relay, events[:10], 10))
    assert published.count == 10
    assert 0 < published.median <= published.p99
    read, empty = uvloop.run(driver.read_one_by_one(relay, events[:10], 10))
    assert (read.count, empty) == (10, 0)
    read, empty = uvloop.run(driver.read_one_by_one(relay, signed(2, first=900_000), 10))
    assert (read.count, empty) == (2, 2)


def test_a_pipeline_ends_with_its_events_or_with_its_time(relay, events):
    answered = uvloop.run(driver.publish_pipelined(relay, events[10:40], window=8, seconds=10))
    assert len(answered) == 30
    assert answered == sorted(answered)
    with sink() as url:
        cut = uvloop.run(driver.publish_pipelined(url, signed(6000), window=8, seconds=0.02))
    assert 0 < len(cut) < 6000


def test_a_refused_event_is_no_figure(relay):
    (event,) = signed(1, first=50)
    broken = event.__class__(event.frame.replace('"kind":30175', '"kind":1'), "", "")
    with pytest.raises(driver.RelayFailed, match="refused"):
        uvloop.run(driver.publish_pipelined(relay, [broken], window=1, seconds=5))


def test_every_delivery_is_counted(relay, events):
    assert uvloop.run(driver.fan_out(relay, events[40:], listeners=5, window=4)) > 0


def test_a_delivery_that_is_missing_is_no_figure(monkeypatch, events):
    monkeypatch.setattr(driver, "_ANSWER_LIMIT", 0.3)
    with (
        sink(swallow=10) as url,
        pytest.raises(driver.RelayFailed, match=r"\d+ of 100 live deliveries"),
    ):
        uvloop.run(driver.fan_out(url, events[40:], listeners=5, window=4))


# -- bars and page ------------------------------------------------------------------


def figure(value):
    return {"median": value, "least": value * 0.9, "most": value * 1.1}


def row(name, storage, pace, *, late=100.0):
    return {
        "relay": name,
        "storage": storage,
        "note": "a note",
        "ours": name == "bundled",
        "publish to OK, median ms": figure(0.4),
        "publish to OK, p99 ms": figure(1.4),
        "REQ to EOSE, median ms": figure(0.3),
        "REQ to EOSE, p99 ms": figure(0.9),
        "pipelined events/s": figure(pace),
        "fan-out deliveries/s": figure(20_000),
        "reads that were empty": 0,
        "filled": {
            "events": 100_000,
            "memory MiB": 120.5,
            "failure": "",
            "early": {"events/s": pace, "us an event": 100.0},
            "late": {"events/s": pace, "us an event": late},
        },
    }


RELAYS = [
    row("bundled", "memory", 9000),
    row("nostr-sdk", "memory", 16000),
    row("bundled", "disk", 6000, late=118.0),
    row("nostr-sdk", "disk", 600),
    row("nostr-relay-lmdb", "disk", 2500),
]


def test_every_bar_is_a_ratio_of_one_run():
    reached = {bar.what: (bar.reached, bar.holds) for bar in bars.bars(RELAYS)}
    assert reached["in memory, against nostr-sdk in memory"] == (0.56, True)
    assert reached["on disk, against nostr-relay on LMDB"] == (2.4, True)
    assert reached["on disk, against nostr-sdk on LMDB"] == (10.0, True)
    assert reached["on disk, cost of an event at 1,000 heads against 100,000"] == (0.85, True)
    slow = copy.deepcopy(RELAYS)
    slow[0]["pipelined events/s"]["median"] = 7000
    slow[0]["filled"]["late"]["us an event"] = 125.0
    failed = [bar.what for bar in bars.bars(slow) if not bar.holds]
    assert [what.partition(",")[2].split()[0] for what in failed] == ["against", "cost"]


def test_the_page_shows_each_result(tmp_path):
    pytest.importorskip("matplotlib", reason="the plot needs the extra `bench`")
    machine = {
        "date": "2026-01-01",
        "cores": 2,
        "processor": "a processor",
        "python": "3.11",
        "sqlite": "3.40",
        "rounds": 3,
        "load at the start": 0.1,
    }
    suite = [
        {"relay": "bundled", "workers": {"1": {"seconds": 9, "checks": 379, "ms a check": 24}}}
    ]
    page.write({"machine": machine, "relays": RELAYS, "suite": suite}, tmp_path)
    text = (tmp_path / "benchmarks.md").read_text()
    assert "| nostr-sdk, memory | 0.40 / 1.40 | 16,000 (14,400-17,600) | 1.78 |" in text
    assert "| bundled | 379 | 9.0 s, 24 ms |" in text
    assert (tmp_path / page.PLOT).read_text().startswith("<?xml")
