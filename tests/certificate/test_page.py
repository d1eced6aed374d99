"""certificate.html: what is certified, what that proves and what not, and no way in for a relay."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from nip_ap.certificate.document import read_certificate
from nip_ap.certificate.page import PAGE_NAME, page_of, write_page

ISSUED = sorted((Path(__file__).parent / "issued").glob("*.json"))[-1]


@pytest.fixture
def certificate():
    return read_certificate(ISSUED.read_bytes())


def test_the_page_says_level_relay_day_and_what_it_does_not_prove(certificate, tmp_path):
    write_page(certificate, tmp_path)
    page = BeautifulSoup((tmp_path / PAGE_NAME).read_text(encoding="utf-8"), "html.parser")
    text = " ".join(page.get_text(" ").split())
    content = certificate.content
    for part in (
        certificate.subject,
        f"Level {content['level']}, revision {content['run']['spec']}",
        content["run"]["started"][:10],
        certificate.event.pubkey,
        certificate.event.id,
        "a vendor can make up a conformant relay for the purpose",
    ):
        assert part in text
    titles = [one.get_text() for one in page.find_all("h2")]
    assert titles[:2] == ["What it proves", "What it does not prove"]


def test_the_page_loads_nothing_and_a_name_is_no_markup(certificate):
    target = {**certificate.content["target"], "software": "<script>alert(1)</script>"}
    hostile = dataclasses.replace(certificate, content={**certificate.content, "target": target})
    page = BeautifulSoup(page_of(hostile), "html.parser")
    assert page.find_all(["script", "img", "link", "iframe"]) == []
    assert page.find("h1").get_text().startswith("<script>")
