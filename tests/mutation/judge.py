"""`python -m tests.mutation.judge`: kill mutants of what judges, with the tests of values alone.

The judge decides what a relay is told: evidence, claims, verdicts, the run, and the model relay
that is read beside every generated read. Each mutant is imported in place of its module in a
process of its own, and the tests run until one fails. A survivor needs a reason in
equivalent_judge.toml, by line and change. Exit 0 where at least 90 % were killed and every survivor
is explained. A name of a module as argument takes that one alone.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import signal
import sys
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutation.accounts import conclude, tell_of_survivor
from tests.mutation.mutants import Mutant, mutants_of

JUDGE = {
    "nip_ap.checking.comparison": "tests/checking/test_comparison.py",
    "nip_ap.checking.evidence": "tests/checking/test_evidence.py",
    "nip_ap.checking.model_relay": "tests/checking/test_model_relay.py",
    "nip_ap.model.judgement": "tests/model/test_judgement.py",
    "nip_ap.model.result": "tests/model/test_runs.py",
    "nip_ap.model.revision": "tests/model/test_revision.py",
    "nip_ap.model.run": "tests/model/test_runs.py",
    "nip_ap.model.verdict": "tests/model/test_verdicts.py",
    "nip_ap.scenario": "tests/checking/test_claims.py",
}
"""Each module, and the tests that are most likely to fail: they run first."""

TESTS = (
    "tests/model/test_judgement.py",
    "tests/model/test_verdicts.py",
    "tests/model/test_runs.py",
    "tests/model/test_baseline.py",
    "tests/model/test_profile.py",
    "tests/model/test_revision.py",
    "tests/checking/test_claims.py",
    "tests/checking/test_comparison.py",
    "tests/checking/test_vocabulary.py",
    "tests/checking/test_evidence.py",
    "tests/checking/test_generation.py",
    "tests/checking/test_model_relay.py",
    "tests/proof/test_finding.py",
)
"""Tests that need no relay, or one in the same process."""

LONGEST = 120.0
"""Seconds for all tests; a mutant that never ends is killed by that."""

_ROOT = Path(__file__).parents[2]


class MutatedSource(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module's mutant to whoever imports the module."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._file = ""

    def find_spec(self, fullname, path=None, target=None):  # type: ignore[no-untyped-def]
        """The mutant for its module, nothing for others."""
        if fullname != self._mutant.module:
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert found is not None
        self._file = str(found.origin)
        return importlib.machinery.ModuleSpec(fullname, self, origin=found.origin)

    def exec_module(self, module):  # type: ignore[no-untyped-def]
        """Run the mutant's source as the module."""
        module.__file__ = self._file
        exec(compile(self._mutant.tree, self._file, "exec"), module.__dict__)


def is_killed(mutant: Mutant) -> bool:
    """Whether a test fails, cannot be collected, or never ends."""
    child = os.fork()
    if child == 0:
        os.setsid()  # what a test starts ends with it
        sys.meta_path.insert(0, MutatedSource(mutant))
        os._exit(_tests_fail(JUDGE[mutant.module]))
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _tests_fail(first: str) -> int:
    os.chdir(_ROOT)
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    try:
        import pytest

        rest = [one for one in TESTS if one != first]
        return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", first, *rest]) != 0)
    except BaseException:
        return 1


def explained() -> dict[tuple[str, str], str]:
    """Reasons why mutants are equivalent, by source line and change."""
    text = Path(__file__).with_name("equivalent_judge.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text).get("equivalent", [])
    return {(entry["source"], entry["change"]): entry["reason"] for entry in entries}


def main(arguments: Sequence[str]) -> int:
    """Run and report."""
    began = time.monotonic()
    modules = [one for one in JUDGE if not arguments or one in arguments]
    every = [one for module in modules for one in mutants_of(module)]
    reasons = explained()
    survivors = []
    with ThreadPoolExecutor(2) as pool:
        for one, dead in zip(every, pool.map(is_killed, every), strict=True):
            if not dead:
                survivors.append(one)
                tell_of_survivor(one, reasons)
    return conclude(every, survivors, reasons, "tests", time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
