"""Every kind of target there is, found by its module: one with a KIND in this folder is a kind."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from nip_ap.model.recipe import Recipe
from nip_ap.targets import recipe
from nip_ap.targets.base import Target
from nip_ap.targets.recipe import Kind
from nip_ap.targets.started import Starter

_NOT_A_KIND = ("kinds", "supervisor")


def _found() -> tuple[Kind, ...]:
    names = [one.name for one in iter_modules([str(Path(__file__).parent)])]
    modules = [import_module(f"nip_ap.targets.{name}") for name in names if name not in _NOT_A_KIND]
    kinds = [kind for one in modules if isinstance(kind := getattr(one, "KIND", None), Kind)]
    return tuple(sorted(kinds, key=lambda kind: kind.position))


KINDS = _found()


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


def starter_of(kind: str) -> Starter:
    """What the supervisor starts for a kind by its name. Raises KeyError."""
    return {one.name: one.starts for one in KINDS if one.starts is not None}[kind]
