"""One pytest session that runs checks on several subjects: the proof's only use of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from nip_ap.engine.controller import SuiteController
from nip_ap.engine.declarations import declarations
from nip_ap.engine.runner import run_pytest
from nip_ap.model.check_id import CheckId
from nip_ap.model.clauses import register
from nip_ap.model.events import CheckFinished, Listener, RunEvent
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.proof.role import ProofBroken
from nip_ap.targets.scratch import vanishing_folder

_CHECKS_A_WORKER = 30
"""Below so many, another process costs more than it saves."""


class ProofController(SuiteController):
    """A controller whose subjects run already."""

    def __init__(self, settings: Settings, subjects: Sequence[Subject]) -> None:
        super().__init__(settings, {})
        board = str(self._stack.enter_context(vanishing_folder()))
        self.context = Context(settings, tuple(subjects), board=board)


def run_checks(
    settings: Settings,
    subjects: Sequence[Subject],
    files: Sequence[Path],
    workers: int,
    on_result: Callable[[Result, int], None] | None = None,
) -> list[Run]:
    """Run the checks of some scenario files that the subjects want, a run for each subject.

    Raises ProofBroken where none can be collected.
    """
    controller = ProofController(settings, subjects)
    if on_result is not None:
        controller.listeners = (_results_to(on_result),)
    printed = run_pytest(controller, workers, files=files)
    runs = controller.runs()
    if not any(run.manifest for run in runs):
        raise ProofBroken(f"no check could be collected:\n{printed}")
    return runs


def _results_to(on_result: Callable[[Result, int], None]) -> Listener:
    def listener(event: RunEvent) -> None:
        if isinstance(event, CheckFinished):
            on_result(event.result, event.expected)

    return listener


def files_of_groups(groups: frozenset[str]) -> list[Path]:
    """The scenario files whose checks are about these groups of clauses."""
    known = register()
    found = {
        one.file
        for one in declarations()
        if any(known[clause].group in groups for clause in one.clauses)
    }
    return sorted(found)


def files_of_checks(checks: Sequence[str]) -> list[Path]:
    """The scenario files that hold these checks."""
    wanted = {str(CheckId.read(check).declared) for check in checks}
    return sorted({one.file for one in declarations() if one.check_id() in wanted})


def workers_for(checks: int, most: int) -> int:
    """How many processes that many checks are worth."""
    return max(1, min(most, checks // _CHECKS_A_WORKER))
