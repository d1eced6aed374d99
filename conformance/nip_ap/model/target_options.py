"""The options that name a relay, or say how to start one. Which kind of target takes which, the
kind says.

Apart from the kinds, so that a pytest run without --nip-ap, which lists them in its help, imports
nothing of the suite.
"""

from __future__ import annotations

from typing import Any

from nip_ap.model.options import Option, seconds, whole_number
from nip_ap.model.relay_url import relay_url


def _option(name: str, metavar: str, help: str, **more: Any) -> Option:  # noqa: A002
    return Option(help, metavar, name=name, key=name.replace("-", "_"), **more)


BUNDLED = "bundled"
"""What stands for the bundled relay where a URL is asked for."""


def _bundled_or_url(given: str) -> str:
    return BUNDLED if given.strip() == BUNDLED else relay_url(given)


URL = _option(
    "url",
    "URL",
    "A relay that runs already, ws:// or wss://; `bundled` is the bundled one.",
    read=_bundled_or_url,
    positional=True,
    pytest_flag="--relay-url",
    in_action=True,
)
CMD = _option(
    "cmd",
    "CMD",
    "Start the relay with this command; {port} and a scratch folder {dir} are filled in.",
    in_action=True,
)
TEMPLATE = _option(
    "template",
    "FILE",
    "Copy this file into {dir}, with {port} and {dir} filled in.",
    many=True,
    in_action=True,
)
IMAGE = _option("image", "IMAGE", "Start the relay as a container of this image.", in_action=True)
PORT = _option(
    "port",
    "PORT",
    "Where the relay listens in its container; the one port that the image exposes, or 3000.",
    read=whole_number(1, 65535),
    in_action=True,
)
MOUNT = _option(
    "mount",
    "SOURCE:TARGET",
    "Show a file or folder to the container, read-only: what the relay writes stays within it.",
    many=True,
)
COMPOSE = _option("compose", "FILE", "Start the relay from this compose file.", in_action=True)
SERVICE = _option("service", "NAME", "The service of --compose that is the relay.", in_action=True)
ENV = _option(
    "env",
    "NAME[=VALUE]",
    "A variable for the relay; NAME alone takes it from your environment.",
    many=True,
    secret=True,
)
ENV_FILE = _option(
    "env-file",
    "FILE",
    "A file of variables for the relay, lines of NAME=VALUE; the place for secrets.",
    many=True,
    in_action=True,
)
START_LIMIT = _option(
    "start-limit",
    "SECONDS",
    "How long the relay may take to get ready; 30 by default.",
    read=seconds,
)
DB = _option("db", "FILE", "Let the bundled relay keep its events in this file.")

OPTIONS = (URL, CMD, TEMPLATE, IMAGE, PORT, MOUNT, COMPOSE, SERVICE, ENV, ENV_FILE, START_LIMIT, DB)

CHOOSING = (URL, CMD, IMAGE, COMPOSE)
"""Those that name a relay; the others say how it is started."""
