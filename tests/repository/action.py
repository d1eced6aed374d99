"""action.yml, whose marked parts are written from the option table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from nip_ap.model.options import Option
from nip_ap.targets.kinds import KINDS

_MARKED = re.compile(
    r"(?P<begin>^ *# from the option table: (?P<part>\w+)\n)(.*?)(?P<end>^ *# end\n)",
    re.MULTILINE | re.DOTALL,
)
_CHOOSING = [kind.chosen_by for kind in KINDS if kind.chosen_by]


def written(text: str, table: Iterable[Option]) -> str:
    """The file with each marked part written anew."""
    shown = [one for one in table if one.in_action]
    parts = {"inputs": _inputs(shown), "variables": _variables(shown), "words": _words(shown)}
    return _MARKED.sub(lambda found: found["begin"] + parts[found["part"]] + found["end"], text)


def _lines(indent: int, lines: Iterable[str]) -> str:
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def _inputs(table: Sequence[Option]) -> str:
    found = []
    for one in table:
        more = " Several: one per line." if one.many else ""
        found += [f"{one.name}:", "  description: >-", f"    {one.help}{more}"]
        if one.choices and one.default:
            found.append(f"  default: {one.default}")
    return _lines(2, found)


def _variable(one: Option) -> str:
    return f"OPTION_{one.key.upper()}"


def _variables(table: Sequence[Option]) -> str:
    return _lines(8, (f"{_variable(one)}: ${{{{ inputs.{one.name} }}}}" for one in table))


def _words(table: Sequence[Option]) -> str:
    choosing = [one for one in table if one.key in _CHOOSING]
    found = [
        f'if [ -z "{"".join(f"${{{_variable(one)}}}" for one in choosing)}" ]; then',
        f'  echo "::error::No relay to test: fill in {_or([one.name for one in choosing])}."',
        "  exit 4",
        "fi",
    ]
    for one in table:
        if not one.positional:
            found.append(f'{"each" if one.many else "option"} --{one.name} "${_variable(one)}"')
    return _lines(8, found)


def _or(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
