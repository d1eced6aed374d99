"""The real engine of this machine, or a skip that says why not; images built for the tests."""

from __future__ import annotations

import io
import secrets

import pytest

from tests.docker.images import PACKAGES, REPOSITORY, SOURCE, SOURCE_ROOTS, root_file_system

# It is called by the port that the engine publishes, which it cannot know.
RELAY = ["python", "-m", "nip_ap_relay", "--host", "0.0.0.0", "--port", "3000", "--trust-host"]


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/docker/" in item.path.as_posix():
            item.add_marker(pytest.mark.docker)


@pytest.fixture(scope="session")
def engine():
    """A client of the Docker engine."""
    docker = pytest.importorskip("docker", reason="the extra `docker` is not installed")
    try:
        client = docker.from_env(timeout=120)
        client.ping()
    except docker.errors.DockerException as error:
        pytest.skip(f"no Docker engine: {error}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def base(engine):
    """An image with the suite and the bundled relay, on port 3000, with a durable store."""
    tag = secrets.token_hex(4)
    engine.api.import_image_from_data(
        root_file_system("nip-ap-conformance", with_suite=True),
        repository=REPOSITORY,
        tag=tag,
        changes=[
            f"ENV PYTHONPATH={':'.join((PACKAGES, *(f'{SOURCE}/{one}' for one in SOURCE_ROOTS)))}",
            "ENV PATH=/usr/local/bin:/bin PYTHONDONTWRITEBYTECODE=1",
            "EXPOSE 3000",
            f"CMD {_json([*RELAY, '--db', '/data/relay.db'])}",
        ],
    )
    yield f"{REPOSITORY}:{tag}"
    engine.images.remove(f"{REPOSITORY}:{tag}", force=True)


@pytest.fixture(scope="session")
def variant(engine, base):
    """Builds an image on the base with these lines of a Dockerfile; gives its name."""
    made = []

    def build(*lines):
        name = f"{REPOSITORY}:{secrets.token_hex(4)}"
        text = "\n".join([f"FROM {base}", *lines, ""])
        engine.images.build(fileobj=io.BytesIO(text.encode()), tag=name, rm=True)
        made.append(name)
        return name

    yield build
    for name in made:
        engine.images.remove(name, force=True)


def _json(words):
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


@pytest.fixture
def relay_of():
    """A CMD line of the bundled relay with further arguments."""
    return lambda *arguments: f"CMD {_json([*RELAY, *arguments])}"


@pytest.fixture
def ours(engine):
    """The containers, volumes and networks that are there beyond those at the start."""

    def there():
        return {
            *(one.id for one in engine.containers.list(all=True, ignore_removed=True)),
            *(one.id for one in engine.volumes.list()),
            *(one.id for one in engine.networks.list()),
            *(tag for one in engine.images.list() for tag in one.tags),
        }

    before = there()
    return lambda: there() - before
