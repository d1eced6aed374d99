"""Texts and sources name clauses by ids that are in the register: a reader can look each up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nip_ap.model.clauses import register

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("conformance", "reference_relay", "reference_client")
RESOURCES = ("scenarios", "fixtures", "examples")
TEXTS = ("docs", "peers", ".github")
ENDINGS = {".py", ".md", ".toml", ".mjs", ".yml"}
ID = re.compile(r"\bAP-[A-Z]+-[0-9]{2}\b(?!\*)")


def files_of(folder: str) -> list[Path]:
    return [one for one in (ROOT / folder).rglob("*") if one.suffix in ENDINGS and one.is_file()]


@pytest.mark.parametrize("folder", [*PACKAGES, *RESOURCES, *TEXTS])
def test_each_id_that_is_named_is_in_the_register(folder: str) -> None:
    known = register()
    unknown = {
        f"{path.relative_to(ROOT)}: {found}"
        for path in files_of(folder)
        for found in ID.findall(path.read_text(encoding="utf-8"))
        if found not in known
    }
    assert sorted(unknown) == []


def test_the_texts_at_the_top_name_no_unknown_clause() -> None:
    named = {one for path in ROOT.glob("*.md") for one in ID.findall(path.read_text())}
    assert sorted(one for one in named if one not in register()) == []
