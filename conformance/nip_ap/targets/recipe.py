"""How a target is named and made: options that users give, kinds of targets, recipes in between.

A recipe is plain JSON, so that a worker process can make a relay of its own from it. It may hold
the values of environment variables; it goes to other processes through pipes and is never printed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nip_ap.model.options import EMPTY, Option
from nip_ap.model.recipe import Recipe
from nip_ap.model.target_options import BUNDLED
from nip_ap.targets.base import Target, TargetUsage
from nip_ap.targets.started import Starter


@dataclass(frozen=True)
class Kind:
    """A kind of target: the option that chooses it, the others that it takes, how it is made.

    `prepare` turns the options given into a recipe's values and raises TargetUsage. `own` gives the
    recipe of another such relay with a store of its own that survives a restart, for checks that
    kill it; None where the suite cannot start one.
    """

    name: str
    chosen_by: str
    options: tuple[Option, ...]
    prepare: Callable[[Mapping[str, Any]], dict[str, Any]]
    make: Callable[[Recipe], Target]
    position: int
    """Its place among the others in messages and help."""
    starts: Starter | None = None
    """What the supervisor starts of a recipe; None where it starts nothing."""
    own: Callable[[Recipe], Recipe] | None = None


def words_of(recipe: Recipe, kind: Kind) -> list[str]:
    """How a user names this target on the command line, without secrets."""
    if recipe.url:
        return [recipe.url]
    return [word for one in kind.options for word in one.words(recipe.given.get(one.key))]


def choose(given: Mapping[str, Any], kinds: Sequence[Kind]) -> Recipe:
    """The recipe that options describe. Raises TargetUsage.

    `given` has the options by key; what was not given is None or empty. Without a choice it is the
    kind that no option chooses.
    """
    given = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value not in (None, (), [])
    }
    for name, value in given.items():
        if isinstance(value, str) and not value.strip():
            raise TargetUsage(f"{_written(name)}: {EMPTY}")
    is_bundled = given.get("url") == BUNDLED
    if is_bundled:
        del given["url"]
    chosen = [kind for kind in kinds if kind.chosen_by and kind.chosen_by in given]
    named = [
        *(["the bundled relay"] if is_bundled else []),
        *(_written(kind.chosen_by) for kind in chosen),
    ]
    if len(named) > 1:
        raise TargetUsage(f"{' and '.join(named)}: choose one, a run tests one relay")
    kind = chosen[0] if chosen else next(kind for kind in kinds if not kind.chosen_by)
    taken = {option.key for option in kind.options} | {kind.chosen_by}
    for name in given:
        if name not in taken:
            homes = " or ".join(
                _written(one.chosen_by) or "the bundled relay"
                for one in kinds
                if name in {option.key for option in one.options}
            )
            here = _written(kind.chosen_by) or "the bundled relay"
            raise TargetUsage(f"{_written(name)} is only valid with {homes}, not with {here}")
    return Recipe(kind.name, given, kind.prepare(given))


def _written(key: str) -> str:
    if key == "url":
        return "a URL"
    return f"--{key.replace('_', '-')}" if key else ""
