"""A result in pytest's words: outcomes, and the two sides of a failed comparison."""

from __future__ import annotations

import pytest

from nip_ap.model.baseline import Baseline
from nip_ap.model.judgement import ScenarioMistake
from nip_ap.model.result import Result
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.legible import on_one_line, visible

RESULT = "nip_ap.result"


def briefly(error: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
    """What went wrong, for a report that says no more of it."""
    return str(error.value)


def plain(error: BaseException | None) -> BaseException | None:
    """pytest's own skip and fail have no place in a scenario."""
    if isinstance(error, (pytest.skip.Exception, pytest.fail.Exception, pytest.xfail.Exception)):
        return ScenarioMistake(
            f"a scenario must not call pytest.{type(error).__name__.lower()}: raise NotApplicable, "
            "Inconclusive or Broken instead"
        )
    return error


def dress(
    report: pytest.TestReport, item: pytest.Item, result: Result, baseline: Baseline | None
) -> None:
    """pytest's outcome: fail, inconclusive and error fail; warn passes; not applicable skips.

    A failure that the baseline knows of is an expected one.
    """
    known = baseline.covering(result) if baseline is not None else None
    if known is not None and result.verdict is not Verdict.WARN:
        report.outcome = "skipped"
        report.wasxfail = f"known: {known.reason}"
        report.longrepr = None
        return
    if result.verdict.is_met:
        report.outcome = "passed"
        report.longrepr = None
    elif result.verdict is Verdict.NOT_APPLICABLE:
        path, line, _ = item.location
        report.outcome = "skipped"
        report.longrepr = (path, line or 0, f"not applicable: {result.reason}")
    else:
        report.outcome = "failed"
        title = f"{result.verdict}: {', '.join(result.clauses)} ({result.level})"
        report.longrepr = f"{title}\n{visible(result.reason)}\n" + "\n".join(
            f"  {frame.at:8.3f}  {frame.who} {frame.direction}: {on_one_line(frame.text[:300])}"
            for frame in result.frames[-8:]
        )
