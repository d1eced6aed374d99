"""The process that serves the reference relay and every rogue, and checks run on its relays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from nip_ap.checking.preflight import probe
from nip_ap.engine.preparation import abilities, bundled_recipe, bundled_target
from nip_ap.model.clauses import NOVEMBER, register
from nip_ap.model.recipe import Recipe
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.rogue import Rogue
from nip_ap.targets import BundledTarget
from nip_ap.targets.kinds import own_recipe
from nip_ap_relay.rogues import ROGUES

REFERENCE = "reference"
"""The relay without a deviation."""

_PROBES_AT_ONCE = 8


@dataclass(frozen=True)
class Gallery:
    """A target that serves many relays, each under its name."""

    settings: Settings
    target: BundledTarget

    def subjects(self, rogues: Sequence[Rogue]) -> list[Subject]:
        """The rogues as relays to test, probed."""
        with ThreadPoolExecutor(_PROBES_AT_ONCE) as pool:
            return list(pool.map(lambda rogue: self.subject(rogue.name), rogues))

    def subject(self, name: str, spec: str = NOVEMBER) -> Subject:
        """One relay of the gallery, probed; the reference in `spec`, a rogue in its own."""
        url = f"{self.target.url}/" if name == REFERENCE else f"{self.target.url}/{name}/"
        spec = spec if name == REFERENCE else ROGUES[name].spec
        found = probe(url, replace(self.settings, spec=spec), {})
        own = self._own(name)
        able = abilities(self.target, url, self.settings, own)
        return Subject(name, url, found, is_disposable=True, abilities=able, own=own)

    def _own(self, name: str) -> Recipe | None:
        """For checks that kill their relay: the reference in a process, and rogues of that kind.

        All other rogues live in the gallery alone; a start and a kill of each would take minutes.
        """
        if name == REFERENCE:
            return own_recipe(bundled_recipe(self.settings))
        if not shows_at_a_restart(ROGUES[name]):
            return None
        settings = replace(self.settings, spec=ROGUES[name].spec)
        return own_recipe(bundled_recipe(settings, "--rogue", name))


@contextmanager
def gallery_of(settings: Settings) -> Iterator[Gallery]:
    """A gallery while it lasts."""
    target = bundled_target(settings, "--gallery")
    with serving(target):
        yield Gallery(settings, target)


@contextmanager
def serving(target: BundledTarget) -> Iterator[None]:
    """A target that runs while this lasts."""
    try:
        target.start()
        yield
    finally:
        target.stop()


def shows_at_a_restart(rogue: Rogue) -> bool:
    """Whether a rogue names a clause of which only a restart tells."""
    known = register()
    named = (rogue.turns_red | rogue.blinds) & {clause.id for clause in known}
    return any("restart" in known[clause].needs for clause in named)
