"""One certified run for all tests of certificates, and ways to tamper with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from nip_ap.certificate import rejudging, verifying
from nip_ap.certificate.document import (
    NotACertificate,
    digest_of_all,
    read_certificate,
    short,
    tags_of,
    transcript_digests,
)
from nip_ap.certificate.verifying import verify
from nip_ap.model.report import transcript_path
from nip_ap.nostr import Draft, SecretKey
from tests.whole_run import ISSUER

LIMIT = 250
"""Seconds for judging again on a machine that does other things, too."""


def nip_ap(*arguments):
    """Run the command."""
    done = subprocess.run(
        [sys.executable, "-m", "nip_ap", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)


def write_key(path, key):
    """A key file as --certify wants it."""
    path.write_text(key.secret_hex() + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture(scope="session")
def issuer():
    """Who signs."""
    return ISSUER


@pytest.fixture(scope="session")
def certified(whole_run):
    """The folder of a certified run of the bundled relay."""
    assert whole_run.code == 0, whole_run.out + whole_run.err
    return whole_run.report


@dataclass
class Copy:
    """A copy of the certified run that may be tampered with."""

    folder: Path
    issuer: SecretKey

    @property
    def file(self):
        return self.folder / "certificate.json"

    @property
    def event(self):
        return orjson.loads(self.file.read_bytes())

    @property
    def content(self):
        return orjson.loads(self.event["content"])

    def writes(self, event):
        self._replace(self.file, orjson.dumps(event))

    def edits(self, **fields):
        """Change fields of the event and leave its id and signature."""
        self.writes(self.event | fields)

    def signs(self, content, *, key=None, at=None, tags=None):
        """Sign another content."""
        old = self.event
        draft = Draft(
            old["kind"],
            old["created_at"] if at is None else at,
            tuple(map(tuple, old["tags"] if tags is None else tags)),
            orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode(),
        )
        self.writes(draft.signed_by(key or self.issuer).to_json())

    def transcript(self, check):
        return self.folder / transcript_path(check)

    def rewrites(self, file, data):
        """Replace a file of the copy; the original stays."""
        self._replace(file, data)

    def edits_report(self, change):
        """Change the document in report.json."""
        file = self.folder / "report.json"
        document = json.loads(file.read_text())
        change(document)
        self._replace(file, json.dumps(document).encode())

    def edits_frames(self, check, change):
        """Change the frames of a transcript."""
        frames = [json.loads(line) for line in self.transcript(check).read_text().splitlines()]
        changed = change(frames)
        lines = b"".join(orjson.dumps(one) + b"\n" for one in changed)
        self._replace(self.transcript(check), lines)

    def with_digests(self, content):
        """A content with the digests of the transcripts that are there now."""
        checks = [check for check, _, _ in content["checks"]]
        there = transcript_digests(self.folder, checks)
        listed = [[check, verdict, short(there[check])] for check, verdict, _ in content["checks"]]
        return content | {
            "checks": listed,
            "preflight_sha256": there[""],
            "transcripts_sha256": digest_of_all(there),
        }

    def _replace(self, file, data):
        file.unlink(missing_ok=True)
        file.write_bytes(data)

    def resigns(self, content):
        """Sign another content with the tags that it gives: the issuer means it."""
        self.signs(content, tags=tags_of(content))

    def faults(self, *, report=True):
        """What `nip-ap verify` finds wrong, in this process."""
        try:
            certificate = read_certificate(self.file.read_bytes())
        except NotACertificate as error:
            return [str(error)]
        return verify(certificate, report=self.folder if report else None, limit=LIMIT).faults

    def verify(self, *arguments, report=True):
        """Run `nip-ap verify`; gives the code and the parsed findings."""
        with_report = ("--report", self.folder) if report else ()
        patient = ("-n", "2", "--limit", LIMIT)
        done = nip_ap("verify", self.file, "--json", *patient, *with_report, *arguments)
        assert "Traceback" not in done.err
        return SimpleNamespace(code=done.code, **json.loads(done.out))


@pytest.fixture
def copy(certified, issuer, tmp_path):
    """A copy of the certified run."""
    folder = tmp_path / "copy"
    shutil.copytree(certified, folder, copy_function=os.link)
    return Copy(folder, issuer)


@pytest.fixture
def nothing_judged_again(monkeypatch):
    """The checks are not to be judged again: what is refused here is refused before.

    The preflight is, in this process.
    """

    def rejudge(certificate, folder, workers, limit):
        return rejudging.rejudge(certificate, folder, workers)

    def run_pytest(*arguments):
        pytest.fail("the checks were judged again")

    monkeypatch.setattr(verifying, "rejudge_within", rejudge)
    monkeypatch.setattr(rejudging, "run_pytest", run_pytest)
