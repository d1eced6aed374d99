"""An option of `nip-ap run`: one value that says how it is named, read, explained and written back.

The command line, pytest, the repeat line of a check and action.yml are all made from these values;
option_table.py holds them all. Nothing of the suite is imported here, so that a pytest run without
--nip-ap, which lists the options in its help, stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nip_ap.model.recipe import PLACEHOLDERS

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Values = TypeVar("Values", bound=DataclassInstance)

EMPTY = "it is empty; leave it out, or give it a value (an unset variable?)"


def path(given: str) -> Path:
    """The path of a file, which need not exist yet."""
    return Path(given)


def folder(given: str) -> Path:
    """The path of a folder, which need not exist yet."""
    found = path(given)
    if found.exists() and not found.is_dir():
        raise ValueError(f"{given} is a file; a folder is needed")
    return found


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """A reader of whole numbers."""

    def read(given: str) -> int:
        try:
            found = int(given)
        except ValueError:
            raise ValueError(f"{given!r} is not a whole number") from None
        if found < least:
            raise ValueError(f"{given} is too small; {least} is the least")
        if most is not None and found > most:
            raise ValueError(f"{given} is too large; {most} is the most")
        return found

    return read


def seconds(given: str) -> float:
    """A time longer than none."""
    try:
        found = float(given)
    except ValueError:
        raise ValueError(f"{given!r} is not a number of seconds") from None
    if not math.isfinite(found) or found <= 0:
        raise ValueError(f"{given} is not a time; give seconds, more than 0")
    return found


@dataclass(frozen=True)
class Option:
    """One option; `nip-ap run` has it as --NAME and pytest as --nip-ap-NAME.

    `key` and `default` are those of the dataclass field that holds its value (`option`). `read`
    turns text into a value and raises ValueError with a sentence. Of a secret option only what
    stands before `=` is ever shown again.
    """

    help: str
    metavar: str = "TEXT"
    name: str = ""
    short: str = ""
    read: Callable[[str], Any] = str
    choices: tuple[str, ...] = ()
    flag: bool = False
    many: bool = False
    secret: bool = False
    default: Any = None
    key: str = ""
    positional: bool = False
    """The command takes it as an argument without a name."""
    under_pytest: bool = True
    pytest_flag: str = ""
    """How pytest names it, where that is not --nip-ap-NAME."""
    repeats: bool = True
    """Whether the line that repeats a check has it, for a setting: what may change a verdict."""
    in_action: bool = False
    """Whether the CI action has an input of this name."""

    @property
    def pytest_name(self) -> str:
        """The option as pytest has it."""
        return self.pytest_flag or f"--nip-ap-{self.name}"

    @property
    def explained(self) -> str:
        """The help, with what is common to all options added."""
        more = [self.help]
        if self.many:
            more.append("Repeatable.")
        if self.default not in (None, "", (), False):
            more.append(f"[default: {_written(self.default)}]")
        return " ".join(more)

    def value(self, given: str) -> Any:
        """The value that a text stands for. Raises ValueError, with a sentence."""
        if not given.strip():
            raise ValueError(EMPTY)
        try:
            given.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{given!a} is not UTF-8") from None
        if self.choices and given not in self.choices:
            raise ValueError(f"{given!r} is not one of {', '.join(self.choices)}")
        return self.read(given)

    def words(self, value: Any) -> list[str]:
        """The words of a command line that give it this value; none where it is the default."""
        if value in (None, (), []) or value == self.default:
            return []
        if self.flag:
            return [f"--{self.name}"]
        found = []
        for one in value if self.many else (value,):
            written = _without_secret(str(one)) if self.secret else _written(one)
            # A word that begins with a dash would be read as the next option.
            dashed = written.startswith("-")
            found += [f"--{self.name}={written}"] if dashed else [f"--{self.name}", written]
        return found


def _written(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _without_secret(pair: str) -> str:
    """The name alone, unless the value is one that the suite fills in."""
    name, _, value = pair.partition("=")
    return pair if value in PLACEHOLDERS else name


def option(default: Any, help: str, metavar: str = "TEXT", **more: Any) -> Any:  # noqa: A002
    """A field of a dataclass that an option of this description fills."""
    return field(default=default, metadata=described(help, metavar, **more))


def described(help: str, metavar: str = "TEXT", **more: Any) -> dict[str, Any]:  # noqa: A002
    """The metadata of such a field, for one without a default."""
    return {"option": Option(help, metavar, **more)}


def options_of(holder: type[DataclassInstance]) -> tuple[Option, ...]:
    """The options that fill the fields of a dataclass, in its order."""
    return tuple(_of_field(one) for one in fields(holder) if "option" in one.metadata)


def _of_field(one: Field[Any]) -> Option:
    found: Option = one.metadata["option"]
    default = None if one.default is MISSING else one.default
    name = found.name or one.name.replace("_", "-")
    return replace(found, name=name, key=one.name, default=default)


def filled(holder: type[Values], given: Mapping[str, Any], **more: Any) -> Values:
    """A dataclass with its options as given, by key; what was not given keeps its default."""
    found = {
        one.key: tuple(given[one.key]) if one.many else given[one.key]
        for one in options_of(holder)
        if given.get(one.key) not in (None, (), [])
    }
    return holder(**(found | more))


def words_of(holder: DataclassInstance, options: Iterable[Option]) -> list[str]:
    """The words of a command line that fill a dataclass like this one."""
    return [word for one in options for word in one.words(getattr(holder, one.key))]
