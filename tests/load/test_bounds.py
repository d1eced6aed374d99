"""A load on a relay that does harm ends too, and so does one whose generator breaks down."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace

import pytest

from nip_ap.load import processes
from nip_ap.load.connection import Refused
from nip_ap.load.processes import GeneratorFailed, _whole_line, perform
from tests.hostile.serving import serving
from tests.load.test_load import FEW, outcome, tasks

URL = "ws://127.0.0.1:9"
TWO = replace(FEW, processes=2)


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.stdout.write('ready 0')",
        "import sys; sys.stdout.write('ready 0\\n'); sys.stdout.flush(); input(); print('publ')",
        "import sys; sys.stdout.write('refused the rel')",
        "raise SystemExit('it broke')",
        "print('share {\"writes\":')",
    ],
    ids=["no newline", "another word", "half a refusal", "an error", "the wrong stage"],
)
def test_a_line_that_is_not_whole_is_a_generator_that_failed(monkeypatch, program):
    monkeypatch.setattr(processes, "_WORKER", (sys.executable, "-c", program))
    with pytest.raises(GeneratorFailed, match=rf"generator on {URL} ended early"):
        perform(tasks(URL, TWO))


def test_a_generator_that_hangs_is_ended(monkeypatch):
    program = "import threading; threading.Event().wait()"
    monkeypatch.setattr(processes, "_WORKER", (sys.executable, "-c", program))
    monkeypatch.setattr(processes, "_SLACK", -1_000.0)
    with pytest.raises(GeneratorFailed, match="ended early"):
        perform(tasks(URL, TWO))


def test_a_relay_that_floods_its_subscribers_is_left():
    shape = replace(FEW, publishers=1, subscribers=1, events=2)
    with serving("live-events-without-an-end") as url:
        seen = outcome(url, shape)
    assert [reason for reason in seen.lost.values() if reason.startswith("the relay floods")]


@pytest.mark.parametrize("name", ["hangs-up-at-once", "upgrades-and-resets", "wrong-accept"])
def test_a_relay_that_cannot_be_loaded_refuses(name):
    with serving(name) as url, pytest.raises(Refused):
        outcome(url)


def test_a_line_is_read_to_its_end_though_the_pipe_is_empty_meanwhile():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    parts = [b"share " + b"x" * 40_000, b"y" * 40_000, b"\n"]

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for part in parts:
                pipe.write(part)

    writer = threading.Timer(0.05, write)
    writer.start()
    with os.fdopen(reading, "rb") as pipe:
        assert _whole_line(pipe) == b"".join(parts)
    writer.join()


def test_a_line_that_is_cut_off_stays_so():
    reading, writing = os.pipe()
    os.write(writing, b"share x")
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert _whole_line(pipe) == b"share x"
