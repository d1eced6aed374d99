"""Certificates of earlier states of the suite: they still verify, or it is said exactly why not.

`issued/` holds one of each state, named by its commit: a whole run of the bundled relay with seed
`certified`, signed by the tests' issuer.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from nip_ap.certificate.document import read_certificate
from nip_ap.certificate.identity import code_digest, register_digest
from nip_ap.certificate.verifying import HOLDS, REFUSED, verify
from tests.whole_run import ISSUER

ISSUED = sorted((Path(__file__).parent / "issued").glob("*.json"))


def test_there_is_one():
    assert ISSUED


@pytest.mark.parametrize("file", ISSUED, ids=lambda file: file.stem)
def test_it_verifies_or_names_the_suite_that_made_it(file):
    certificate = read_certificate(file.read_bytes())
    suite = certificate.content["suite"]
    found = verify(certificate, issuer=ISSUER.pubkey)
    assert found.confirmed[:2] == ["id and signature", "its claims agree with each other"]
    others = [
        (what, suite[name], here)
        for what, name, here in (
            ("other code", "code_sha256", code_digest()),
            ("another register of clauses", "register_sha256", register_digest()),
        )
        if suite[name] != here
    ]
    assert found.outcome == (REFUSED if others else HOLDS)
    assert found.faults == [
        f"it was made with {what} of version {suite['version']}: digest {there[:16]}, here "
        f"{here[:16]}; only the suite that made it can verify it"
        for what, there, here in others
    ]
