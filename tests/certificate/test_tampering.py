"""Whatever is done to a certified run is refused with a sentence, and before judging again."""

from __future__ import annotations

import json
import os
import time

import orjson
import pytest

from nip_ap.certificate.deriving import report_faults
from nip_ap.certificate.document import read_certificate
from nip_ap.certificate.files import LARGEST_TRANSCRIPT, TookTooLong
from nip_ap.certificate.rejudging import CameToNaught, rejudge_within
from nip_ap.certificate.verifying import UNDECIDED, verify
from nip_ap.model.report import Document
from tests.certificate.conftest import nip_ap
from tests.certificate.tampering import ONE, damaged, tamperings

ALL = list(tamperings())


def test_there_are_many_kinds():
    assert len({one.name for one in ALL}) == len(ALL) > 60


@pytest.mark.parametrize("tampering", ALL, ids=lambda one: one.name)
def test_it_is_refused_with_a_sentence(copy, nothing_judged_again, tampering):
    tampering.apply(copy)
    faults = copy.faults()
    assert any(tampering.reason in fault and len(fault.split()) > 3 for fault in faults), faults


def test_each_derived_field_of_a_report_is_compared(certified):
    document = orjson.loads((certified / "report.json").read_bytes())
    derived = Document.from_json(document)
    assert list(report_faults(derived, derived)) == []
    for name, changed in damaged(document):
        faults = list(report_faults(Document.from_json(changed), derived))
        assert faults, name
        assert all(name in fault for fault in faults), faults


@pytest.mark.parametrize("place", ["report.json", "transcripts/preflight.jsonl"])
def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(copy, nothing_judged_again, place):
    (copy.folder / place).unlink()
    os.mkfifo(copy.folder / place)
    assert any("is not a regular file" in fault for fault in copy.faults())


def test_a_certificate_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "certificate.json")
    done = nip_ap("verify", tmp_path / "certificate.json")
    assert (done.code, "is not a regular file" in done.out) == (1, True)


def test_a_certificate_without_an_end_is_refused():
    done = nip_ap("verify", "/dev/zero", "--json")
    assert (done.code, json.loads(done.out)["outcome"]) == (1, "refused")


def test_what_was_not_checked_is_said(copy):
    done = nip_ap("verify", copy.file)
    assert done.code == 5
    assert done.out.splitlines()[-1].startswith("partly verified: what was looked at holds")
    assert "Not checked: the verdicts" in done.out.splitlines()[-1]
    assert "--issuer PUBKEY" in done.out.splitlines()[-1]
    found = copy.verify("--issuer", copy.issuer.pubkey, report=False)
    assert len(found.not_checked) == 1
    assert (found.code, found.outcome) == (5, "partly verified")
    assert nip_ap("verify", copy.file, "--partial").code == 0


def test_judging_again_stops_at_its_limit(copy):
    with pytest.raises(TookTooLong):
        rejudge_within(read_certificate(copy.file.read_bytes()), copy.folder, 1, 0.01)


def test_judging_again_that_breaks_off_is_told(copy):
    certificate = read_certificate(copy.file.read_bytes())
    (copy.folder / "transcripts/preflight.jsonl").unlink()
    with pytest.raises(CameToNaught, match="is not a transcript"):
        rejudge_within(certificate, copy.folder, 1, 60)


@pytest.mark.parametrize("limit", [0.0, 1.0])
def test_what_is_not_done_in_time_was_not_checked(copy, limit):
    certificate = read_certificate(copy.file.read_bytes())
    began = time.monotonic()
    found = verify(certificate, report=copy.folder, limit=limit)
    assert time.monotonic() - began < limit + 10
    assert found.outcome == UNDECIDED
    assert [one for one in found.doubts if "so the verdicts were not checked: --limit" in one]


def test_a_transcript_that_takes_too_much_memory_is_refused(copy, nothing_judged_again):
    """One frame of 29 MB made the verifier hold 350 MB; at this bound it holds 210."""
    assert LARGEST_TRANSCRIPT == 16 << 20
    data = copy.transcript(ONE).read_bytes()
    frame = orjson.loads(data.splitlines()[-1]) | {"text": "x" * LARGEST_TRANSCRIPT}
    copy.rewrites(copy.transcript(ONE), data + orjson.dumps(frame) + b"\n")
    assert any("is larger than 16777216 bytes" in fault for fault in copy.faults())
