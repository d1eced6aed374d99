"""The bundled reference relay: a command like any other, which the suite knows how to start."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nip_ap.model.recipe import DIR, PORT, Recipe
from nip_ap.model.target_options import DB
from nip_ap.targets.recipe import Kind
from nip_ap.targets.supervised import SupervisedTarget

_NAME = "bundled"
_START_LIMIT = 60.0
"""Seconds; a machine under load takes its time to start an interpreter."""


class BundledTarget(SupervisedTarget):
    """`python -m nip_ap_relay` on a free port."""

    program: ClassVar[tuple[str, ...]] = (sys.executable, "-P", "-m", "nip_ap_relay")

    def __init__(
        self,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        grants: Mapping[str, str] | None = None,
    ) -> None:
        """`arguments` go to `nip-ap relay`, such as ("--spec", "2026-06").

        `grants` holds scopes by public key, for the keys that are not to have all of them.
        """
        self.grants = dict(grants or {})
        words = (*self.program, "--port", PORT, *arguments, *_granted(self.grants))
        super().__init__(_process(words, environment or {}), "the bundled relay")


def _granted(grants: Mapping[str, str]) -> list[str]:
    return [f"--grant={pubkey}={scopes}" for pubkey, scopes in grants.items()]


def _host_of(words: Sequence[str]) -> str:
    """Where the relay listens, as a URL has it."""
    host = words[words.index("--host") + 1] if "--host" in words else "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _process(words: Sequence[str], environment: Mapping[str, str]) -> Recipe:
    """The recipe of a process."""
    values = {
        "words": list(words),
        "templates": [],
        "env": dict(environment),
        "folder": os.getcwd(),
        "host": _host_of(words),
        "start_limit": _START_LIMIT,
    }
    return Recipe("process", {}, values)


# -- as a kind of target -----------------------------------------------------------------


def recipe_of(
    given: Mapping[str, Any], arguments: Sequence[str] = (), grants: Mapping[str, str] | None = None
) -> Recipe:
    """The recipe of a bundled relay; `given` are the user's options."""
    file = ("--db", str(given["db"])) if given.get("db") else ()
    values = {"file": file, "arguments": list(arguments), "grants": dict(grants or {})}
    return Recipe(_NAME, given, values)


def _prepare(given: Mapping[str, Any]) -> dict[str, Any]:
    return dict(recipe_of(given).values)


def _make(recipe: Recipe) -> BundledTarget:
    values = recipe.values
    return BundledTarget((*values["file"], *values["arguments"]), grants=values["grants"])


def _own(recipe: Recipe) -> Recipe:
    """The same relay with a database of its own."""
    arguments = ("--db", f"{DIR}/relay.db", *recipe.values["arguments"])
    granted = _granted(recipe.values["grants"])
    return _process((*BundledTarget.program, "--port", PORT, *arguments, *granted), {})


KIND = Kind(_NAME, "", (DB,), _prepare, _make, position=50, own=_own)
