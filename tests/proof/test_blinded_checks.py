"""Deleting the assertions of any one scenario makes `nip-ap prove` fail.

Ten checks are drawn at random and blinded together in a copy of the checkout; one proof over the
copy has to name each of them. NIP_AP_BLIND_SEED repeats a draw; the test prints what it drew.
"""

import json
import os
import random
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nip_ap.engine.declarations import declarations
from nip_ap.model.clauses import MUST, SHOULD, register
from nip_ap.proof.role import role_named
from tests.proof.blinding import blinded

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("conformance", "reference_relay", "reference_client")
NUMBER = 10


def drawn():
    seed = os.environ.get("NIP_AP_BLIND_SEED") or secrets.token_hex(4)
    known = register()
    judged = [
        one
        for one in declarations()
        if any(
            known[clause].level in (MUST, SHOULD) and not known[clause].no_rogue
            for clause in one.clauses
        )
        and known[one.clauses[0]].group in role_named("relay").groups
    ]
    return seed, random.Random(seed).sample(judged, NUMBER)


def copy_of_the_checkout(target):
    for name in (
        "conformance",
        "reference_relay",
        "reference_client",
        "scenarios",
        "fixtures",
        "reports",
    ):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def run_in(root, *words):
    paths = os.pathsep.join(
        str(root / name) for name in ("conformance", "reference_relay", "reference_client")
    )
    return subprocess.run(
        [sys.executable, "-c", "from nip_ap.cli import main; main()", *words],
        env=os.environ | {"PYTHONPATH": paths},
        cwd=root,
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )


def blind(root, declaration):
    file = root / declaration.file.relative_to(ROOT)
    file.write_text(blinded(file.read_text(), declaration.function))


@pytest.mark.slow
def test_ten_blinded_checks_are_all_noticed(tmp_path, capsys):
    seed, chosen = drawn()
    root = copy_of_the_checkout(tmp_path / "copy")
    for declaration in chosen:
        blind(root, declaration)
    reference = json.loads(run_in(root, "run", "--json", "--spec", "2026-11").stdout)
    undecided = {
        check["id"].partition("[")[0]
        for check in reference["checks"]
        if check["verdict"] not in ("pass", "not applicable")
    }
    for declaration in chosen:  # noticed by the control guard already; the others go to the proof
        if declaration.check_id() in undecided:
            file = declaration.file.relative_to(ROOT)
            shutil.copy(ROOT / file, root / file)
    for declaration in chosen:
        if declaration.check_id() not in undecided:
            blind(root, declaration)
    proof = run_in(root, "prove", "--json", "--cache", str(tmp_path / "cache"))
    complaints = " ".join(json.loads(proof.stdout)["complaints"])
    with capsys.disabled():
        print(f"\nblinded (seed {seed}): {', '.join(one.check_id() for one in chosen)}")
    unnoticed = [
        one.check_id()
        for one in chosen
        if one.check_id() not in undecided and one.check_id() not in complaints
    ]
    assert unnoticed == []
    assert proof.returncode == 1
