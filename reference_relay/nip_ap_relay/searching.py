"""What a search asks for: its words, each once."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")


def words_of(search: str) -> list[str]:
    """The different words of a search, as they were first written."""
    return list({word.casefold(): word for word in reversed(_WORD.findall(search))}.values())
