"""The exact refusal texts of the real relay, for makers of relays that want to be like it.

Nothing here is judged: NIP-01 fixes the prefix of a text and no more. Where a relay belongs to the
family, a check's facts say whether its refusals are word for word those of fixtures/texts.json.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from nip_ap.resources import data

_FAMILY = ("block/buzz", "block/sprout", "nip-ap-relay")
_PLACEHOLDERS = {"{n}": r"\d+", "{hex}": r"[0-9a-f]{64}", "{any}": r".*"}
_MOST_SHOWN = 5


def is_of_the_family(information: Mapping[str, Any]) -> bool:
    """Whether NIP-11 names software that means to speak the real relay's words."""
    software = str(information.get("software", ""))
    return any(name in software for name in _FAMILY)


def compared(clauses: Iterable[str], seen: Iterable[str]) -> dict[str, Any] | None:
    """The refusals of a check compared with the real relay's; None where it has none."""
    expected = [text for clause in clauses for text in data("texts").get(clause, ())]
    distinct = list(dict.fromkeys(seen))
    if not expected or not distinct:
        return None
    other = [
        text for text in distinct if not any(_pattern(one).fullmatch(text) for one in expected)
    ]
    return {"expected": expected, "matches": not other, "other": other[:_MOST_SHOWN]}


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[a-z]+\})", text)
    return re.compile(
        "".join(_PLACEHOLDERS.get(part, re.escape(part)) for part in parts), re.DOTALL
    )
