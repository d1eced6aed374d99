"""The bytes that an id is the hash of: a reader of a report can hash them again."""

from __future__ import annotations

import hashlib
import io
import re

import orjson
import pytest

from nip_ap.model.frame import Frame
from nip_ap.model.verdict import Verdict
from nip_ap.nostr import Draft, SecretKey
from nip_ap.reporting.hashed import hashed
from nip_ap.reporting.terminal import Printer
from tests.reporting.reports import made_report, result
from tests.reporting.test_formats import formats, written

UNSEEN = 'del \x7f, escape \x1b, csi \x9b, turned \u202e, a quote " and a \\ and a\ttab\n'


def frame_of(content, *, escaped=False):
    event = Draft(30175, 1, (("d", "x"),), content).signed_by(SecretKey.fresh())
    text = orjson.dumps(["EVENT", event.to_json()]).decode()
    return event, text.replace("\x7f", "\\u007f") if escaped else text


@pytest.mark.parametrize("escaped", [False, True], ids=["raw", "escaped"])
def test_the_bytes_hash_to_the_id_whether_a_frame_escapes_or_not(escaped):
    event, text = frame_of(UNSEEN, escaped=escaped)
    told, _, digits = hashed(text).rpartition(" ")
    assert "control characters escaped, in hex:" in told
    assert hashlib.sha256(bytes.fromhex(digits)).hexdigest() == event.id


def test_of_a_long_event_the_bytes_are_counted():
    _, text = frame_of("\x7f" * 5000)
    assert re.search(r"SHA-256 of 50\d\d bytes", hashed(text))
    assert len(hashed(text)) < 100


def test_an_id_of_raw_control_characters_is_told_as_such():
    fields = '[0,"ab",1,30175,[],"\x1b"]'
    identifier = hashlib.sha256(fields.encode()).hexdigest()
    event = {"id": identifier, "pubkey": "ab", "created_at": 1, "kind": 30175, "tags": []}
    told = hashed(orjson.dumps(["EVENT", {**event, "content": "\x1b"}]).decode())
    assert "control characters raw" in told
    assert told.endswith(fields.encode().hex())
    assert "neither" in hashed(orjson.dumps(["EVENT", {**event, "content": "\x7f"}]).decode())


@pytest.mark.parametrize(
    "text",
    [
        frame_of("plain")[1],
        '["NOTICE","\x7f"]',
        '["EVENT"]',
        "[]",
        "{",
        '["EVENT",{"content":"\x7f"}]',
        "HTTP 200 \x7f",
    ],
)
def test_where_all_is_plain_or_no_event_nothing_is_told(text):
    assert hashed(text) == ""


@pytest.mark.parametrize("name", ["junit", "page", "allure"])
def test_formats_tell_it(name, tmp_path):
    event, text = frame_of(UNSEEN)
    one = result("AP-SLUG-02", Verdict.FAIL)
    report = made_report(
        [type(one)(**{**vars(one), "frames": (Frame(0.1, "a", "ws", "sent", text),)})]
    )
    found = "".join(written(formats()[name], report, tmp_path).values())
    if name == "page":  # packed
        from bs4 import BeautifulSoup

        from tests.reporting.test_page import packed

        found = str(packed(BeautifulSoup(found, "html.parser")))
    digits = re.search("in hex: ([0-9a-f]+)", found)[1]
    assert hashlib.sha256(bytes.fromhex(digits)).hexdigest() == event.id


def test_the_terminal_tells_it():
    event, text = frame_of(UNSEEN)
    one = result("AP-SLUG-02", Verdict.FAIL)
    report = made_report(
        [type(one)(**{**vars(one), "frames": (Frame(0.1, "a", "ws", "sent", text),)})]
    )
    stream = io.StringIO()
    Printer(stream).report(report)
    digits = "".join(stream.getvalue().partition("in hex:")[2].partition("repeat")[0].split())
    assert hashlib.sha256(bytes.fromhex(digits)).hexdigest() == event.id
