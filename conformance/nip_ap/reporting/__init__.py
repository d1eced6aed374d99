"""Reports: one result model in, formats out. No renderer computes a verdict."""

from nip_ap.reporting.files import FORMATS, ReportFormat, write_reports
from nip_ap.reporting.model import Report, report_of

__all__ = ["FORMATS", "Report", "ReportFormat", "report_of", "write_reports"]
