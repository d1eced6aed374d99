"""personas.json: what a record holds and how a file of them is read (docs/real-relay.md 8).

A file is read as a whole or not at all: a reader that skips what it cannot parse would take the
skipped personas for deleted ones. Error messages name record and field and never a value, for a
value may be a secret.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE_NAME = "personas.json"

_SHOWN = 60
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ALIASES = {
    "source_pack": "source_team",
    "source_pack_persona_slug": "source_team_persona_slug",
}


class PersonaFileError(ValueError):
    """A personas.json that cannot be used; the message says where and what to do about it."""


class NoPersonaFile(PersonaFileError):
    """There is no personas.json. That says nothing about personas published before."""


@dataclass(frozen=True)
class PersonaRecord:
    """One persona as the desktop client keeps it. `env_vars` holds secrets and is never shown."""

    id: str
    display_name: str
    system_prompt: str
    created_at: str
    updated_at: str
    avatar_url: str | None = None
    runtime: str | None = None
    model: str | None = None
    provider: str | None = None
    name_pool: tuple[str, ...] = ()
    is_builtin: bool = False
    is_active: bool = True
    source_team: str | None = None
    source_team_persona_slug: str | None = None
    env_vars: Mapping[str, str] = field(default_factory=dict, repr=False)


class _Pairs(dict[str, Any]):
    """A JSON object that remembers which of its keys came twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs] if len(pairs) != len(self) else []
        self.repeated = frozenset(name for name in names if names.count(name) > 1)


class _WrongType(ValueError):
    """A value of another type than its field has; the message names the type that is needed."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _WrongType("a string")
    return value


def _text_or_null(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _WrongType("a string or null")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _WrongType("an array of strings")
    return tuple(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _WrongType("true or false")
    return value


def _texts_by_name(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise _WrongType("an object of strings")
    return dict(value)


_REQUIRED = ("id", "display_name", "system_prompt", "created_at", "updated_at")
_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_REQUIRED, _text),
    **dict.fromkeys(("avatar_url", "runtime", "model", "provider"), _text_or_null),
    **dict.fromkeys(("source_team", "source_team_persona_slug"), _text_or_null),
    **dict.fromkeys(("is_builtin", "is_active"), _flag),
    "name_pool": _texts,
    "env_vars": _texts_by_name,
}


def read_personas(base: Path) -> tuple[PersonaRecord, ...]:
    """The records of `<base>/personas.json`. Raises NoPersonaFile or PersonaFileError."""
    values = read_values(base)
    try:
        return tuple(record_from(value, number) for number, value in enumerate(values, start=1))
    except PersonaFileError as error:
        raise PersonaFileError(
            f"{base / FILE_NAME}: {error}. A file is read as a whole or not at all: nothing was "
            "published and nothing deleted"
        ) from None


def read_values(base: Path, name: str = FILE_NAME) -> list[Any]:
    """The JSON array of a file, its elements unread. Raises NoPersonaFile or PersonaFileError."""
    path = base / name
    try:
        data = _bytes_of(path)
    except FileNotFoundError:
        raise NoPersonaFile(
            f"there is no {name} in {base}; nothing was published and nothing deleted. "
            "--base takes the client's `agents` directory"
        ) from None
    except OSError as error:
        raise PersonaFileError(f"{path} cannot be read: {error.strerror}") from None
    return parse(data, str(path))


def _bytes_of(path: Path) -> bytes:
    """The bytes of a plain file; a FIFO would wait for a writer, a device may have no end."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise PersonaFileError(f"{path} is not a plain file; give the client's own file")
        return opened.read()


def parse(data: bytes, name: str = FILE_NAME) -> list[Any]:
    """The JSON array in a file's bytes. Raises PersonaFileError."""
    if data.startswith(_BYTE_ORDER_MARK):
        raise PersonaFileError(f"{name} begins with a byte order mark; save it as plain UTF-8")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_Pairs)
    except UnicodeDecodeError as error:
        raise PersonaFileError(f"{name} is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise PersonaFileError(
            f"{name} is not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}; "
            "the file is left as it is"
        ) from None
    except RecursionError:
        raise PersonaFileError(
            f"{name} is nested deeper than any persona; the file is left as it is"
        ) from None
    except ValueError:
        raise PersonaFileError(
            f"{name} holds a number longer than any persona needs; the file is left as it is"
        ) from None
    if not isinstance(value, list):
        raise PersonaFileError(f"{name} must hold a JSON array of records, not one value")
    return value


def record_from(value: Any, number: int = 1) -> PersonaRecord:
    """One record, by its place in the file. Raises PersonaFileError naming record and field."""
    if not isinstance(value, dict):
        raise PersonaFileError(f"record {number} is not a JSON object")
    where = _place(value, number)
    known = _known_fields(value, where)
    missing = [name for name in _REQUIRED if name not in known]
    if missing:
        raise PersonaFileError(
            f"{where} has no {missing[0]}; every record needs {', '.join(_REQUIRED)}"
        )
    read: dict[str, Any] = {}
    for name, item in known.items():
        try:
            read[name] = _READERS[name](item)
        except _WrongType as wrong:
            raise PersonaFileError(f"{where}: {name} must be {wrong}") from None
    if not _is_encodable(read):
        raise PersonaFileError(f"{where} holds half of a surrogate pair, which UTF-8 cannot carry")
    return PersonaRecord(**read)


def _place(value: Mapping[str, Any], number: int) -> str:
    """How a record is named to a person: by its number, id and name, which are no secrets."""
    names = [value.get(key) for key in ("id", "display_name")]
    shown = ", ".join(f"{one[:_SHOWN]!a}" for one in names if isinstance(one, str))
    return f"record {number} ({shown})" if shown else f"record {number}"


def _known_fields(value: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields that mean something, by their present names; unknown ones are left out."""
    known: dict[str, Any] = {}
    repeated: frozenset[str] = getattr(value, "repeated", frozenset())
    for given, item in value.items():
        name = _ALIASES.get(given, given)
        if name not in _READERS:
            continue
        if name in known or given in repeated:
            raise PersonaFileError(f"{where} gives {name} twice")
        known[name] = item
    return known


def _is_encodable(read: Mapping[str, Any]) -> bool:
    texts: Sequence[Any] = [*read.values(), *read.get("name_pool", ())]
    try:
        "".join(one for one in texts if isinstance(one, str)).encode()
    except UnicodeEncodeError:
        return False
    return True
