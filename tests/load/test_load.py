"""The load: what it sends, what it notices, its processes - and AP-ROB-06 in earnest."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import jsonschema
import orjson
import pytest

from nip_ap.checking.preflight import probe
from nip_ap.engine.preparation import bundled_target
from nip_ap.engine.runner import run_pytest
from nip_ap.load import SMALL, Outcome, Shape
from nip_ap.load.generator import Task
from nip_ap.load.processes import GeneratorFailed, perform
from nip_ap.load.script import writes
from nip_ap.model.clauses import NOVEMBER, register
from nip_ap.model.greeting import SILENT
from nip_ap.model.report import TargetName
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict
from nip_ap.nostr import Event, SecretKey
from nip_ap.proof.session import ProofController
from nip_ap.reporting import report_of, write_reports
from nip_ap.resources import resource

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from benchmarks.sink import sink

KEY = SecretKey.derived("load")
NOW = 1_800_000_000
FEW = Shape(publishers=4, subscribers=3, events=40, seconds=20.0, processes=1)


def tasks(url, shape, **options):
    return [
        Task(
            url=url,
            secret=KEY.secret_hex(),
            base="load",
            now=NOW,
            shape=shape,
            publishers=tuple(range(number, shape.publishers, shape.processes)),
            subscribers=tuple(range(number, shape.subscribers, shape.processes)),
            greeting=SILENT,
            **{"answer_limit": 1.0, **options},
        )
        for number in range(shape.processes)
    ]


def outcome(url, shape=FEW):
    return Outcome(shape, perform(tasks(url, shape)))


# -- the script ------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape",
    [SMALL, FEW, Shape.full(64, 16, 6400, 20.0), Shape(3, 1, 1, 1.0, 1), Shape(1, 1, 700, 1.0, 1)],
    ids=lambda shape: f"{shape.publishers} publish {shape.events}",
)
def test_a_publisher_writes_each_persona_in_turn_near_now_and_never_twice_in_one_second(shape):
    script = list(writes(KEY, shape, "load", 2, NOW))
    assert len(script) == shape.each
    assert len({(write.slug, write.created_at) for write in script}) == len(script)
    by_slug = Counter(write.slug for write in script)
    assert len(by_slug) == min(shape.addresses, shape.each)
    assert max(by_slug.values()) - min(by_slug.values()) <= 1
    assert all(abs(write.created_at - NOW) < 60 for write in script)
    newest = {write.slug: write.created_at for write in sorted(script, key=lambda w: w.created_at)}
    assert newest == {write.slug: write.created_at for write in script}, "the last one is the head"
    event = Event.from_json(script[-1].event)
    assert event.problems == ()
    assert (event.id, event.slug) == (script[-1].id, script[-1].slug)


def test_the_same_seed_and_clock_give_the_same_bytes():
    first, second = (list(writes(KEY, FEW, "load", 1, NOW)) for _ in range(2))
    assert [write.frame for write in first] == [write.frame for write in second]


def test_the_catalogues_load_writes_fifty_personas_a_connection_twice():
    shape = Shape.full(64, 16, 6400, 20.0)
    assert (shape.each, shape.addresses, shape.versions) == (100, 50, 2)


# -- what it notices ----------------------------------------------------------------


def test_a_relay_that_does_all_right_has_no_fault_but_that_it_keeps_nothing():
    with sink() as url:
        seen = outcome(url)
    assert len(seen.accepted) == 40
    assert (seen.undelivered, seen.unanswered, seen.lost) == ([], [], {})
    assert len(seen.heads) == 4 * FEW.addresses
    assert {one.what for one in seen.misread} == {"the read right after its OK gave nothing"}
    figures = seen.figures()
    assert (figures["sent"], figures["accepted"]) == (40, 40)
    timed = {one["operation"]: one["count"] for one in seen.latencies()}
    assert timed["publish to OK"] == 4 * (FEW.each - FEW.warm_up)
    assert timed["publish to live"] == 3 * timed["publish to OK"]


def test_a_delivery_that_never_comes_is_noticed_for_each_subscriber():
    with sink(swallow=10) as url:
        seen = outcome(url)
    assert len(seen.undelivered) == 4 * 3
    assert {fault.what.partition(" got ")[2] for fault in seen.undelivered} == {"it 0 times"}


def test_an_answer_that_never_comes_is_noticed_and_ends_its_publisher():
    with sink(mute=6) as url:
        seen = outcome(url)
    assert len(seen.unanswered) == 4
    assert len(seen.accepted) == 4 * 5
    assert not {write.slug for write in seen.unanswered} & set(seen.heads)


def test_time_ends_a_load_before_its_events_do():
    with sink() as url:
        seen = outcome(url, replace(FEW, events=400_000 // 50, seconds=0.05))
    assert 0 < len(seen.writes) < 8_000
    assert seen.undelivered == []


# -- processes --------------------------------------------------------------------


def test_two_processes_see_together_what_one_sees():
    with sink() as url:
        seen = outcome(url, replace(FEW, processes=2))
    assert len(seen.shares) == 2
    assert len(seen.accepted) == 40
    assert seen.listeners == 3
    assert seen.undelivered == []


def test_a_process_that_breaks_down_is_the_suites_own_fault():
    with sink() as url, pytest.raises(GeneratorFailed, match="secret key"):
        perform([replace(one, secret="zz") for one in tasks(url, replace(FEW, processes=2))])


def test_a_process_ends_with_the_one_that_started_it():
    with sink() as url:
        (task,) = tasks(url, FEW)
        process = subprocess.Popen(
            [sys.executable, "-m", "nip_ap.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        process.stdin.write(orjson.dumps(task.to_json()) + b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"ready 0\n"
        process.stdin.close()
        assert process.wait(10) == 1
        process.stdout.close()


# -- the check --------------------------------------------------------------------


def test_a_load_in_earnest_on_the_bundled_relay(tmp_path):
    words = ["--load", "--publishers", "6", "--subscribers", "3", "--load-events", "120"]
    done = subprocess.run(
        [sys.executable, "-m", "nip_ap", "run", "--only", "AP-ROB-06", "--json", *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    schema = json.loads(resource("reports/report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(report)
    (check,) = report["checks"]
    assert check["verdict"] == "pass"
    load = check["facts"]["load"]
    assert (load["publishers"], load["subscribers"], load["accepted"]) == (6, 3, 120)
    assert [one["operation"] for one in check["facts"]["latency"]] == [
        "publish to OK",
        "publish to live",
        "REQ to EOSE",
    ]
    assert "EVENT to OK" not in [one["operation"] for one in report["latency"]]


def test_the_small_load_can_be_judged_again_from_its_transcript(tmp_path):
    """Without a relay: what a certificate stands on."""
    settings = Settings(seed="again", spec=NOVEMBER, only=("AP-ROB-06",), keep_all_frames=True)
    target = bundled_target(settings)
    target.start()
    try:
        subject = Subject("", target.url, probe(target.url, settings, {}), True, ("load",))
        controller = ProofController(settings, [subject])
        run_pytest(controller, 1)
        (run,) = controller.runs()
    finally:
        target.stop()
    write_reports(
        report_of(run, register(), started=0.0, seconds=1.0, target=TargetName(), workers=1),
        tmp_path,
    )
    again = ProofController(settings, [subject])
    again.context = replace(again.context, evidence=str(tmp_path))
    run_pytest(again, 1)
    (judged,) = again.runs()
    (first,), (second,) = run.results, judged.results
    assert (first.verdict, second.verdict) == (Verdict.PASS, Verdict.PASS), second.reason
    assert second.facts == first.facts
