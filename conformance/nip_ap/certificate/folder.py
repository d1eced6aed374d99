"""The folder of a certified run, compared with the certificate: files, digests, report and clocks.

Cheap enough to come before anything is judged again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from nip_ap.certificate.deriving import shown
from nip_ap.certificate.document import (
    SUITE_NAME,
    Certificate,
    digest_of_all,
    transcript_digests,
)
from nip_ap.certificate.files import LARGEST_EVIDENCE, LARGEST_REPORT, file_of, in_time, size_of
from nip_ap.certificate.form import unix_seconds
from nip_ap.certificate.identity import all_checks
from nip_ap.certificate.strict_json import NotStrictJson, strict_json
from nip_ap.model.report import PREFLIGHT_PATH, Document, transcript_path
from nip_ap.reporting.reading import ReportUnreadable, document_of, read_transcript
from nip_ap.version import __version__

SLACK = 120.0
"""Seconds by which the clocks of a run's machines may differ."""

_REPORT = "report.json"
_CLOCK = "clock reads "
_SECONDS = re.compile(r"[0-9]{1,12}\Z")
_NAMED = 3


def transcript_faults(certificate: Certificate, folder: Path, deadline: float) -> Iterator[str]:
    """Which transcripts are not those that were signed."""
    signed = certificate.digests
    size = sum(size_of(folder, check) for check in signed)
    if size > LARGEST_EVIDENCE:
        yield f"the transcripts have {size} bytes, and {LARGEST_EVIDENCE} is the most"
        return
    in_time(deadline, "comparing digests")
    there = transcript_digests(folder, signed)
    absent = [check for check in signed if not there[check]]
    if absent:
        yield f"{some_of(absent)}: no transcript at {folder / transcript_path(absent[0])}"
    if there[""] != certificate.content["preflight_sha256"]:
        yield f"the preflight's transcript ({PREFLIGHT_PATH}) is not the one that was signed"
    owners = {digest: check for check, digest in signed.items() if digest}
    for check, digest in signed.items():
        if there[check] and not there[check].startswith(digest):
            other = owners.get(there[check][: len(digest)])
            whose = f": it is that of {other}" if other else ""
            yield f"{check}: the transcript is not the one that was signed{whose}"
    if not absent and digest_of_all(there) != certificate.content["transcripts_sha256"]:
        yield "the transcripts as a whole are not those that were signed"


def said_faults(certificate: Certificate, folder: Path, deadline: float) -> Iterator[str]:
    """Where report.json says something else than the certificate."""
    in_time(deadline, "reading report.json")
    document = report_in(folder)
    signed = {check: str(verdict) for check, verdict in certificate.verdicts.items()}
    said = {check.id: str(check.verdict) for check in document.checks}
    for check in sorted({*signed, *said}):
        if signed.get(check) != said.get(check):
            yield (
                f"report.json has {said.get(check, 'no verdict')} for {check}, and "
                f"{signed.get(check, 'no verdict')} was signed"
            )
    counts = Counter(signed.values())
    told = {str(verdict): number for verdict, number in document.counts.items() if number}
    if told != counts:
        yield f"report.json counts {told}, and {dict(counts)} follows from the signed verdicts"
    if document.verdict != certificate.content["verdict"]:
        yield (
            f"report.json calls the run {document.verdict}, and "
            f"{certificate.content['verdict']} was signed"
        )
    offered = {one.name: one.offered for one in document.capabilities}
    if offered != certificate.content["capabilities"]:
        yield "report.json has other capabilities than the certificate"
    run = certificate.content["run"]
    for name in ("seed", "spec", "started", "seconds", "python"):
        told = getattr(document.run, name)
        if told != run[name]:
            yield f"report.json has the {name} {told}, and {run[name]} was signed"
    if document.run.only or document.run.repeat != 1:
        yield "report.json is of a part of a run, or of a repeated one"
    if (document.suite.name, document.suite.version) != (SUITE_NAME, __version__):
        yield f"report.json is of {document.suite.name} {document.suite.version}"
    if document.to_json()["target"] != certificate.content["target"]:
        yield "report.json names another relay than the certificate"


def report_in(folder: Path) -> Document:
    """The document of report.json. Raises UnfitFile and ReportUnreadable."""
    data = file_of(folder, _REPORT, LARGEST_REPORT)
    try:
        value = strict_json(data, LARGEST_REPORT)
    except NotStrictJson as error:
        raise ReportUnreadable(f"{folder / _REPORT}: {error}") from None
    checks = value.get("checks") if isinstance(value, dict) else None
    if isinstance(checks, list) and len(checks) > len(all_checks()):
        raise ReportUnreadable(
            f"{folder / _REPORT} lists {len(checks)} checks, and the suite has {len(all_checks())}"
        )
    return document_of(value, folder / _REPORT)


def clock_faults(certificate: Certificate, folder: Path, deadline: float) -> Iterator[str]:
    """Each check reads the clock once; the times have to lie within the run."""
    run = certificate.content["run"]
    began = unix_seconds(run["started"]) - SLACK
    ended = began + run["seconds"] + 2 * SLACK
    for check in certificate.digests:
        in_time(deadline, "reading clocks")
        for frame in read_transcript(folder / transcript_path(check), most=4):
            if not frame.text.startswith(_CLOCK):
                continue
            reading = frame.text.removeprefix(_CLOCK)
            if not _SECONDS.match(reading):
                yield f"{check}: the clock reads {shown(reading)}, which is not a time"
            elif not began <= int(reading) <= ended:
                yield f"{check} was run at {reading}, outside the run's time (Unix seconds)"


def some_of(checks: Sequence[str]) -> str:
    """A few of several checks, in words."""
    shown = ", ".join(checks[:_NAMED])
    return shown if len(checks) <= _NAMED else f"{shown} and {len(checks) - _NAMED} more"
