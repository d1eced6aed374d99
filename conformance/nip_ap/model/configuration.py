"""Options from a file: nip-ap.toml, or `[tool.nip-ap]` in pyproject.toml, where the command is run.

The names are those of the options, without dashes in front. What is given with the command, or in a
variable of the environment, takes the place of what the file says.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nip_ap.model.faults import UsageFault
from nip_ap.model.options import Option
from nip_ap.model.target_options import CHOOSING
from nip_ap.model.target_options import OPTIONS as TARGET_OPTIONS

OWN_FILE, SHARED_FILE, TABLE = "nip-ap.toml", "pyproject.toml", "nip-ap"
_TARGET_KEYS = frozenset(one.key for one in TARGET_OPTIONS)


class ConfigurationFault(UsageFault, ValueError):
    """Something in the file that cannot be used; the message names file, option and remedy."""


@dataclass(frozen=True)
class Configuration:
    """What a file says, by the key of each option; `file` is "" where there is none."""

    file: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def configuration_in(folder: Path, table: Iterable[Option]) -> Configuration:
    """The configuration of a folder. Raises ConfigurationFault.

    Paths in it are as in the command: from where it is run, which is this folder.
    """
    own, shared = folder / OWN_FILE, folder / SHARED_FILE
    if own.is_file():
        return Configuration(OWN_FILE, _values(_parsed(own), table, OWN_FILE))
    if not shared.is_file():
        return Configuration()
    found = _parsed(shared).get("tool", {}).get(TABLE)
    if found is None:
        return Configuration()
    where = f"[tool.{TABLE}] of {SHARED_FILE}"
    if not isinstance(found, dict):
        raise ConfigurationFault(f"{where} is not a table")
    return Configuration(SHARED_FILE, _values(found, table, where))


def merged(given: Mapping[str, Any], configuration: Configuration) -> dict[str, Any]:
    """The options as given, by key, and for what was not given what the file says.

    A relay that was named with the command takes the place of the one in the file, with all that
    says how that one is started.
    """
    values = dict(configuration.values)
    if any(_is_given(given.get(one.key)) for one in CHOOSING):
        values = {key: value for key, value in values.items() if key not in _TARGET_KEYS}
    return {
        **given,
        **{key: value for key, value in values.items() if not _is_given(given.get(key))},
    }


def _is_given(value: Any) -> bool:
    return value not in (None, False, (), [])


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationFault(f"{file.name} cannot be read: {error}") from None


def _values(given: Mapping[str, Any], table: Iterable[Option], where: str) -> dict[str, Any]:
    options = {one.name: one for one in table}
    found = {}
    for name, value in given.items():
        if name not in options:
            known = ", ".join(sorted(options))
            raise ConfigurationFault(f"{where}: there is no option {name}; there are {known}")
        option = options[name]
        try:
            found[option.key] = _value(option, value)
        except ValueError as error:
            raise ConfigurationFault(f"{where}: {name}: {error}") from None
    return found


def _value(option: Option, given: Any) -> Any:
    """The value as the command would have read it."""
    if option.flag:
        if not isinstance(given, bool):
            raise ValueError(f"{given!r} is not true or false")
        return given
    if option.secret:
        raise ValueError("it may hold secrets, so it is not taken from a file; give it by env-file")
    if option.many:
        if not isinstance(given, list):
            raise ValueError(f"{given!r} is not a list")
        return [option.value(_text(one)) for one in given]
    return option.value(_text(given))


def _text(given: Any) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError(f"{given!r} is neither text nor a number")
    return str(given)


def schema_of(table: Iterable[Option]) -> dict[str, Any]:
    """JSON Schema (draft 7) of nip-ap.toml, for editors."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "nip-ap.toml, and [tool.nip-ap] of pyproject.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {one.name: _property(one) for one in table if not one.secret},
    }


def _property(option: Option) -> dict[str, Any]:
    one: dict[str, Any] = {"type": "boolean"} if option.flag else {"type": ["string", "number"]}
    if option.choices:
        one = {"enum": list(option.choices)}
    kind = {"type": "array", "items": one} if option.many else one
    return {"description": option.help, **kind}
