"""A relay that is a service of a compose file: `nip-ap run --compose compose.yaml --service relay`.

The file is resolved by the compose tool itself and then changed in three respects, so that several
such relays can run side by side, next to what the user has running: no port is published but the
relay's, on a free one; no container has a fixed name; none starts again by itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nip_ap.model.recipe import Recipe
from nip_ap.model.target_options import COMPOSE, PORT, SERVICE, START_LIMIT
from nip_ap.targets import environment
from nip_ap.targets.base import Target, TargetError, TargetUsage
from nip_ap.targets.container import LABEL, StartedContainer
from nip_ap.targets.recipe import Kind
from nip_ap.targets.supervised import SupervisedTarget

_CONFIG_LIMIT, _UP_LIMIT, _DOWN_LIMIT = 60, 900, 120
_USUAL_PORT = 3000


def prepare(given: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's values: file, service, port, variables. Raises TargetUsage."""
    file = Path(given["compose"])
    if not file.is_file():
        raise TargetUsage(f"--compose {file}: there is no such file")
    if "service" not in given:
        raise TargetUsage("--compose needs --service NAME: which of its services is the relay")
    return {
        "file": str(file.resolve()),
        "service": given["service"],
        "port": given.get("port"),
        "env": environment.variables(given.get("env", ()), given.get("env_file", ())),
        "start_limit": given.get("start_limit"),
    }


def make(recipe: Recipe) -> Target:
    """The relay of a recipe."""
    file = Path(recipe.values["file"]).name
    return SupervisedTarget(recipe, f"the service {recipe.values['service']} of {file}")


class StartedService(StartedContainer):
    """The services of a compose file; what is stopped and killed is the relay's container alone."""

    def __init__(self, values: Mapping[str, Any], scratch: Path, log: Path) -> None:
        """Find the compose tool. Raises TargetError."""
        super().__init__(values, scratch, log)
        self._tool = _tool()
        self._changed_file = ""
        """What the compose tool reads from its input: it may hold secrets, and the scratch folder
        may be gone before the services are."""
        self._folder = str(Path(values["file"]).parent)

    def create(self) -> Any:
        """Bring the services up; gives the relay's container, which runs."""
        self._changed_file = self._changed(self._resolved())
        self._run("-", "up", "-d", limit=_UP_LIMIT)
        identifier = self._run("-", "ps", "-q", self.values["service"]).strip()
        if not identifier:
            raise TargetError(f"the service {self.values['service']} has no container")
        return self.client.containers.get(identifier.splitlines()[0])

    def remove(self) -> None:
        """Take everything down: containers, volumes, networks, images that were built for it."""
        if self._changed_file:
            words = ("down", "-v", "--rmi", "local", "--remove-orphans", "--timeout", "1")
            self._run("-", *words, limit=_DOWN_LIMIT)

    def _run(self, file: str, *words: str, limit: float = _CONFIG_LIMIT) -> str:
        command = [*self._tool, "-f", file, "--project-directory", self._folder]
        command += ["-p", self.name, *words]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=limit,
                check=False,
                input=self._changed_file,
            )
        except subprocess.TimeoutExpired:
            raise TargetError(f"{self._tool[-1]} {words[0]} did not end within {limit} s") from None
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-3:]
            raise TargetError(f"{' '.join(self._tool)} {words[0]} failed: {'; '.join(reason)}")
        return done.stdout

    def _resolved(self) -> dict[str, Any]:
        yaml = _yaml()
        found = yaml.safe_load(self._run(self.values["file"], "config"))
        services = found.get("services", {})
        if self.values["service"] not in services:
            raise TargetError(
                f"{Path(self.values['file']).name} has no service {self.values['service']}; "
                f"it has {', '.join(services)}"
            )
        return dict(found)

    def _changed(self, configuration: dict[str, Any]) -> str:
        configuration.pop("name", None)
        relay = configuration["services"][self.values["service"]]
        port = self.values["port"] or _port_of(relay)
        for service in configuration["services"].values():
            for word in ("ports", "container_name", "restart"):
                service.pop(word, None)
            labels = service.get("labels") or {}
            if isinstance(labels, list):
                labels = dict(one.partition("=")[::2] for one in labels)
            service["labels"] = labels | {LABEL: "relay", f"{LABEL}.supervisor": str(os.getpid())}
        relay["ports"] = [f"{self.publish_at}:{self.host_port}:{port}"]
        relay["environment"] = _as_mapping(relay.get("environment")) | self.values["env"]
        return str(_yaml().safe_dump(configuration))


def _port_of(service: Mapping[str, Any]) -> int:
    """The one port of the container that the file publishes or exposes."""
    ports = service.get("ports") or service.get("expose") or []
    if len(ports) != 1:
        return _USUAL_PORT
    entry = ports[0]
    target = entry["target"] if isinstance(entry, dict) else str(entry).rpartition(":")[2]
    return int(str(target).partition("/")[0])


def _as_mapping(environment: Any) -> dict[str, Any]:
    if isinstance(environment, list):
        return dict(one.partition("=")[::2] for one in environment)
    return dict(environment or {})


def _tool() -> list[str]:
    """The words that call the compose tool. Raises TargetError."""
    if shutil.which("docker"):
        asked = subprocess.run(
            ["docker", "compose", "version"], capture_output=True, stdin=subprocess.DEVNULL
        )
        if asked.returncode == 0:
            return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise TargetError("--compose needs `docker compose` or docker-compose, and neither is here")


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise TargetError(
            "--compose needs PyYAML: pip install 'nip-ap-conformance[docker]'"
        ) from None
    return yaml


KIND = Kind(
    "compose",
    "compose",
    (COMPOSE, SERVICE, PORT, *environment.OPTIONS, START_LIMIT),
    prepare,
    make,
    position=40,
    starts=StartedService,
    own=lambda recipe: recipe,
)
