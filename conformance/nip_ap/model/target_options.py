"""The options that name a relay to be started. Which kind of target takes which, the kind says.

Apart from the kinds, so that a pytest run without --nip-ap, which lists them in its help, imports
nothing of the suite.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TargetOption:
    """One option; `nip-ap run` has it as --NAME and pytest as --nip-ap-NAME.

    Of a secret option only what stands before `=` is ever shown again.
    """

    name: str
    metavar: str
    help: str
    type: type = str
    many: bool = False
    secret: bool = False

    @property
    def key(self) -> str:
        """The name as an identifier."""
        return self.name.replace("-", "_")


CMD = TargetOption(
    "cmd",
    "CMD",
    "Start the relay with this command; {port} and a scratch folder {dir} are filled in.",
)
TEMPLATE = TargetOption(
    "template",
    "FILE",
    "Copy this file into {dir}, with {port} and {dir} filled in. Repeatable.",
    many=True,
)
IMAGE = TargetOption("image", "IMAGE", "Start the relay as a container of this image.")
PORT = TargetOption(
    "port",
    "PORT",
    "Where the relay listens in its container; the one port that the image exposes, or 3000.",
    int,
)
MOUNT = TargetOption(
    "mount",
    "SOURCE:TARGET",
    "Show a file or folder to the container, read-only: what the relay writes stays within it. "
    "Repeatable.",
    many=True,
)
COMPOSE = TargetOption("compose", "FILE", "Start the relay from this compose file.")
SERVICE = TargetOption("service", "NAME", "The service of --compose that is the relay.")
ENV = TargetOption(
    "env",
    "NAME[=VALUE]",
    "A variable for the relay; NAME alone takes it from your environment. Repeatable.",
    many=True,
    secret=True,
)
ENV_FILE = TargetOption(
    "env-file", "FILE", "Variables for the relay, a NAME=VALUE a line. Repeatable.", many=True
)
START_LIMIT = TargetOption(
    "start-limit", "SECONDS", "How long the relay may take to get ready; 30 by default.", float
)
DB = TargetOption("db", "FILE", "Let the bundled relay keep its events in this file.")

OPTIONS = (CMD, TEMPLATE, IMAGE, PORT, MOUNT, COMPOSE, SERVICE, ENV, ENV_FILE, START_LIMIT, DB)
