"""The certificate itself: a Nostr event whose content says what was judged, and how it went.

Kind 30078 (NIP-78, application data) with a `d` tag of the relay's software and revision, so that
the newest certificate of an issuer for a version of a relay takes the place of the one before. Its
labels (NIP-32) let clients find certificates without knowing a name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nip_ap.certificate.files import LARGEST_CERTIFICATE, transcript_digest
from nip_ap.certificate.form import bounds, complaint_about, told, unix_seconds
from nip_ap.certificate.identity import code_digest, register_digest
from nip_ap.certificate.levels import MIGRATOR, Judged
from nip_ap.certificate.strict_json import NotStrictJson, strict_json
from nip_ap.checking.generation import HYPOTHESIS
from nip_ap.model.clauses import READER, RELAY, register
from nip_ap.model.client_name import client_name
from nip_ap.model.report import Report
from nip_ap.model.run import Run
from nip_ap.model.verdict import RunVerdict, Verdict
from nip_ap.nostr import APPLICATION_DATA, Draft, Event, MalformedEvent, SecretKey
from nip_ap.reporting.legible import counted
from nip_ap.version import __version__

FORMAT = "nip-ap-certificate/1"
SUITE_NAME = "nip-ap-conformance"
FILE_NAME = "certificate.json"
KIND = APPLICATION_DATA
LABELS = "nip-ap-conformance"
"""The namespace of the labels, and the beginning of every `d` tag."""

_SHORT_DIGEST = 12
"""Hex digits of a transcript's digest that the manifest shows; `transcripts_sha256` has them all.
A whole one for each check would make the event too large for relays that stop at 64 KiB."""


class NotACertificate(ValueError):
    """Something else than a certificate; the message says what is wrong with it."""


class CannotCertify(ValueError):
    """A run that no certificate can be made from; the message says why."""


@dataclass(frozen=True)
class Certificate:
    """An event that claims to be a certificate, and its content, parsed."""

    event: Event
    content: Mapping[str, Any]

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict of each check."""
        return {check: Verdict(verdict) for check, verdict, _ in self.content["checks"]}

    @property
    def digests(self) -> dict[str, str]:
        """The beginning of the digest of each check's transcript."""
        return {check: digest for check, _, digest in self.content["checks"]}

    @property
    def level(self) -> str:
        """The level, derived anew from verdicts and capabilities."""
        content = self.content
        offered, spec = content["capabilities"], content["run"]["spec"]
        return level_of(self.verdicts, offered, spec, role_in(content))

    @property
    def subject(self) -> str:
        """The relay or the client in a few words."""
        return subject_of(self.content)


def level_of(
    verdicts: Mapping[str, Verdict], offered: Mapping[str, str], spec: str, role: str
) -> str:
    """The level that is reached; empty where not even the core was judged."""
    return Judged(verdicts, offered, spec, register(), role).level


def role_in(content: Mapping[str, Any]) -> str:
    """Whom a certificate is about; those of relays had no word for it at first."""
    return str(content.get("role", RELAY))


def role_of(run: Run, target: Mapping[str, Any]) -> str:
    """Whom a run tested. Before a relay of one's own a migrator is an addition to the relay's run,
    before the bundled one it is what is tested."""
    if run.settings.reader:
        return READER
    return MIGRATOR if run.settings.migrator and target["bundled"] else RELAY


def subject_of(content: Mapping[str, Any]) -> str:
    """A relay in a few words, from its identity; a client by its name and role."""
    if role_in(content) != RELAY:
        return f"{content['client']} ({role_in(content)})"
    target = content["target"]
    name = target.get("software") or target.get("name") or target["url"]
    return f"{name} {target['version']}" if target.get("version") else str(name)


# -- making one --------------------------------------------------------------------------


def certify(
    run: Run,
    report: Report,
    out: Path,
    key: SecretKey,
    *,
    checks: Iterable[str],
    given_keys: Mapping[str, str],
) -> Certificate:
    """The certificate of a run whose report lies in a folder. Raises CannotCertify.

    `checks` are all that this installation has; `given_keys` the public keys of --keys by role.
    """
    hindrances = against(run, checks)
    if hindrances:
        raise CannotCertify("; ".join(hindrances))
    content = _content(run, report, out, given_keys)
    if not content["level"]:
        raise CannotCertify("no check of some core group applied")
    ended = unix_seconds(content["run"]["started"]) + content["run"]["seconds"]
    draft = Draft(KIND, int(ended) + 1, tags_of(content), written(content))
    try:
        return certificate_of(draft.signed_by(key))
    except NotACertificate as error:
        raise CannotCertify(f"nobody could verify it: {error}") from None


def written(content: Mapping[str, Any]) -> str:
    """A content as the event holds it: one spelling for each."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()


def against(run: Run, checks: Iterable[str]) -> list[str]:
    """Why a run cannot be certified; empty where it can."""
    absent = sorted(set(checks) - set(run.manifest))
    found = []
    if run.settings.only:
        found.append(f"it was filtered: --only {' '.join(run.settings.only)}")
    if run.baseline is not None:
        found.append("it had a baseline: a certificate excuses nothing")
    if run.settings.repeat > 1:
        found.append("checks were repeated: a certificate shows the one transcript of each")
    if excess := bounds(told(run.settings)):
        found.append(excess)
    if absent:
        found.append(f"{counted(len(absent), 'check')} of the suite left out, such as {absent[0]}")
    if run.missing:
        found.append(
            f"{counted(len(run.missing), 'check')} without a result, such as {run.missing[0]}"
        )
    if run.surplus:
        found.append(
            f"{counted(len(run.surplus), 'check')} run more than once, such as {run.surplus[0]}"
        )
    if run.verdict is not RunVerdict.CONFORMANT:
        found.append(f"the run is {run.verdict}: {run.why}")
    return found


def _content(run: Run, report: Report, out: Path, given_keys: Mapping[str, str]) -> dict[str, Any]:
    document = report.document.to_json()
    results = {one.check: one for one in run.results}
    digests = transcript_digests(out, results)
    offered = {one["name"]: one["offered"] for one in document["capabilities"]}
    verdicts = {check: result.verdict for check, result in results.items()}
    spec = document["run"]["spec"]
    role = role_of(run, document["target"])
    return {
        "format": FORMAT,
        "role": role,
        "client": client_name(run.settings.reader or run.settings.migrator) * (role != RELAY),
        "suite": {
            "name": SUITE_NAME,
            "version": __version__,
            "code_sha256": code_digest(),
            "register_sha256": register_digest(),
        },
        "run": {
            **{name: document["run"][name] for name in ("seed", "started", "seconds", "python")},
            "hypothesis": HYPOTHESIS,
            "spec": spec,
            "settings": told(run.settings),
            "abilities": sorted(run.subject.abilities),
            "given_keys": dict(given_keys),
        },
        "target": dict(document["target"]),
        "capabilities": offered,
        "verdict": str(run.verdict),
        "level": level_of(verdicts, offered, spec, role),
        "checks": [
            [check, str(verdicts[check]), short(digests[check])] for check in sorted(verdicts)
        ],
        "not_judged_again": not_judged_again(results[check].beyond for check in sorted(results)),
        "preflight_sha256": digests[""],
        "transcripts_sha256": digest_of_all(digests),
    }


def not_judged_again(reasons: Iterable[str]) -> dict[str, int]:
    """How many checks do not follow from their transcripts alone, by the reason."""
    counted: dict[str, int] = {}
    for reason in reasons:
        if reason:
            counted[reason] = counted.get(reason, 0) + 1
    return counted


def transcript_digests(folder: Path, checks: Iterable[str]) -> dict[str, str]:
    """SHA-256 of each transcript in the folder of a report by check; "" is the preflight's.

    An absent file has the digest "". Raises UnfitFile.
    """
    return {check: transcript_digest(folder, check) for check in ("", *checks)}


def digest_of_all(digests: Mapping[str, str]) -> str:
    """One SHA-256 over the digests of all transcripts."""
    lines = "".join(f"{digests[check]} {check}\n" for check in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def short(digest: str) -> str:
    """A transcript's digest as the manifest shows it."""
    return digest[:_SHORT_DIGEST]


def tags_of(content: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """The tags of a certificate, all of which its content gives."""
    target, spec = content["target"], content["run"]["spec"]
    subject = subject_of(content)
    return (
        ("d", f"{LABELS}:{subject}:{spec}"),
        ("L", LABELS),
        ("l", f"{content['verdict']}", LABELS),
        ("l", f"level: {content['level']}", LABELS),
        ("l", f"spec: {spec}", LABELS),
        *((("r", target["url"]),) if not target["bundled"] else ()),
        ("alt", f"NIP-AP conformance certificate of {subject}: {content['level']}"),
    )


# -- reading one -------------------------------------------------------------------------


def read_certificate(data: bytes) -> Certificate:
    """A certificate from JSON. Its claims are not checked here. Raises NotACertificate."""
    try:
        event = Event.from_json(strict_json(data, LARGEST_CERTIFICATE))
    except NotStrictJson as error:
        raise NotACertificate(str(error)) from None
    except MalformedEvent as error:
        raise NotACertificate(f"it is not a Nostr event: {error}") from None
    return certificate_of(event)


def certificate_of(event: Event) -> Certificate:
    """The certificate that an event is. Raises NotACertificate."""
    if event.kind != KIND:
        raise NotACertificate(f"an event of kind {event.kind}, where certificates are kind {KIND}")
    try:
        content = strict_json(event.content, LARGEST_CERTIFICATE)
    except NotStrictJson as error:
        raise NotACertificate(f"its content: {error}") from None
    complaint = complaint_about(content, FORMAT)
    if complaint:
        raise NotACertificate(complaint)
    return Certificate(event, content)
