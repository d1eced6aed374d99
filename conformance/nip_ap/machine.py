"""Running a Hypothesis state machine as a check: seeded, bounded, its counterexample as steps."""

from __future__ import annotations

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from nip_ap.check import Check
from nip_ap.evidence import Broken, Inconclusive

STEPS = 8


def run_machine(machine: type[RuleBasedStateMachine], check: Check) -> None:
    """Play sequences against the relay; raise what the shrunk one raised.

    The budget is the run's --examples. The transcript holds the last sequence alone, which for a
    failure is the shrunk one.
    """
    settings = check.surface.context.settings
    phases = [Phase.generate, Phase.shrink] if settings.shrink else [Phase.generate]
    seeded = hypothesis.seed(int(check.seed[:12], 16))(machine)
    bounded = hypothesis.settings(
        max_examples=settings.examples,
        stateful_step_count=STEPS,
        phases=phases,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seeded, settings=bounded)
    except FlakyFailure as flaky:
        raise _first_broken(flaky) from flaky


def _first_broken(flaky: FlakyFailure) -> BaseException:
    """What a sequence broke that held when it was played again: it broke all the same."""
    broken = [one for one in flaky.exceptions if isinstance(one, Broken)]
    if not broken:
        return Inconclusive(f"the relay answered one sequence in two ways: {flaky}")
    return Broken(broken[0].expected, f"{broken[0].seen}; played again, it held")
