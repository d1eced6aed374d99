"""`nip-ap verify`: does a certificate hold? Every fault is named; one is enough to refuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nip_ap.certificate.document import (
    KIND,
    LABELS,
    Certificate,
    digest_of_all,
    short,
    transcript_digests,
)
from nip_ap.certificate.identity import all_checks, code_digest, register_digest
from nip_ap.certificate.rejudging import Rejudged, rejudge
from nip_ap.checking.generation import HYPOTHESIS
from nip_ap.model.clauses import register
from nip_ap.model.report import PREFLIGHT_PATH, transcript_path
from nip_ap.model.verdict import EXIT_CODES, RunVerdict, Verdict
from nip_ap.reporting.reading import ReportUnreadable, read_report, read_transcript
from nip_ap.version import __version__

HOLDS, REFUSED, UNDECIDED = "verified", "refused", "undecided"

EXIT = {
    HOLDS: EXIT_CODES[RunVerdict.CONFORMANT],
    REFUSED: EXIT_CODES[RunVerdict.NOT_CONFORMANT],
    UNDECIDED: EXIT_CODES[RunVerdict.INCONCLUSIVE],
}

_NAMED = 3
_CLOCK = "clock reads "
_SLACK = 120.0
"""Seconds by which the clocks of a run's machines may differ."""


@dataclass
class Findings:
    """What was looked at, in order, and what was wrong."""

    confirmed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    """What cannot be told here, such as the completeness of another version's run."""
    rejudged: Rejudged | None = None

    @property
    def outcome(self) -> str:
        """Whether the certificate holds, is refused, or cannot be decided about."""
        return REFUSED if self.faults else UNDECIDED if self.doubts else HOLDS

    def settle(self, what: str, faults: Sequence[str]) -> bool:
        """Note the outcome of one look; gives whether it went well."""
        if faults:
            self.faults += faults
        else:
            self.confirmed.append(what)
        return not faults


def verify(
    certificate: Certificate,
    *,
    issuer: str | None = None,
    report: Path | None = None,
    workers: int = 1,
) -> Findings:
    """Look at a certificate, and at the report with the transcripts where it is at hand."""
    found = Findings()
    if not found.settle("id and signature", _signature(certificate, issuer)):
        return found
    found.settle("its claims agree with each other", list(_claims(certificate)))
    if not _is_of_this_suite(certificate, found):
        return found
    found.settle("every check of the suite is there, once", list(_completeness(certificate)))
    if report is not None and not found.faults:
        _with_transcripts(certificate, report, workers, found)
    return found


# -- the event alone -----------------------------------------------------------------------


def _signature(certificate: Certificate, issuer: str | None) -> list[str]:
    event = certificate.event
    faults = []
    if event.computed_id != event.id:
        faults.append(
            "the content, tags or time were changed after signing: the id is not the event's"
        )
    if not event.signature_verifies:
        faults.append(f"the signature is not one of {event.pubkey}: forged")
    if issuer is not None and event.pubkey != issuer:
        faults.append(f"another issuer signed it: {event.pubkey}, and not {issuer}")
    return faults


def _claims(certificate: Certificate) -> Iterator[str]:
    """Contradictions within the content, and between content and tags."""
    content = certificate.content
    if content["verdict"] != RunVerdict.CONFORMANT:
        yield f"it is not a certificate of conformance: the run is said to be {content['verdict']}"
    spoiling = [
        check
        for check, verdict in certificate.verdicts.items()
        if not (verdict.is_met or verdict is Verdict.NOT_APPLICABLE)
    ]
    if spoiling:
        yield f"{_some(spoiling)} did not hold, and the run is said to be {content['verdict']}"
    if content["run"]["settings"].get("strict") and Verdict.WARN in certificate.verdicts.values():
        yield "it was a strict run, and some check holds with a warning only"
    if not _unknown(certificate) and certificate.level != content["level"]:
        yield (
            f"the level is said to be {content['level']!r}; the verdicts make it "
            f"{certificate.level or 'less than core'!r}"
        )
    spec = content["run"]["spec"]
    wanted = f"{LABELS}:{certificate.subject}:{spec}"
    if certificate.event.slug != wanted:
        yield f"the `d` tag names {certificate.event.slug!r}, and the content {wanted!r}"
    labels = [content["verdict"], f"level: {content['level']}", f"spec: {spec}"]
    if list(certificate.event.tag_values("l")) != labels:
        yield f"the labels are {certificate.event.tag_values('l')}, and the content's {labels}"
    yield from _time(certificate)


def _time(certificate: Certificate) -> Iterator[str]:
    run = certificate.content["run"]
    ended = datetime.fromisoformat(run["started"]).timestamp() + run["seconds"]
    if abs(certificate.event.created_at - ended) > _SLACK:
        yield (
            f"it is dated {certificate.event.created_at}, and the run is said to have ended at "
            f"{ended:.0f} (Unix seconds)"
        )


def _unknown(certificate: Certificate) -> list[str]:
    return [one for one in certificate.verdicts if one.partition("/")[0] not in register()]


def _is_of_this_suite(certificate: Certificate, found: Findings) -> bool:
    suite = certificate.content["suite"]
    if suite.get("version") != __version__:
        found.doubts.append(
            f"suite {suite.get('version')} made it and this is {__version__}: whether it is "
            f"complete and follows from its transcripts is for that version to say "
            f"(pip install nip-ap-conformance=={suite.get('version')})"
        )
        return False
    faults = [
        f"it was made with {what} of version {__version__}: digest {str(suite.get(name))[:16]}, "
        f"here {here[:16]}"
        for what, name, here in (
            ("other code", "code_sha256", code_digest()),
            ("another register of clauses", "register_sha256", register_digest()),
        )
        if suite.get(name) != here
    ]
    return found.settle(f"suite {__version__} with the same code and register", faults)


def _completeness(certificate: Certificate) -> Iterator[str]:
    named = [check for check, _, _ in certificate.content["checks"]]
    missing = [one for one in all_checks() if one not in set(named)]
    surplus = [one for one in named if one not in set(all_checks())]
    twice = sorted({one for one in named if named.count(one) > 1})
    if missing:
        yield f"{_some(missing)} of this suite: no verdict"
    if surplus:
        yield f"{_some(surplus)}: no check of this suite"
    if twice:
        yield f"{_some(twice)}: more than one verdict"


# -- with the transcripts --------------------------------------------------------------------


def _with_transcripts(
    certificate: Certificate, folder: Path, workers: int, found: Findings
) -> None:
    looks: tuple[tuple[str, Callable[[Certificate, Path], Iterator[str]]], ...] = (
        ("every transcript is the one that was signed", _transcripts),
        ("report.json says the same", _report),
        ("the transcripts are of the run's time", _clocks),
    )
    for what, look in looks:
        if not found.settle(what, list(look(certificate, folder))):
            return
    found.rejudged = rejudge(certificate, folder, workers)
    faults = _rejudged_faults(found.rejudged)
    made_with = certificate.content["run"]["hypothesis"]
    if faults and made_with != HYPOTHESIS:
        found.doubts.append(
            f"Hypothesis {made_with} generated values then, here is {HYPOTHESIS}; with that "
            f"version (pip install hypothesis=={made_with}) it can be told whether {faults[0]}"
        )
        return
    found.settle(_rejudged_line(found.rejudged), faults)


def _transcripts(certificate: Certificate, folder: Path) -> Iterator[str]:
    signed = certificate.digests
    there = transcript_digests(folder, signed)
    absent = [check for check in signed if not there[check]]
    if absent:
        yield f"{_some(absent)}: no transcript at {folder / transcript_path(absent[0])}"
    if there[""] != certificate.content["preflight_sha256"]:
        yield f"the preflight's transcript ({PREFLIGHT_PATH}) is not the one that was signed"
    owners = {digest: check for check, digest in signed.items() if digest}
    for check, digest in signed.items():
        if there[check] and short(there[check]) != digest:
            other = owners.get(short(there[check]))
            whose = f": it is that of {other}" if other else ""
            yield f"{check}: the transcript is not the one that was signed{whose}"
    if not absent and digest_of_all(there) != certificate.content["transcripts_sha256"]:
        yield "the transcripts as a whole are not those that were signed"


def _report(certificate: Certificate, folder: Path) -> Iterator[str]:
    try:
        document = read_report(folder).document
    except ReportUnreadable as error:
        yield str(error)
        return
    signed = {check: str(verdict) for check, verdict in certificate.verdicts.items()}
    said = {check.id: str(check.verdict) for check in document.checks}
    for check in sorted({*signed, *said}):
        if signed.get(check) != said.get(check):
            yield (
                f"report.json has {said.get(check, 'no verdict')} for {check}, and "
                f"{signed.get(check, 'no verdict')} was signed"
            )
    run = certificate.content["run"]
    for name in ("seed", "spec", "started"):
        told = getattr(document.run, name)
        if told != run[name]:
            yield f"report.json has the {name} {told}, and {run[name]} was signed"
    if document.to_json()["target"] != certificate.content["target"]:
        yield "report.json names another relay than the certificate"


def _clocks(certificate: Certificate, folder: Path) -> Iterator[str]:
    """Each check reads the clock once; the times have to lie within the run."""
    run = certificate.content["run"]
    began = datetime.fromisoformat(run["started"]).timestamp() - _SLACK
    ended = began + run["seconds"] + 2 * _SLACK
    for check in certificate.digests:
        for frame in read_transcript(folder / transcript_path(check))[:4]:
            if frame.text.startswith(_CLOCK):
                reading = int(frame.text.removeprefix(_CLOCK))
                if not began <= reading <= ended:
                    yield f"{check} was run at {reading}, outside the run's time (Unix seconds)"


def _rejudged_line(rejudged: Rejudged) -> str:
    line = f"judged again: {len(rejudged.agreeing)} checks agree"
    return f"{line}, {len(rejudged.beyond)} cannot be" if rejudged.beyond else line


def _rejudged_faults(rejudged: Rejudged) -> list[str]:
    if rejudged.preflight:
        return [f"judged again, the preflight does not agree: {rejudged.preflight}"]
    return [f"{check}: judged again: {what}" for check, what in rejudged.differing.items()]


def _some(checks: Sequence[str]) -> str:
    shown = ", ".join(checks[:_NAMED])
    return shown if len(checks) <= _NAMED else f"{shown} and {len(checks) - _NAMED} more"


def summary(certificate: Certificate, found: Findings) -> Mapping[str, Any]:
    """The outcome as a JSON object."""
    content = certificate.content
    return {
        "format": "nip-ap-verification/1",
        "outcome": found.outcome,
        "issuer": certificate.event.pubkey,
        "certificate": certificate.event.id,
        "kind": KIND,
        "subject": certificate.subject,
        "level": content["level"],
        "spec": content["run"]["spec"],
        "confirmed": found.confirmed,
        "faults": found.faults,
        "doubts": found.doubts,
        "judged_again": found.rejudged
        and {
            "agreeing": len(found.rejudged.agreeing),
            "differing": dict(found.rejudged.differing),
            "beyond": dict(found.rejudged.beyond),
        },
    }
