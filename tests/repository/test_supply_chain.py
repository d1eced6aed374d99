"""What others' code enters by: actions by commit, the image by digest and hashes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from supply import advisories  # noqa: E402

USES = re.compile(r"uses:\s*(\S+)(.*)")
BY_COMMIT = re.compile(r"@[0-9a-f]{40}\Z")
OURS = "OWNER/nip-ap-conformance@COMMIT"


def actions():
    """Every action that a workflow, the action or a recipe uses, with what follows on its line."""
    files = [ROOT / "action.yml", *(ROOT / "docs").glob("*.md"), *(ROOT / ".github").rglob("*.yml")]
    return [
        (file.name, *found)
        for file in files
        for found in USES.findall(file.read_text(encoding="utf-8"))
    ]


def test_every_action_is_named_by_its_commit_and_says_its_version():
    used = actions()
    assert len(used) >= 4
    for file, action, rest in used:
        assert action == OURS or BY_COMMIT.search(action), (file, action)
        assert re.fullmatch(r" # v[0-9.]+", rest), (file, action, rest)


def pinned(name):
    """The requirements of a file of pins, each with its hashes."""
    text = (ROOT / "supply" / name).read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    return {
        Requirement(line.split(" --hash")[0]).name: (line.split(" --hash")[0], line)
        for line in joined.splitlines()
        if line.strip()
    }


@pytest.mark.parametrize("name", ["image.txt", "build.txt"])
def test_every_pin_is_one_version_with_hashes(name):
    for package, (requirement, line) in pinned(name).items():
        assert [one.operator for one in Requirement(requirement).specifier] == ["=="], package
        assert "--hash=sha256:" in line, package


def test_the_pins_are_of_what_the_project_requires():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["docker"]]
    held = pinned("image.txt")
    for text in wanted:
        requirement = Requirement(text)
        assert requirement.name in held, f"tox run -e pins: {requirement.name} has no pin"
        (version,) = Requirement(held[requirement.name][0]).specifier
        assert requirement.specifier.contains(version.version), text
    assert "hatchling" in pinned("build.txt")


def test_the_image_has_its_base_by_digest_and_installs_by_hash_alone():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^ARG BASE=\S+@sha256:[0-9a-f]{64}$", text, re.MULTILINE)
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if "pip install" in line:
            assert "--require-hashes" in line or "--no-deps --no-build-isolation" in line
    assert "\nUSER 65534:65534\n" in text


def package(name, **fields):
    return {"name": name, "version": "1.0", **fields}


FLAW = {"id": "PYSEC-1", "fix_versions": ["1.1"], "aliases": [], "description": ""}


@pytest.mark.parametrize(
    ("found", "said", "code", "words"),
    [
        (None, "no route to host", 0, "skipped: advisories cannot be looked up here: no route"),
        ([package("a", skip_reason="not found")], "", 0, "skipped: advisories cannot be looked up"),
        ([package("a", vulns=[])], "", 0, "no advisory about 1 packages"),
        ([package("a", vulns=[FLAW])], "", 1, "a 1.0: PYSEC-1, fixed in 1.1"),
        (
            [package("a", vulns=[]), package("b", skip_reason="not found")],
            "",
            0,
            "not looked up: b: not found",
        ),
    ],
)
def test_an_advisory_fails_and_a_look_that_is_impossible_is_said(found, said, code, words):
    given = None if found is None else {"dependencies": found}
    told, lines = advisories.told(given, said)
    assert told == code
    assert words in "\n".join(lines)
