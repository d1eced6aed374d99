"""From options to a target: recipes, and what the suite can do to a relay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nip_ap.checking.credentials import ABILITIES, grants, run_key
from nip_ap.checking.probes import PROBES
from nip_ap.engine.keys import SettingsError, read_keys
from nip_ap.model.recipe import Recipe
from nip_ap.model.settings import Settings
from nip_ap.targets import BundledTarget, Target, TargetUsage, kinds
from nip_ap.targets.bundled import recipe_of
from nip_ap.targets.url import is_loopback


def recipe_for(given: Mapping[str, Any], settings: Settings) -> Recipe:
    """The relay that options describe (targets/kinds.py), the bundled one where they name none.

    Raises SettingsError.
    """
    check_claims(settings)
    try:
        recipe = kinds.chosen(given)
    except TargetUsage as error:
        raise SettingsError(str(error)) from None
    check_role(settings, recipe)
    return bundled_recipe(settings, given=recipe.given) if recipe.kind == "bundled" else recipe


def bundled_recipe(
    settings: Settings, *arguments: str, given: Mapping[str, Any] | None = None
) -> Recipe:
    """The bundled relay in the revision asked for; it knows the run's limited credentials.

    Raises KeyFileError.
    """
    spec = () if settings.spec == "auto" else ("--spec", settings.spec)
    limited = grants(settings.seed, read_keys(settings.keys))
    return recipe_of(given or {}, (*spec, *arguments), limited)


def bundled_target(settings: Settings, *arguments: str) -> BundledTarget:
    """A target of such a recipe. Raises KeyFileError."""
    target = kinds.target_of(bundled_recipe(settings, *arguments))
    assert isinstance(target, BundledTarget)
    return target


def abilities(
    target: Target, url: str, settings: Settings, own: Recipe | None = None
) -> tuple[str, ...]:
    """What the suite can do to a relay that no probe can find out.

    `own` makes another relay of its kind, which a check may restart.
    """
    keys = read_keys(settings.keys)
    granted = target.grants if isinstance(target, BundledTarget) else {}
    found = [
        ability
        for role, ability in ABILITIES.items()
        if role in keys or run_key(settings.seed, role, keys).pubkey in granted
    ]
    if settings.load or is_loopback(url):
        found.append("load")
    if settings.migrator:
        found.append("migrator")
    found += reader_abilities(settings.reader)
    if own is not None:
        found.append("restart")
    return tuple(found)


def reader_abilities(template: str) -> list[str]:
    """What a reader can be asked, by the placeholders of its command."""
    if not template:
        return []
    return ["reader", *(f"reader-{name}" for name in ("key", "slug") if f"{{{name}}}" in template)]


def check_role(settings: Settings, recipe: Recipe) -> None:
    """Raise SettingsError where --reader stands beside something else that is to be tested."""
    if not settings.reader:
        return
    if settings.migrator:
        raise SettingsError("--reader and --migrator: choose one; each run tests one client")
    if recipe.kind != "bundled":
        raise SettingsError(
            "--reader tests a client before a relay of the suite's own, which plays scripts: "
            "leave the URL or the command of a relay away"
        )
    if "{relay}" not in settings.reader or "{owner}" not in settings.reader:
        raise SettingsError(
            "--reader: the command needs {relay} and {owner}, which are filled in "
            "(docs/reader-contract.md)"
        )


def check_claims(settings: Settings) -> None:
    """Raise SettingsError where --claim names something that nobody could find."""
    known = [*PROBES, *ABILITIES.values(), "restart"]
    unknown = [claim for claim in settings.claims if claim not in known]
    if unknown:
        raise SettingsError(
            f"--claim {unknown[0]}: there is no such capability; known are {', '.join(known)}"
        )
