"""The wheel and the sdist: complete, and usable where no checkout is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def distributions(tmp_path_factory):
    """The sdist of this checkout, and the wheel that is built from that sdist."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("this is no checkout")
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, sdist


def resources_of_the_checkout():
    scenarios = list((ROOT / "scenarios").rglob("*.py"))
    fixtures = [path for path in (ROOT / "fixtures").rglob("*") if path.is_file()]
    templates = [path for path in (ROOT / "reports" / "templates").iterdir() if path.is_file()]
    found = [*scenarios, *fixtures, *templates, ROOT / "reports" / "report.schema.json"]
    return sorted(str(path.relative_to(ROOT)) for path in found if "__pycache__" not in path.parts)


def test_the_wheel_holds_scenarios_fixtures_and_schema(distributions):
    names = set(zipfile.ZipFile(distributions[0]).namelist())
    missing = [one for one in resources_of_the_checkout() if f"nip_ap/{one}" not in names]
    assert missing == []


def test_the_wheel_is_typed_licensed_and_names_its_doors(distributions):
    wheel = zipfile.ZipFile(distributions[0])
    names = wheel.namelist()
    assert {"nip_ap/py.typed", "nip_ap_relay/py.typed"} <= set(names)
    (entry_points,) = [one for one in names if one.endswith("entry_points.txt")]
    text = wheel.read(entry_points).decode()
    assert "nip-ap = nip_ap.__main__:main" in text
    assert "nip_ap = nip_ap.plugin" in text
    assert [one for one in names if one.endswith("licenses/LICENSE")]


def test_the_wheel_brings_nothing_into_anybody_elses_name(distributions):
    names = zipfile.ZipFile(distributions[0]).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {one for one in tops if not one.endswith(".dist-info")} == {
        "nip_ap",
        "nip_ap_relay",
        "nip_ap_client",
    }
    assert [one for one in names if "__pycache__" in one or "published" in one] == []


def test_the_sdist_holds_what_the_tests_need(distributions):
    with tarfile.open(distributions[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"pyproject.toml", "README.md", "LICENSE", "tests/conftest.py"}
    assert wanted | set(resources_of_the_checkout()) <= names


@pytest.fixture(scope="session")
def installed(distributions, tmp_path_factory):
    """A fresh virtual environment with the wheel in it; gives the path of its `nip-ap`."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=True)
    subprocess.run(
        [folder / "bin" / "pip", "install", "-q", str(distributions[0])],
        check=True,
        capture_output=True,
    )
    return folder / "bin"


def run(command, folder, path=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if path is not None:
        clean["PATH"] = f"{path}{os.pathsep}{clean['PATH']}"
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=folder, env=clean, check=False
    )


def test_an_installed_wheel_tests_its_bundled_relay(installed, tmp_path):
    done = run([installed / "nip-ap", "run", "--only", "SLUG", "--json"], tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["verdict"], report["target"]["bundled"]) == ("conformant", True)


def test_an_installed_wheel_is_a_pytest_plugin(installed, tmp_path):
    done = run(
        [installed / "pytest", "--nip-ap", "--nip-ap-only", "AP-SLUG-02", "-n", "2"], tmp_path
    )
    assert done.returncode == 0, done.stdout
    assert "conformant: all 2 applicable checks hold" in done.stdout


def test_an_installed_wheel_is_the_same_suite_to_a_certificate(installed, tmp_path):
    from nip_ap.certificate.identity import code_digest, register_digest

    show = (
        "from nip_ap.certificate.identity import code_digest, register_digest; "
        "print(code_digest(), register_digest())"
    )
    done = run([installed / "python", "-c", show], tmp_path)
    assert done.stdout.split() == [code_digest(), register_digest()], done.stderr


def test_a_project_with_checks_of_its_own_needs_no_checkout(installed, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "own_scenarios", project)
    few = ("--only", "AP-SLUG-02", "--only", "FAMILY", "--out", "report")
    done = run([installed / "nip-ap", "run", *few], project, path=installed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "report" / "own" / "report.json").is_file()
    done = run([installed / "nip-ap", "prove", "--scenarios", "conformance"], project, installed)
    assert done.returncode == 0, done.stdout + done.stderr
