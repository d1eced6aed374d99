"""Whole outputs of a run that is always the same. `pytest --update-snapshots` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from nip_ap.reporting import composing, diagnosis
from nip_ap.reporting.formats import formats
from nip_ap.reporting.terminal import Printer
from tests.reporting.fixed_run import SIGNATURES, fixed_report
from tests.reporting.test_terminal import STYLE, Terminal

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def report(monkeypatch):
    monkeypatch.setattr(diagnosis, "signatures", lambda: SIGNATURES)
    monkeypatch.setattr(composing, "__version__", "0.0.0")
    monkeypatch.setattr(composing.platform, "python_version", lambda: "3.11.0")
    return fixed_report()


@pytest.fixture
def golden(update_snapshots):
    """Compares a text with its golden file, or writes that one."""

    def compare(name, text):
        path = GOLDEN / name
        if update_snapshots:
            GOLDEN.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        wanted = path.read_text(encoding="utf-8") if path.is_file() else ""
        assert text == wanted, f"{path} differs; look at it, then: pytest --update-snapshots"

    return compare


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("document", "report.json"),
        ("junit", "junit.xml"),
        ("summary", "summary.md"),
        ("annotations", "annotations.txt"),
        ("sarif", "report.sarif"),
        ("code-quality", "gl-code-quality.json"),
        ("ctrf", "ctrf.json"),
    ],
)
def test_a_format_of_the_fixed_run_is_as_it_was(report, golden, tmp_path, form, name):
    formats()[form].write(report, tmp_path)
    golden(name, (tmp_path / name).read_text(encoding="utf-8"))


def test_the_terminal_at_80_columns_is_as_it_was(report, golden, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    printer = Printer(stream)
    printer.heading("0.0.0", "ws://127.0.0.1:3000", "url", "2026-11", "probed", "0badcafe")
    printer.capabilities(report.document.capabilities)
    printer.report(report)
    golden("terminal.txt", STYLE.sub("", stream.getvalue()))
