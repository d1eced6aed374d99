"""A relay that somebody else runs, known by its URL."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from nip_ap.model.recipe import Recipe
from nip_ap.targets.base import Target, TargetError
from nip_ap.targets.recipe import Kind


class UrlTarget:
    """A URL; somebody else starts and stops what is behind it."""

    is_disposable = False
    log = None

    def __init__(self, url: str) -> None:
        """Take ws://... or wss://... Raises TargetError for anything else."""
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise TargetError(f"{url!r} is no relay URL; it has to begin with ws:// or wss://")
        if parts.username or parts.password:
            raise TargetError("a relay URL must not hold a user name or password")
        self.url = url

    def start(self) -> None:
        """The relay runs already."""

    def stop(self) -> None:
        """It goes on running."""

    def logs(self) -> str:
        """Its log is somewhere else."""
        return ""


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine, where heavier checks are allowed."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _prepare(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"url": given["url"]}


def _make(recipe: Recipe) -> Target:
    return UrlTarget(recipe.values["url"])


KIND = Kind("url", "url", (), _prepare, _make, position=10)
