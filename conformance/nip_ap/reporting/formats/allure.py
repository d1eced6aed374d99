"""Results that Allure reads, in a folder of their own (--alluredir); needs the extra `allure`."""

from __future__ import annotations

from pathlib import Path

from nip_ap.model.report import Report
from nip_ap.reporting.formats import Format


def write_allure(report: Report, folder: Path) -> None:
    """A result per check, the environment and the categories; others in the folder stay."""
    from nip_ap.reporting.allure_results import write_results  # Allure's writers take their time

    write_results(report, folder)


FORMAT = Format(
    "allure",
    "Allure (`--alluredir`)",
    ("*-result.json", "*-attachment.txt", "environment.properties", "categories.json"),
    write_allure,
    on_request=True,
)
