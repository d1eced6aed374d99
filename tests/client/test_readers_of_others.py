"""Whole runs against other people's readers: each red has an explanation, and each MUST is met
by the example that says so."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve()
EXAMPLE = HERE.parents[2] / "examples" / "reader" / "read.mjs"
NODE = shutil.which("node")

EXPLAINED = {
    "AP-READER-05": "it sorts by date alone, so that a tie goes to whatever came last",
    "AP-READER-06": "the library does not hold events against the filter unless told to",
    "AP-READER-07": "nor their kinds",
    "AP-READER-09": "it takes the first `d` tag, or none, for the slug",
    "AP-READER-10": "it knows no grammar of slugs",
    "AP-READER-11": "one content that is not JSON ends the program",
    "AP-READER-14": "it never asks for kind 5",
    "AP-READER-15": "a kind 5 that comes uncalled for has a content that is not JSON",
    "AP-READER-17": "it asks for one page",
    "AP-READER-18": "the library does not ask again after CLOSED",
    "AP-READER-19": "the library gives an empty list for a request that was closed",
    "AP-READER-23": "the library gives what came before the cut, and says nothing",
    "AP-WRITER-12": "it takes every content for a persona",
}
"""What a reader in 30 lines on nostr-sdk 0.45 breaks, and why."""


def red_clauses(command: str, out: Path, *more: str) -> dict[str, str]:
    """The clauses that are red for a reader, with their levels. Nothing may be undecided."""
    argv = [sys.executable, "-m", "nip_ap", "run", "--reader", command, "--out", str(out), *more]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr
    checks = json.loads((out / "report.json").read_bytes())["checks"]
    assert {one["verdict"] for one in checks} <= {"pass", "fail", "warn", "not applicable"}
    return {
        clause: one["level"]
        for one in checks
        if one["verdict"] in ("fail", "warn")
        for clause in one["clauses"]
    }


@pytest.mark.slow
def test_each_red_of_a_reader_on_nostr_sdk_is_explained(tmp_path: Path) -> None:
    pytest.importorskip("nostr_sdk")
    command = f"{sys.executable} {HERE.with_name('sdk_reader.py')} {{relay}} {{owner}}"
    assert sorted(red_clauses(command, tmp_path)) == sorted(EXPLAINED)


@pytest.mark.slow
@pytest.mark.skipif(NODE is None, reason="there is no node")
def test_the_example_in_node_meets_every_must(tmp_path: Path) -> None:
    command = f"node --experimental-websocket {EXAMPLE} {{relay}} {{owner}}"
    red = red_clauses(command, tmp_path)
    assert [clause for clause, level in red.items() if level == "MUST"] == []


@pytest.mark.slow
def test_our_own_reader_passes_all(tmp_path: Path) -> None:
    command = (
        "nip-ap personas --relay {relay} --owner {owner} --slug {slug} --key-file {key} --json"
    )
    assert red_clauses(command, tmp_path) == {}


@pytest.mark.slow
def test_the_proof_of_readers_holds() -> None:
    from nip_ap.proof.command import Order, prove

    stream = io.StringIO()
    assert prove(Order("reader", (), "auto", "tests"), stream) == 0, stream.getvalue()
