"""Reports: one result model in, formats out. No renderer computes a verdict."""

from nip_ap.reporting.files import FORMATS, ReportFormat, write_reports
from nip_ap.reporting.model import Report, ReportUnreadable, read_report, report_of

__all__ = [
    "FORMATS",
    "Report",
    "ReportFormat",
    "ReportUnreadable",
    "read_report",
    "report_of",
    "write_reports",
]
