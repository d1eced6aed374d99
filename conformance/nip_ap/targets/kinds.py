"""Every kind of target there is. A new one is a module with a KIND, and an entry in KINDS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nip_ap.model.recipe import Recipe
from nip_ap.targets import bundled, compose, container, process, recipe, url
from nip_ap.targets.base import Target
from nip_ap.targets.recipe import Kind

KINDS: tuple[Kind, ...] = (
    url.KIND,
    process.KIND,
    container.KIND,
    compose.KIND,
    bundled.KIND,
)


def chosen(given: Mapping[str, Any]) -> Recipe:
    """The recipe that options by key (and "url") describe. Raises TargetUsage."""
    return recipe.choose(given, KINDS)


def kind_of(one: Recipe) -> Kind:
    """The kind of a recipe."""
    return next(kind for kind in KINDS if kind.name == one.kind)


def target_of(one: Recipe) -> Target:
    """The target that a recipe makes, not started. Raises TargetError."""
    return kind_of(one).make(one)


def own_recipe(one: Recipe) -> Recipe | None:
    """The recipe of another such relay, which a check may kill; None where there can be none."""
    own = kind_of(one).own
    return None if own is None else own(one)


def words(one: Recipe) -> list[str]:
    """How a user names this target on the command line, without secrets."""
    return recipe.words_of(one, kind_of(one))
