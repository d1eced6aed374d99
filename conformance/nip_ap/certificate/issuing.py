"""Who signs certificates, and the relays that carry them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nip_ap.certificate.document import (
    KIND,
    LABELS,
    Certificate,
    NotACertificate,
    certificate_of,
)
from nip_ap.model.faults import UnreachableFault, UsageFault
from nip_ap.nostr import Filter, SecretKey
from nip_ap.secret_files import SecretFileError
from nip_ap.wire import Transcript, WebSocketDoor, WireError


class IssuerError(UsageFault, ValueError):
    """A key that must not or cannot sign; the message never repeats the key."""


class NotCarried(UnreachableFault, ValueError):
    """A relay that does not take or give a certificate; the message says what it said."""


@dataclass(frozen=True)
class Issuer:
    """Who signs, and where to publish; `relay` "" publishes nowhere."""

    key: SecretKey
    relay: str = ""


def issuer_key(path: Path) -> SecretKey:
    """The key in a file that nobody else may read: hex or nsec. Raises IssuerError."""
    if not path.exists():
        raise IssuerError(
            f"there is no key file {path}; "
            f"`openssl rand -hex 32 > {path} && chmod 600 {path}` makes one"
        )
    try:
        return SecretKey.from_file(path)
    except SecretFileError as error:
        raise IssuerError(str(error)) from None
    except ValueError as error:
        raise IssuerError(f"the key file {path} has no usable key: {error}") from None


def publish(certificate: Certificate, issuer: Issuer) -> None:
    """Put a certificate on the issuer's relay. Raises NotCarried."""
    try:
        door = _door(issuer.relay, issuer.key)
        try:
            answer = door.publish(certificate.event)
        finally:
            door.close()
    except WireError as error:
        raise NotCarried(f"{issuer.relay} did not take the certificate: {error}") from None
    if not answer.accepted:
        raise NotCarried(f"{issuer.relay} refused the certificate: {answer.message!r}")


def fetch(relay: str, issuer: str) -> list[Certificate]:
    """The certificates of an issuer on a relay, the newest first. Raises NotCarried.

    Where the relay asks who reads, a key made for the moment answers.
    """
    wanted = Filter.of(kinds=[KIND], authors=[issuer], tags={"L": [LABELS]})
    try:
        door = _door(relay, SecretKey.fresh())
        try:
            reading = door.query([wanted])
        finally:
            door.close()
    except WireError as error:
        raise NotCarried(f"{relay} gave no answer: {error}") from None
    if reading.refusal is not None:
        raise NotCarried(f"{relay} refused to look for certificates: {reading.refusal!r}")
    found = []
    for event in sorted(reading.events, key=lambda one: one.order):
        try:
            found.append(certificate_of(event))
        except NotACertificate:
            continue
    return found


def about(certificates: Sequence[Certificate], subject: str) -> list[Certificate]:
    """Those whose subject has a text in it, whatever the case."""
    return [one for one in certificates if subject.lower() in one.subject.lower()]


def _door(relay: str, key: SecretKey) -> WebSocketDoor:
    return WebSocketDoor(
        relay, who="certificate", key=key, transcript=Transcript(), now=lambda: int(time.time())
    )
