"""Reports: one result model in, formats out. No renderer computes a verdict.

Importing this package registers every format: each module below brings its own.
"""

from nip_ap.model.report import Report, ReportUnreadable, TargetName, read_report, report_of
from nip_ap.reporting.formats.badge import badge_of
from nip_ap.reporting.formats.files import FORMATS, ReportFormat, write_reports
from nip_ap.reporting.formats.page import html_of
from nip_ap.reporting.formats.summary import markdown_of

__all__ = [
    "FORMATS",
    "Report",
    "ReportFormat",
    "ReportUnreadable",
    "TargetName",
    "badge_of",
    "html_of",
    "markdown_of",
    "read_report",
    "report_of",
    "write_reports",
]
