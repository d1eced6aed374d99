"""What others may give the suite: tampered certificates and hostile relays, in time and memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from benchmarks.driver import shared_memory_of_tree

from tests.certificate.conftest import Copy
from tests.certificate.tampering import tamperings
from tests.hostile.serving import serving
from tests.hostile.test_hostile_relays import ENDINGS, MEMORY_LIMIT, TIME_LIMIT, run_on
from tests.hostile.vices import VICES
from tests.soak.table import Finding, Part, Soak
from tests.whole_run import ISSUER, whole_run_below

_VERIFY_SECONDS, _VERIFY_MEGABYTES = 30.0, 300.0
_GRACE = 10.0
"""Seconds for a process to start and to end, on a busy machine."""


def tampered(soak: Soak) -> Finding:
    """Certificates that were tampered with and signed again, each verified by the command."""
    whole = whole_run_below(soak.folder)
    if whole.code != 0:
        raise RuntimeError(f"the run to be certified ended with {whole.code}: {whole.out[-300:]}")
    chosen = Random(soak.seed).sample(list(tamperings()), soak.share(60, 3))
    believed, slowest, most = [], 0.0, 0.0
    for number, one in enumerate(chosen):
        folder = soak.folder / f"copy-{number}"
        shutil.copytree(whole.report, folder, copy_function=os.link)
        one.apply(Copy(folder, ISSUER))
        code, seconds, megabytes = _verified(folder)
        slowest, most = max(slowest, seconds), max(most, megabytes)
        if code != 1:
            believed.append(one.name)
        shutil.rmtree(folder)
    return Finding(
        f"{len(chosen)} kinds of tampering with a certified run",
        f"{len(believed)} not refused{': ' if believed else ''}{', '.join(believed)}; at most "
        f"{slowest:.1f} s and {most:.0f} MiB",
        f"all refused; {_VERIFY_SECONDS:.0f} s, {_VERIFY_MEGABYTES:.0f} MiB",
        not believed and slowest < _VERIFY_SECONDS + _GRACE and most < _VERIFY_MEGABYTES,
    )


def _verified(folder: Path) -> tuple[int, float, float]:
    """`nip-ap verify` on a folder: exit code, seconds, memory of all its processes in MiB."""
    words = ["verify", str(folder / "certificate.json"), "--report", str(folder), "-n", "1"]
    began, most = time.monotonic(), 0.0
    process = subprocess.Popen(
        [sys.executable, "-m", "nip_ap", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        most = max(most, shared_memory_of_tree(process.pid))
        time.sleep(0.05)
    return process.returncode, time.monotonic() - began, most


def hostile(soak: Soak) -> Finding:
    """Runs on relays that do harm: each ends, in bounded memory and without a traceback."""
    chosen = Random(soak.seed).sample(sorted(VICES), soak.share(60, 2))
    wrong, slowest, most = [], 0.0, 0.0
    for name in chosen:
        (soak.folder / name).mkdir()
        with serving(name) as url:
            ended = run_on(url, soak.folder / name / "out", "-n", "2")
        slowest, most = max(slowest, ended.seconds - ended.own), max(most, ended.megabytes)
        if ended.code not in ENDINGS or "Traceback" in ended.output:
            wrong.append(name)
    return Finding(
        f"a whole run on each of {len(chosen)} hostile relays",
        f"{len(wrong)} ended wrongly{': ' if wrong else ''}{', '.join(wrong)}; at most "
        f"{slowest:.0f} s beside the checks' own, {most:.0f} MiB",
        f"none; {TIME_LIMIT:.0f} s, {MEMORY_LIMIT:.0f} MiB",
        not wrong and slowest < TIME_LIMIT and most < MEMORY_LIMIT,
    )


PARTS = (Part("tamperings", tampered), Part("hostile relays", hostile))
