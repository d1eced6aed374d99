"""Reading reports in tests."""

from __future__ import annotations


def verdicts(report):
    """The verdict of each check of a report."""
    return {check["id"]: check["verdict"] for check in report["checks"]}
