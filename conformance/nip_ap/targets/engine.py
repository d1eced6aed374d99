"""The Docker engine, through its SDK; what stands in its way is said in one sentence."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nip_ap.targets.base import TargetError

if TYPE_CHECKING:
    import docker

_LIMIT = 60
LOOPBACK = "127.0.0.1"


def connected() -> docker.DockerClient:
    """A client of the engine that the environment names. Raises TargetError."""
    try:
        import docker
    except ImportError:
        raise TargetError(
            "containers need the docker SDK: pip install 'nip-ap-conformance[docker]'"
        ) from None
    where = os.environ.get("DOCKER_HOST", "the usual socket")
    try:
        client = docker.from_env(timeout=_LIMIT)
        client.ping()
    except (docker.errors.DockerException, OSError) as error:
        if _is_denied(error):
            raise TargetError(
                f"you may not use the Docker engine at {where}; "
                "ask to be in the group docker, or run rootless Docker"
            ) from None
        raise TargetError(
            f"no Docker engine answers at {where}; is it installed and running?"
        ) from None
    return client


def _is_denied(error: BaseException | None) -> bool:
    """Whether a missing permission is among the causes; the SDK wraps it several times."""
    while error is not None:
        if isinstance(error, PermissionError) or "Permission denied" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def host_of(client: Any) -> tuple[str, str]:
    """Where published ports of this engine are reached, and the address to publish them at."""
    parts = urlsplit(str(client.api.base_url))
    is_local = parts.scheme not in ("http", "https") or parts.hostname in ("localhost", LOOPBACK)
    return (LOOPBACK, LOOPBACK) if is_local else (str(parts.hostname), "0.0.0.0")


def image_of(client: Any, name: str) -> Any:
    """An image, pulled where it is not there, as `docker run` does. Raises TargetError."""
    import docker

    try:
        return client.images.get(name)
    except docker.errors.ImageNotFound:
        pass
    try:
        return client.images.pull(*_reference(name))
    except docker.errors.DockerException as error:
        reason = getattr(error, "explanation", None) or str(error)
        raise TargetError(
            f"the image {name} is not on this machine and cannot be pulled: {reason}"
        ) from None


def _reference(name: str) -> tuple[str, str | None]:
    """Repository and tag; the SDK would pull every tag of a name without one."""
    if "@" in name:
        return name, None
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")
