"""The suite as an image, built from the project's Dockerfile on a local base."""

from __future__ import annotations

import json
import os
import secrets

import pytest

from nip_ap.targets import BundledTarget
from tests.docker.images import PACKAGES, REPOSITORY, ROOT, root_file_system


@pytest.fixture(scope="module")
def suite(engine):
    """The image of the Dockerfile; the base has what pip would fetch, so no network is needed."""
    base, name = (f"{REPOSITORY}:{secrets.token_hex(4)}" for _ in range(2))
    engine.api.import_image_from_data(
        root_file_system(
            *("nip-ap-conformance", "docker", "pyyaml", "pip", "hatchling"), with_suite=False
        ),
        repository=REPOSITORY,
        tag=base.partition(":")[2],
        changes=[
            f"ENV PYTHONPATH={PACKAGES} PATH=/usr/local/bin:/bin PIP_NO_INDEX=1",
            "ENV PIP_NO_BUILD_ISOLATION=0 PIP_ROOT_USER_ACTION=ignore",
        ],
    )
    # What the pins would bring is in the base, so there is nothing to be pinned here.
    arguments = {"BASE": base, "PINS": "tests/docker/nothing"}
    engine.images.build(path=str(ROOT), buildargs=arguments, tag=name, rm=True, forcerm=True)
    yield name
    for one in (name, base):
        engine.images.remove(one, force=True)


def test_without_arguments_it_runs_the_suite_on_the_bundled_relay(engine, suite):
    engine.containers.run(suite, ["run", "--only", "AP-SLUG-02", "--only", "DUR"], remove=True)


def test_it_tests_a_relay_outside_and_leaves_the_report_there(engine, suite, tmp_path):
    target = BundledTarget()
    target.start()
    try:
        printed = engine.containers.run(
            suite,
            ["run", target.url, "--only", "AP-SLUG-02", "--out", "/report"],
            network_mode="host",
            volumes={str(tmp_path): {"bind": "/report", "mode": "rw"}},
            user=str(os.getuid()),
            remove=True,
        ).decode()
    finally:
        target.stop()
    assert "conformant: all " in printed
    assert json.loads((tmp_path / "report.json").read_text())["target"]["url"] == target.url


def test_it_runs_as_any_user(engine, suite):
    engine.containers.run(suite, ["run", "--only", "AP-SLUG-02"], user="12345", remove=True)


def test_it_runs_as_a_user_without_rights_and_holds_no_source(engine, suite):
    assert engine.images.get(suite).attrs["Config"]["User"] == "65534:65534"
    held = engine.containers.run(
        suite,
        [
            "-c",
            "import os; print(os.getuid(), os.path.exists('/tmp/source'), os.listdir('/suite'))",
        ],
        entrypoint=["python"],
        remove=True,
    ).decode()
    assert held.startswith("65534 False ")
    assert "nip_ap_relay" in held
    assert "hatchling" not in held
