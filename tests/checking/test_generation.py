"""Generated values depend on the seed, and on nothing that is loaded beside the suite."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis.internal.conjecture import providers

from nip_ap.checking.generation import by_the_seed_alone

SHOW = """
import sys
sys.path.insert(0, {folder!r})
{more}
from hypothesis import strategies
from nip_ap.scenario import examples
print(examples(strategies.integers(0, 10**9), 300, 7))
"""


def shown(folder, more):
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(folder=str(folder), more=more)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_another_module_beside_the_suite_changes_no_value(tmp_path):
    module = tmp_path / "mine.py"
    module.write_text("".join(f"A{n} = {n * 7919 + 70_001}\n" for n in range(200)))
    values = shown(tmp_path, "import mine")
    assert values == shown(tmp_path, "")
    assert values == shown(tmp_path, "import nip_ap.certificate.verifying, nip_ap.cli")


@pytest.mark.skipif(
    not hasattr(providers, "_get_local_constants"), reason="a Hypothesis without such constants"
)
def test_afterwards_hypothesis_is_as_it_was():
    original = providers._get_local_constants
    with by_the_seed_alone():
        assert providers._get_local_constants is not original
    assert providers._get_local_constants is original
