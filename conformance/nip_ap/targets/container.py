"""A relay that is a container: `nip-ap run --image my-relay --port 8080`."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nip_ap.model.recipe import Recipe
from nip_ap.model.target_options import IMAGE, MOUNT, PORT, START_LIMIT
from nip_ap.targets import engine, environment
from nip_ap.targets.base import Target, TargetError, TargetUsage
from nip_ap.targets.ports import free_port
from nip_ap.targets.recipe import Kind
from nip_ap.targets.supervised import SupervisedTarget

LABEL = "nip-ap"
"""The label of all that the suite starts: `docker ps -a --filter label=nip-ap`."""


_USUAL_PORT = 3000
_KILLED = 137
_WAIT_LIMIT = 20
_LAST_LINES_LIMIT = 2.0


def prepare(given: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's values: image, port, variables, mounts. Raises TargetUsage."""
    return {
        "image": given["image"],
        "port": given.get("port"),
        "env": environment.variables(given.get("env", ()), given.get("env_file", ())),
        "mounts": [_mount(text) for text in given.get("mount", ())],
        "start_limit": given.get("start_limit"),
    }


def _mount(text: str) -> tuple[str, str]:
    source, colon, target = text.removesuffix(":ro").partition(":")
    if not colon or not target.startswith("/") or ":" in target:
        raise TargetUsage(
            f"--mount {text} has to be SOURCE:TARGET with an absolute TARGET, as in "
            "./relay.toml:/etc/relay.toml; mounts are read-only"
        )
    if not Path(source).exists():
        raise TargetUsage(f"--mount {text}: there is no {source}")
    return str(Path(source).resolve()), target


def make(recipe: Recipe) -> Target:
    """The relay of a recipe."""
    return SupervisedTarget(recipe, f"the container of {recipe.values['image']}")


class StartedContainer:
    """One container, and what it wrote."""

    def __init__(self, values: Mapping[str, Any], scratch: Path, log: Path) -> None:
        """Reach the engine; nothing is created yet. Raises TargetError."""
        self.name = f"{scratch.name}-{secrets.token_hex(4)}".replace("_", "-").lower()
        self.client = engine.connected()
        self.values = values
        self._host, self.publish_at = engine.host_of(self.client)
        self.host_port = free_port()
        self._log = log
        self._container: Any = None
        self._follower: threading.Thread | None = None

    # -- what compose does otherwise -------------------------------------------

    def create(self) -> Any:
        """The container, not yet started. Raises TargetError."""
        image = engine.image_of(self.client, self.values["image"])
        port = self.values["port"] or _exposed_port(image)
        return self.client.containers.create(
            image,
            name=self.name,
            labels={LABEL: "relay", f"{LABEL}.supervisor": str(os.getpid())},
            ports={f"{port}/tcp": (self.publish_at, self.host_port)},
            environment=dict(self.values["env"]),
            volumes={
                source: {"bind": target, "mode": "ro"} for source, target in self.values["mounts"]
            },
        )

    def remove(self) -> None:
        """Remove the container with its volumes, also one whose creation was cut short."""
        for one in self.client.containers.list(
            all=True, ignore_removed=True, filters={"name": f"^/?{self.name}$"}
        ):
            one.remove(force=True, v=True)

    # -- starting and ending ---------------------------------------------------

    group = 0

    def start(self) -> str:
        """Start the container, after its creation if need be. Raises TargetError."""
        with _plainly():
            if self._container is None:
                self._container = self.create()
            self._container.reload()
            self._follow()
            self._container.start()
        return f"ws://{self._host}:{self.host_port}"

    def _follow(self) -> None:
        """Copy what it writes to the log, from what it wrote already if it runs."""
        runs = self._container.status == "running"
        pieces = self._container.attach(stream=True, logs=runs)
        self._follower = threading.Thread(target=_copy, args=(pieces, self._log), daemon=True)
        self._follower.start()

    def ended(self, within: float) -> str:
        """How the container ended, if it did."""
        if self._container is None:
            return "was not started"
        threading.Event().wait(within)
        with _plainly():
            self._container.reload()
        if self._container.status not in ("exited", "dead"):
            return ""
        self._last_lines()
        return f"ended with exit code {self._container.attrs['State']['ExitCode']}"

    def is_well(self) -> bool:
        """Whether the image's own health check succeeds.

        It is run at once and not at the image's interval, which is half a minute as a rule.
        """
        test = (self._container.attrs["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
        if test[0] == "NONE":
            return True
        command = ["/bin/sh", "-c", test[1]] if test[0] == "CMD-SHELL" else test[1:]
        with _plainly():
            return bool(self._container.exec_run(command).exit_code == 0)

    def stop(self, grace: float) -> bool:
        """The image's stop signal, then SIGKILL."""
        with _plainly():
            self._container.stop(timeout=max(int(grace), 1))
            self._container.reload()
        self._last_lines()
        return bool(self._container.attrs["State"]["ExitCode"] != _KILLED)

    def kill(self) -> None:
        """SIGKILL to the container's first process, with which all others go."""
        import docker

        with _plainly():
            try:
                self._container.kill("SIGKILL")
            except docker.errors.APIError as error:
                if error.status_code != 409:  # it has ended already
                    raise
            self._container.wait(timeout=_WAIT_LIMIT)
        self._last_lines()

    def _last_lines(self) -> None:
        if self._follower is not None:
            self._follower.join(_LAST_LINES_LIMIT)

    def discard(self) -> None:
        """Remove everything."""
        with _plainly():
            self.remove()
        self.client.close()


@contextmanager
def _plainly() -> Iterator[None]:
    """What the engine objects to, as one sentence."""
    import docker

    try:
        yield
    except docker.errors.APIError as error:
        raise TargetError(f"the Docker engine refused: {error.explanation or error}") from None
    except (docker.errors.DockerException, OSError) as error:
        raise TargetError(f"the Docker engine does not answer: {error}") from None


def _exposed_port(image: Any) -> int:
    exposed = [
        int(port.removesuffix("/tcp"))
        for port in image.attrs["Config"].get("ExposedPorts") or {}
        if not port.endswith("/udp")
    ]
    return exposed[0] if len(exposed) == 1 else _USUAL_PORT


def _copy(pieces: Iterator[bytes], log: Path) -> None:
    try:
        with log.open("ab", buffering=0) as output:
            for piece in pieces:
                output.write(piece)
    except OSError:
        return  # the engine went away, which its own log tells; or the run, and its folder with it


KIND = Kind(
    "container",
    "image",
    (IMAGE, PORT, MOUNT, *environment.OPTIONS, START_LIMIT),
    prepare,
    make,
    position=30,
    starts=StartedContainer,
    own=lambda recipe: recipe,
)
