"""A relay that somebody else runs, known by its URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nip_ap.model.recipe import Recipe
from nip_ap.model.relay_url import RelayUrl, relay_url
from nip_ap.targets.base import Target, TargetError
from nip_ap.targets.recipe import Kind


class UrlTarget:
    """A URL; somebody else starts and stops what is behind it."""

    is_disposable = False
    log = None

    def __init__(self, url: str) -> None:
        """Take ws://... or wss://... Raises TargetError for anything else."""
        try:
            self.url = relay_url(url)
        except ValueError as error:
            raise TargetError(str(error)) from None

    def start(self) -> None:
        """The relay runs already."""

    def stop(self) -> None:
        """It goes on running."""

    def logs(self) -> str:
        """Its log is somewhere else."""
        return ""


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine, where heavier checks are allowed."""
    return RelayUrl.parse(url).is_loopback


def _prepare(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"url": given["url"]}


def _make(recipe: Recipe) -> Target:
    return UrlTarget(recipe.values["url"])


KIND = Kind("url", "url", (), _prepare, _make, position=10)
