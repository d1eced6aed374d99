"""`nip-ap verify`: finds the certificate, has it looked at, and prints what came of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from nip_ap.certificate.document import FILE_NAME, Certificate, NotACertificate, read_certificate
from nip_ap.certificate.files import LARGEST_CERTIFICATE, UnfitFile, regular_file
from nip_ap.certificate.issuing import NotCarried, about, fetch
from nip_ap.certificate.verifying import EXIT, HOLDS, REFUSED, Findings, summary, verify
from nip_ap.model.faults import UnreachableFault, UsageFault
from nip_ap.model.relay_url import relay_url
from nip_ap.reporting.legible import on_one_line
from nip_ap.reporting.printing import painted, say, say_json

PARTLY = "partly verified"
"""The outcome where nothing is wrong, and nobody gave what the rest is checked with."""

EXIT_PARTLY = 5

_PUBKEY = re.compile(r"[0-9a-f]{64}\Z")
_MOST_FAULTS = 12


class VerificationUsage(UsageFault, ValueError):
    """Something in the command that cannot be done; the message says what to do instead."""


class OutOfReach(UnreachableFault):
    """A relay that gives no certificates."""


def run_verification(
    place: str,
    *,
    report: Path | None,
    issuer: str | None,
    subject: str,
    workers: int,
    limit: float,
    as_json: bool,
    stream: IO[str],
    is_part_enough: bool = False,
) -> int:
    """Verify and print; gives the exit code. Raises VerificationUsage and OutOfReach.

    A folder is that of a certified run: certificate and report.
    """
    if Path(place).is_dir():
        report = Path(place) if report is None else report
        place = str(Path(place) / FILE_NAME)
    if issuer is not None and not _PUBKEY.match(issuer):
        raise VerificationUsage("--issuer takes a public key as 64 lower-case hex digits")
    try:
        certificate = _found(place, issuer, subject)
    except NotACertificate as error:
        return _refused_unread(str(error), as_json, stream)
    found = verify(certificate, issuer=issuer, report=report, workers=workers, limit=limit)
    is_part = found.outcome == HOLDS and (issuer is None or report is None)
    outcome = PARTLY if is_part else found.outcome
    if as_json:
        say_json({**summary(certificate, found), "outcome": outcome}, stream)
    else:
        _print(certificate, found, outcome, stream)
    return EXIT_PARTLY if is_part and not is_part_enough else EXIT[found.outcome]


def _refused_unread(why: str, as_json: bool, stream: IO[str]) -> int:
    """Where there is nothing of a certificate to show."""
    if as_json:
        say_json({"format": "nip-ap-verification/1", "outcome": REFUSED, "faults": [why]}, stream)
    else:
        say(f"{REFUSED}: no certificate: {on_one_line(why)}", file=stream)
    return EXIT[REFUSED]


def _found(place: str, issuer: str | None, subject: str) -> Certificate:
    if not place.strip().lower().startswith(("ws://", "wss://")):
        try:
            return read_certificate(regular_file(Path(place), LARGEST_CERTIFICATE))
        except OSError as error:
            raise VerificationUsage(f"{place} cannot be read: {error.strerror}") from None
        except UnfitFile as error:
            raise NotACertificate(str(error)) from None
    if issuer is None:
        raise VerificationUsage(
            "a relay carries certificates of anybody: say whose you trust with --issuer PUBKEY"
        )
    try:
        place = relay_url(place)
    except ValueError as error:
        raise VerificationUsage(str(error)) from None
    try:
        found = about(fetch(place, issuer), subject)
    except NotCarried as error:
        raise OutOfReach(str(error)) from None
    if not found:
        whose = f" about {subject!r}" if subject else ""
        raise OutOfReach(f"{place} has no certificate{whose} by {issuer}")
    return found[0]


def _print(certificate: Certificate, found: Findings, outcome: str, stream: IO[str]) -> None:
    content = certificate.content
    rows: list[tuple[str, Any]] = [
        (str(content.get("role", "relay")), certificate.subject),
        ("tested as", content["target"]["url"]),
        ("level", f"{content['level']}, revision {content['run']['spec']}"),
        ("run", f"{content['run']['started']}, seed {content['run']['seed']}"),
        ("checks", _counted(certificate)),
        ("issuer", certificate.event.pubkey),
    ]
    for name, value in rows:
        say(f"  {name:<10} {on_one_line(str(value))}", file=stream)
    say(file=stream)
    for line in found.confirmed:
        say("  ", painted("✓", fg="green"), f" {line}", file=stream)
    _some(found.faults, "✗", "red", stream)
    _some(found.doubts, "?", "magenta", stream)
    if found.rejudged is not None:
        for reason in sorted(set(found.rejudged.beyond.values())):
            number = list(found.rejudged.beyond.values()).count(reason)
            say(f"  - {number} not judged again: {on_one_line(reason)}", file=stream)
    colour = {HOLDS: "green", REFUSED: "red"}.get(outcome, "magenta")
    say(file=stream)
    say(painted(outcome, fg=colour, bold=True), on_one_line(_extent(found)), file=stream)


def _extent(found: Findings) -> str:
    """How far a verdict goes: nobody is to take a part of it for the whole."""
    if found.outcome != HOLDS or not found.not_checked:
        return ""
    return f": what was looked at holds. Not checked: {'; '.join(found.not_checked)}"


def _some(lines: Sequence[str], sign: str, colour: str, stream: IO[str]) -> None:
    for line in lines[:_MOST_FAULTS]:
        say("  ", painted(sign, fg=colour), f" {on_one_line(line)}", file=stream)
    if len(lines) > _MOST_FAULTS:
        say(f"  {sign} ... and {len(lines) - _MOST_FAULTS} more", file=stream)


def _counted(certificate: Certificate) -> str:
    verdicts = [str(one) for one in certificate.verdicts.values()]
    return ", ".join(f"{verdicts.count(one)} {one}" for one in sorted(set(verdicts)))
