"""Every format, found by discovery: over the whole hostile corpus, and one that a module adds."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nip_ap.reporting.formats import Format, formats
from tests.reporting.reports import HOSTILE, hostile_report, one_of_each

ROOT = Path(__file__).parents[2]
"""The checkout; the package that is tested may be installed elsewhere."""

CONTROL = re.compile("[\x00-\x08\x0b-\x1f]")
"""What no file of any format may hold as it is; JSON escapes these."""

UNSEEN = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]"
)
"""What files that people read may not hold either."""

MODULE = '''
"""A format that a test adds."""

from nip_ap.reporting.formats import Format


def write(report, out):
    (out / "shout.txt").write_text(report.document.verdict.upper())


FORMAT = Format("shout", "whoever does not listen", ("shout.txt",), write)
'''


def written(one: Format, report, folder: Path) -> dict[str, str]:
    """The files of a format by name, once it is clear that they are those that it declares."""
    folder.mkdir(exist_ok=True)
    if one.name == "allure":
        pytest.importorskip("allure_commons", reason="the extra allure is not installed")
    one.write(report, folder)
    found = {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert found or one.name == "sequences"  # which has files only where something was found
    for name in found:
        assert any(
            fnmatch(name, file) or (file.endswith("/") and name.startswith(file))
            for file in one.files
        ), f"{one.name} does not declare {name}"
    return found


OUR_COMMAND = re.compile(r"^::(error|warning|notice) title=[^\n:,]+::(?=[^\n]*$)", re.MULTILINE)


def without_our_commands(content: str) -> str:
    """annotations.txt without the commands that it is for, once they are all it has."""
    assert all(OUR_COMMAND.match(line) for line in content.splitlines())
    return OUR_COMMAND.sub("", content)


@pytest.mark.parametrize("one", formats().values(), ids=formats())
@pytest.mark.parametrize("text", [None, *HOSTILE], ids=lambda text: repr(text)[:20])
def test_no_format_is_a_way_in_for_a_hostile_relay(one, text, tmp_path):
    report = hostile_report() if text is None else one_of_each(text)
    for name, content in written(one, report, tmp_path).items():
        assert CONTROL.search(content) is None, name
        if name.endswith(".jsonl"):
            assert all(isinstance(json.loads(line), dict) for line in content.split("\n")[:-1])
        elif name.endswith(".json"):
            assert json.loads(content)
        else:
            assert UNSEEN.search(content) is None, name
            told = without_our_commands(content) if one.name == "annotations" else content
            assert name.endswith(".html") or not re.search("^::|##\\[", told, re.M), name
        if name.endswith((".xml", ".svg")):
            ElementTree.fromstring(content)


def test_the_names_of_formats_and_of_their_files_are_unique():
    files = [file for one in formats().values() for file in one.files]
    assert len(files) == len(set(files))
    assert all(one.readers and one.files for one in formats().values())


@pytest.fixture
def copy(tmp_path):
    """A copy of the package, with what it takes from fixtures/ and reports/ beside it."""
    for folder in ("conformance/nip_ap", "fixtures", "scenarios", "reports/templates"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "reports/report.schema.json", tmp_path / "reports")
    return tmp_path


def test_one_module_adds_a_format(copy):
    (copy / "conformance/nip_ap/reporting/formats/shout.py").write_text(MODULE)
    script = (
        "from pathlib import Path\n"
        "from nip_ap.reporting import read_report, write_reports\n"
        f"report = read_report(Path({str(published())!r}))\n"
        "print([one.name for one in write_reports(report, Path('out'))])\n"
        "from nip_ap.reporting.listeners import write_reports as of_a_run\n"
        "assert of_a_run is write_reports\n"
        "from pages import formats_table\n"
        "print(formats_table())\n"
    )
    paths = [
        copy / "conformance",
        ROOT / "reference_relay",
        ROOT / "reference_client",
        ROOT / "docs",
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=copy, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "'shout.txt'" in done.stdout
    assert "| `shout.txt` | whoever does not listen |" in done.stdout
    assert (copy / "out" / "shout.txt").read_text() == "NOT CONFORMANT"


def published() -> Path:
    """A report that comes with the repository."""
    from tests.reporting.reports import PUBLISHED

    return next(PUBLISHED.glob("*/report.json"))


def test_a_module_that_declares_no_format_is_named(copy):
    (copy / "conformance/nip_ap/reporting/formats/empty.py").write_text('"""Nothing."""\n')
    environment = {**os.environ, "PYTHONPATH": str(copy / "conformance")}
    done = subprocess.run(
        [sys.executable, "-c", "from nip_ap.reporting.formats import formats; formats()"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "reporting/formats/empty.py declares no FORMAT" in done.stderr
