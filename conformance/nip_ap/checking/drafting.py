"""Drafts of personas: what the fixture `persona` makes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nip_ap.checking.actor import Clock
from nip_ap.nostr import PERSONA, Draft
from nip_ap.nostr.event import as_tags


@dataclass(frozen=True)
class Persona:
    """Makes drafts of personas by the clock of a check; the type of the fixture, too."""

    clock: Clock

    def __call__(
        self,
        slug: str | None,
        *,
        at: int | None = None,
        name: str = "Conformance",
        content: str | None = None,
        tags: Iterable[Sequence[str]] = (),
        shared: bool = False,
    ) -> Draft:
        """A draft; without a slug one that has no `d` tag, and `at` is now if left out."""
        own = [("d", slug)] if slug is not None else []
        gate = [("shared", "true")] if shared else []
        return Draft(
            PERSONA,
            self.clock.now() if at is None else at,
            as_tags([*own, *gate, *tags]),
            _content(name) if content is None else content,
        )


def _content(name: str) -> str:
    value = {"display_name": name, "system_prompt": "You are a test."}
    return json.dumps(value, separators=(",", ":"))
