"""What is said of mutants in the end: which survived, why, and whether enough were killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.mutation.mutants import Mutant

BAR = 0.9

Reasons = Mapping[tuple[str, str], str]
"""Why mutants are equivalent, by source line and change."""


def tell_of_survivor(one: Mutant, reasons: Reasons) -> None:
    """Print a mutant that lives, and its reason."""
    reason = reasons.get((one.source, one.change), "NOT EXPLAINED")
    where = f"{one.module}:{one.line}"
    print(
        f"survived  {where}: {one.change:<16} {one.source}\n          {reason}",
        flush=True,
    )


def conclude(
    every: Sequence[Mutant],
    survivors: Sequence[Mutant],
    reasons: Reasons,
    killers: str,
    seconds: float,
) -> int:
    """Print the figures; the exit code is 0 where BAR is reached and every survivor explained."""
    unexplained = [one for one in survivors if (one.source, one.change) not in reasons]
    ratio = 1 - len(survivors) / len(every)
    print(
        f"{len(every)} mutants, {len(every) - len(survivors)} killed by {killers} ({ratio:.1%}), "
        f"{len(survivors)} survived, {len(unexplained)} without a reason ({seconds:.0f} s)"
    )
    return 0 if ratio >= BAR and not unexplained else 1
