"""The suite as an image, built from the project's Dockerfile on a local base."""

from __future__ import annotations

import json
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
    engine.images.build(path=str(ROOT), buildargs={"BASE": base}, tag=name, rm=True)
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
            remove=True,
        ).decode()
    finally:
        target.stop()
    assert "conformant: all " in printed
    assert json.loads((tmp_path / "report.json").read_text())["target"]["url"] == target.url


def test_it_runs_as_any_user(engine, suite):
    engine.containers.run(suite, ["run", "--only", "AP-SLUG-02"], user="12345", remove=True)
