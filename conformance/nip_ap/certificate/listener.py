"""The listener that signs a certificate of a run that has finished."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import orjson

from nip_ap.certificate.document import FILE_NAME, CannotCertify, certify
from nip_ap.certificate.identity import all_checks
from nip_ap.certificate.issuing import Issuer, publish
from nip_ap.certificate.page import PAGE_NAME, write_page
from nip_ap.engine.keys import public_keys, read_key_sets
from nip_ap.model.events import RunEvent, RunFinished
from nip_ap.reporting.printing import say


class CertificateListener:
    """Writes certificate.json into the folder of the reports, or says why there is none."""

    def __init__(self, issuer: Issuer, out: Path, stream: IO[str]) -> None:
        self._issuer = issuer
        self._out = out
        self._stream = stream
        self.was_refused = False
        """Whether a run ended and no certificate could be made of it."""

    def __call__(self, event: RunEvent) -> None:
        """Certify at the end; the reports have to be in the folder by then. Raises NotCarried."""
        if isinstance(event, RunFinished):
            self._certify(event)

    def _certify(self, event: RunFinished) -> None:
        file = self._out / FILE_NAME
        file.unlink(missing_ok=True)
        (self._out / PAGE_NAME).unlink(missing_ok=True)
        given = public_keys(read_key_sets(event.run.settings.keys))
        try:
            certificate = certify(
                event.run,
                event.report,
                self._out,
                self._issuer.key,
                checks=all_checks(event.run.settings.role),
                given_keys=given,
            )
        except CannotCertify as error:
            self.was_refused = True
            say(f"no certificate: {error}", file=self._stream)
            return
        file.write_bytes(orjson.dumps(certificate.event.to_json()) + b"\n")
        write_page(certificate, self._out)
        told = f"certificate: {certificate.subject}, level {certificate.level}: {file}"
        say(told, file=self._stream)
        if self._issuer.relay:
            publish(certificate, self._issuer)
            told = f"published on {self._issuer.relay} as {certificate.event.id}"
            say(told, file=self._stream)
