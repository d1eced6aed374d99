"""JSON that came from somebody else: of bounded size, without duplicate keys, and finite."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NoReturn

import orjson


class NotStrictJson(ValueError):
    """JSON that two readers could take for different things, or none; the message says why."""


def strict_json(data: bytes | str, most: int) -> Any:
    """The value of a JSON text of at most so many bytes. Raises NotStrictJson."""
    if len(data) > most:
        raise NotStrictJson(f"it is larger than {most} bytes")
    try:
        orjson.loads(data)  # stricter than what follows, and it stops at deep nesting
        return json.loads(data, object_pairs_hook=_without_duplicates, parse_constant=_not_a_number)
    except RecursionError:
        raise NotStrictJson("it is not JSON that can be read: nested too deeply") from None
    except NotStrictJson:
        raise
    except ValueError as error:
        raise NotStrictJson(f"it is not JSON: {error}") from None


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise NotStrictJson(f"the key {twice[:100]!r} is there more than once in one object")
    return found


def _not_a_number(text: str) -> NoReturn:
    raise NotStrictJson(f"it is not JSON: {text} is not a number")
