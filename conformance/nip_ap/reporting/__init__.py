"""Reports: composed from a run or read from files, compared, collected, written in every format.

No renderer computes a verdict.
"""

from nip_ap.model.report import Report, TargetName
from nip_ap.reporting.composing import report_of
from nip_ap.reporting.formats import write_reports
from nip_ap.reporting.reading import ReportUnreadable, read_report

__all__ = [
    "Report",
    "ReportUnreadable",
    "TargetName",
    "read_report",
    "report_of",
    "write_reports",
]
