"""Whom TLS trusts: the certificate authorities of this machine, and one of the user's own."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator

from nip_ap.model.faults import UsageFault

_VARIABLE = "SSL_CERT_FILE"


class UnusableAuthority(UsageFault, ValueError):
    """A file that holds no certificate."""


@contextlib.contextmanager
def trusting(file: str | None) -> Iterator[None]:
    """Trust the authorities in a PEM file too, here and in every process that is started.

    That is OpenSSL's own variable: the load generator and a migrator under test, which may be
    written in any language, see the relay's certificate as the suite does. Raises
    UnusableAuthority.
    """
    if file is None:
        yield
        return
    try:
        ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else "no PEM certificate"
        raise UnusableAuthority(f"--ca {file}: {reason}") from None
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = os.path.abspath(file)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before
