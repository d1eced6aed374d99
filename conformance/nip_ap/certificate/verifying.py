"""`nip-ap verify`: does a certificate hold? Every fault is named; one is enough to refuse it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nip_ap.certificate.deriving import report_faults, shown, url_faults
from nip_ap.certificate.document import (
    KIND,
    LABELS,
    Certificate,
    not_judged_again,
    role_in,
    tags_of,
    written,
)
from nip_ap.certificate.files import TookTooLong, UnfitFile
from nip_ap.certificate.folder import (
    SLACK,
    clock_faults,
    report_in,
    said_faults,
    some_of,
    transcript_faults,
)
from nip_ap.certificate.form import beyond_this_suite, unix_seconds
from nip_ap.certificate.identity import all_checks, code_digest, register_digest
from nip_ap.certificate.rejudging import CameToNaught, Rejudged, rejudge_within
from nip_ap.checking.generation import HYPOTHESIS
from nip_ap.model.check_id import CheckId
from nip_ap.model.clauses import REVISIONS, register
from nip_ap.model.subject import ABILITIES
from nip_ap.model.verdict import EXIT_CODES, RunVerdict, Verdict
from nip_ap.reporting.reading import ReportUnreadable
from nip_ap.version import __version__

HOLDS, REFUSED, UNDECIDED = "verified", "refused", "undecided"

EXIT = {
    HOLDS: EXIT_CODES[RunVerdict.CONFORMANT],
    REFUSED: EXIT_CODES[RunVerdict.NOT_CONFORMANT],
    UNDECIDED: EXIT_CODES[RunVerdict.INCONCLUSIVE],
}

LIMIT = 30.0
"""Seconds that all of it may take, whatever the certificate holds; a run of everything takes 15."""


@dataclass
class Findings:
    """What was looked at, in order, and what was wrong."""

    confirmed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    """What cannot be told here, such as the completeness of another version's run."""
    rejudged: Rejudged | None = None
    not_checked: list[str] = field(default_factory=list)
    """What nobody asked for, or the evidence does not show; the outcome says nothing of it."""

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
    limit: float = LIMIT,
) -> Findings:
    """Look at a certificate, and at the report with the transcripts where it is at hand.

    What is cheap comes first: nothing is judged again of a certificate that is refused anyway.
    `limit` is how many seconds all of it may take; what was not done by then was not checked.
    """
    deadline = time.monotonic() + limit
    found = Findings(not_checked=_not_checked(issuer, report))
    if not found.settle("id and signature", _signature(certificate, issuer)):
        return found
    if not found.settle("its claims agree with each other", list(_claims(certificate))):
        return found
    if not _is_of_this_suite(certificate, found):
        return found
    found.settle("it is written as this suite writes it", list(_form(certificate)))
    found.settle("every check of the suite is there, once", list(_completeness(certificate)))
    found.settle("its level follows from its verdicts", list(_level(certificate)))
    if report is not None and not found.faults:
        try:
            _with_transcripts(certificate, report, workers, deadline, found)
        except TookTooLong as error:
            found.doubts.append(
                f"{error} was not done within {limit:g} s and stopped, so the verdicts were not "
                "checked: --limit SECONDS gives it more, -n WORKERS more processes"
            )
    return found


def _not_checked(issuer: str | None, report: Path | None) -> list[str]:
    unasked = []
    if report is None:
        unasked.append("the verdicts, and which relay it was (--report DIR has the transcripts)")
    if issuer is None:
        unasked.append("whose key signed it (--issuer PUBKEY pins it)")
    return unasked


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
        yield f"{some_of(spoiling)} did not hold, and the run is said to be {content['verdict']}"
    if content["run"]["settings"].get("strict") and Verdict.WARN in certificate.verdicts.values():
        yield "it was a strict run, and some check holds with a warning only"
    spec = content["run"]["spec"]
    wanted = f"{LABELS}:{certificate.subject}:{spec}"
    if certificate.event.slug != wanted:
        yield f"the `d` tag names {certificate.event.slug!r}, and the content {wanted!r}"
    labels = [content["verdict"], f"level: {content['level']}", f"spec: {spec}"]
    if list(certificate.event.tag_values("l")) != labels:
        yield f"the labels are {certificate.event.tag_values('l')}, and the content's {labels}"
    yield from _time(certificate)


def _form(certificate: Certificate) -> Iterator[str]:
    """What this suite would have written otherwise."""
    content = certificate.content
    yield from beyond_this_suite(content)
    yield from url_faults(content["target"])
    checks = [check for check, _, _ in content["checks"]]
    if checks != sorted(checks):
        yield "its checks are not in the order of their ids"
    surplus = sorted(set(content["run"]["abilities"]) - ABILITIES)
    if surplus:
        yield f"{shown(surplus[0])} is not an ability that a run may have"
    if content["run"]["spec"] not in REVISIONS:
        yield f"{shown(content['run']['spec'])} is not a revision of NIP-AP"
    if certificate.event.content != written(content):
        yield "its content is JSON in another spelling than this suite writes"
    if certificate.event.tags != tags_of(content):
        yield "its tags are not those that this suite makes of the content"


def _level(certificate: Certificate) -> Iterator[str]:
    said = certificate.content["level"]
    if not _unknown(certificate) and certificate.level != said:
        yield (
            f"the level is said to be {said!r}; the verdicts make it "
            f"{certificate.level or 'less than core'!r}"
        )


def _time(certificate: Certificate) -> Iterator[str]:
    run = certificate.content["run"]
    ended = unix_seconds(run["started"]) + run["seconds"]
    if abs(certificate.event.created_at - ended) > SLACK:
        yield (
            f"it is dated {certificate.event.created_at}, and the run is said to have ended at "
            f"{ended:.0f} (Unix seconds)"
        )


def _unknown(certificate: Certificate) -> list[str]:
    return [one for one in certificate.verdicts if CheckId.read(one).clause not in register()]


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
        f"here {here[:16]}; only the suite that made it can verify it"
        for what, name, here in (
            ("other code", "code_sha256", code_digest()),
            ("another register of clauses", "register_sha256", register_digest()),
        )
        if suite.get(name) != here
    ]
    return found.settle(f"suite {__version__} with the same code and register", faults)


def _completeness(certificate: Certificate) -> Iterator[str]:
    named = Counter(check for check, _, _ in certificate.content["checks"])
    ours = set(all_checks(role_in(certificate.content)))
    missing = sorted(ours - named.keys())
    surplus = sorted(named.keys() - ours)
    twice = sorted(check for check, number in named.items() if number > 1)
    if missing:
        yield f"{some_of(missing)} of this suite: no verdict"
    if surplus:
        yield f"{some_of(surplus)}: no check of this suite"
    if twice:
        yield f"{some_of(twice)}: more than one verdict"


# -- with the transcripts --------------------------------------------------------------------


def _with_transcripts(
    certificate: Certificate, folder: Path, workers: int, deadline: float, found: Findings
) -> None:
    """Raises TookTooLong, with what was not done in time."""
    looks: tuple[tuple[str, Callable[[Certificate, Path, float], Iterator[str]]], ...] = (
        ("every transcript is the one that was signed", transcript_faults),
        ("report.json says the same", said_faults),
        ("the transcripts are of the run's time", clock_faults),
    )
    for what, look in looks:
        if not found.settle(what, _looked(look, certificate, folder, deadline)):
            return
    try:
        found.rejudged = rejudge_within(certificate, folder, workers, deadline - time.monotonic())
    except CameToNaught as error:
        found.faults.append(f"the transcripts cannot be judged again: {error}")
        return
    faults = _rejudged_faults(found.rejudged)
    made_with = certificate.content["run"]["hypothesis"]
    if faults and made_with != HYPOTHESIS:
        found.doubts.append(
            f"Hypothesis {made_with} generated values then, here is {HYPOTHESIS}; with that "
            f"version (pip install hypothesis=={made_with}) it can be told whether {faults[0]}"
        )
        return
    if found.settle(_rejudged_line(found.rejudged), faults):
        _derived(certificate, folder, found.rejudged, found)


def _looked(
    look: Callable[[Certificate, Path, float], Iterator[str]],
    certificate: Certificate,
    folder: Path,
    deadline: float,
) -> list[str]:
    """The faults of one look; a file that is not fit to be read is one. Raises TookTooLong."""
    try:
        return list(look(certificate, folder, deadline))
    except (UnfitFile, ReportUnreadable) as error:
        return [str(error)]


def _derived(certificate: Certificate, folder: Path, judged: Rejudged, found: Findings) -> None:
    """What was judged again, compared with what certificate and report say in sum."""
    faults = []
    told = not_judged_again(judged.beyond.values())
    signed = certificate.content["not_judged_again"]
    if told != signed:
        faults.append(f"not judged again are {told or 'none'}, and {signed or 'none'} was signed")
    assert judged.document is not None
    faults += report_faults(report_in(folder), judged.document)
    found.settle("relay, capabilities, clauses and counts follow from the transcripts", faults)
    if not judged.is_url_shown:
        found.not_checked.append(
            f"the URL {certificate.content['target']['url']}: no signed event of the preflight "
            "names it"
        )


def _rejudged_line(rejudged: Rejudged) -> str:
    line = f"judged again: {len(rejudged.agreeing)} checks agree"
    return f"{line}, {len(rejudged.beyond)} cannot be" if rejudged.beyond else line


def _rejudged_faults(rejudged: Rejudged) -> list[str]:
    if rejudged.preflight:
        return [f"judged again, the preflight does not agree: {rejudged.preflight}"]
    return [f"{check}: judged again: {what}" for check, what in rejudged.differing.items()]


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
        "not_checked": found.not_checked,
        "judged_again": found.rejudged
        and {
            "agreeing": len(found.rejudged.agreeing),
            "differing": dict(found.rejudged.differing),
            "beyond": dict(found.rejudged.beyond),
        },
    }
