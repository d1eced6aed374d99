"""What the tests of the suite share."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from nip_ap.nostr import SecretKey

pytest_plugins = ["pytester", "tests.whole_run"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flag that accepts what changed."""
    parser.addoption(
        "--update-snapshots", action="store_true", help="write the files that tests compare with"
    )


@pytest.fixture
def update_snapshots(request: pytest.FixtureRequest) -> bool:
    """Whether files that a test compares with are to be written instead."""
    return bool(request.config.getoption("--update-snapshots"))


settings.register_profile(
    "tests",
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("tests")


@pytest.fixture
def key() -> SecretKey:
    """A key that is the same in every run of the tests."""
    return SecretKey.derived("tests", "key")


@pytest.fixture
def other_key() -> SecretKey:
    """Another such key."""
    return SecretKey.derived("tests", "other key")
