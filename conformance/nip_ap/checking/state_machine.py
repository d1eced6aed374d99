"""Running a Hypothesis state machine as a check: seeded, bounded, its counterexample as steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.errors import Flaky, FlakyFailure
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from nip_ap.checking.check import Check
from nip_ap.checking.generation import by_the_seed_alone
from nip_ap.model.judgement import Broken, Ending, Inconclusive

STEPS = 10


class _Aborted(BaseException):
    """What Hypothesis neither shrinks nor plays again: the relay does not cooperate."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(str(ending))
        self.ending = ending


@contextmanager
def asking() -> Iterator[None]:
    """Around what a step asks of the relay: where that cannot be decided, no sequence can.

    A refused read or a lost connection would else be shrunk like a wrong answer.
    """
    try:
        yield
    except Ending as ending:
        if ending.verdict.is_undecided:
            raise _Aborted(ending) from ending
        raise


def run_machine(
    machine: type[RuleBasedStateMachine], check: Check, broken: Sequence[Broken] = ()
) -> None:
    """Play sequences against the relay; raise what the shrunk one raised.

    `broken` is where the machine puts what it is about to raise: where a sequence cannot even be
    replayed, the first of these is raised.

    The budget is the run's --examples. The transcript holds the last sequence alone, which for a
    failure is the shrunk one.
    """
    settings = check.surface.context.settings
    phases = [Phase.generate, Phase.shrink] if settings.shrink else [Phase.generate]
    seeded = hypothesis.seed(check.generation_seed)(machine)
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
        with by_the_seed_alone():
            run_state_machine_as_test(seeded, settings=bounded)
    except _Aborted as aborted:
        raise aborted.ending from None
    except FlakyFailure as flaky:
        raise _first_broken(flaky) from flaky
    except Flaky as flaky:
        raise _again(broken[0]) if broken else _in_two_ways(flaky) from flaky


def _first_broken(flaky: FlakyFailure) -> BaseException:
    """What a sequence broke that held when it was played again: it broke all the same."""
    broken = [one for one in flaky.exceptions if isinstance(one, Broken)]
    return _again(broken[0]) if broken else _in_two_ways(flaky)


def _again(broken: Broken) -> Broken:
    return Broken(broken.expected, f"{broken.seen}; played again, it held")


def _in_two_ways(flaky: Flaky) -> Inconclusive:
    return Inconclusive(f"the relay answered one sequence in two ways: {flaky}")
