"""The files of the project itself: workflows with the least rights, and one version everywhere."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from nip_ap.version import __version__

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


SOURCES = ("conformance", "reference_relay", "reference_client", "scenarios")
LONG = 400
"""Lines from which a module has to say why it is not two."""


@pytest.mark.parametrize("root", SOURCES)
def test_a_long_module_says_in_its_first_comment_why(root):
    silent = []
    for path in sorted((ROOT / root).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        about = ast.get_docstring(ast.parse(text)) or ""
        if text.count("\n") > LONG and "Longer than most" not in " ".join(about.split()):
            silent.append(path.relative_to(ROOT).as_posix())
    assert silent == []


def parsed(path: Path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_has_no_rights_but_to_read_where_a_job_does_not_say_so(file):
    workflow = parsed(file)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert job["runs-on"], name
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step), (name, step)
            # What somebody else can choose is never pasted into a script.
            assert "${{" not in step.get("run", ""), (name, step)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_asks_for_environments_of_tox_that_exist(file):
    known = set(re.findall(r"^\[testenv:(\w+)\]", (ROOT / "tox.ini").read_text(), re.MULTILINE))
    asked = re.findall(r"tox run -e ([\w,]+)", file.read_text(encoding="utf-8"))
    assert asked
    assert {one for names in asked for one in names.split(",")} <= known


def test_every_python_that_is_promised_is_tested():
    (matrix,) = [
        job["strategy"]["matrix"]["python"]
        for job in parsed(ROOT / ".github/workflows/ci.yml")["jobs"].values()
        if "strategy" in job
    ]
    promised = [
        one.rpartition(" ")[2] for one in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", one)
    ]
    assert matrix == promised


def test_a_release_is_published_without_a_token_and_from_its_tag_alone():
    release = parsed(ROOT / ".github/workflows/release.yml")
    publish = release["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert all("password" not in step.get("with", {}) for step in publish["steps"])
    assert release[True] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}  # YAML reads "on" so


def test_the_version_and_the_tools_are_the_same_everywhere():
    assert parsed(ROOT / "CITATION.cff")["version"] == __version__
    hooks = parsed(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    pins = {pin for one in hooks for pin in one["additional_dependencies"]}
    assert pins <= set(PROJECT["optional-dependencies"]["lint"])


@pytest.mark.parametrize(
    "file", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")), ids=lambda file: file.stem
)
def test_an_issue_form_has_what_the_forge_asks_for(file):
    form = parsed(file)
    assert {"name", "description", "body"} <= set(form)
    ids = [one["id"] for one in form["body"]]
    assert len(set(ids)) == len(ids)
