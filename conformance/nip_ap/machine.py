"""Running a Hypothesis state machine as a check: seeded, bounded, its counterexample as steps."""

from __future__ import annotations

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from nip_ap.check import Check

STEPS = 8


def run_machine(machine: type[RuleBasedStateMachine], check: Check) -> None:
    """Play sequences against the relay; raise what the shrunk one raised.

    The budget is the run's --examples. The transcript holds the last sequence alone, which for a
    failure is the shrunk one.
    """
    settings = check.surface.context.settings
    phases = [Phase.generate, Phase.shrink] if settings.shrink else [Phase.generate]
    seeded = hypothesis.seed(int(check.seed[:12], 16))(machine)
    run_state_machine_as_test(
        seeded,
        settings=hypothesis.settings(
            max_examples=settings.examples,
            stateful_step_count=STEPS,
            phases=phases,
            deadline=None,
            database=None,
            print_blob=False,
            report_multiple_bugs=False,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        ),
    )
