"""The content of a generated event by the name of its kind, for whoever treats contents apart."""

from __future__ import annotations

import json

OBJECT, BARE, ARRAY, TEXT, BROKEN, EMPTY, FOREIGN = (
    "object", "bare", "array", "text", "broken", "empty", "foreign",
)  # fmt: skip
KINDS = (OBJECT, BARE, ARRAY, TEXT, BROKEN, EMPTY, FOREIGN)
"""A persona as it should be, one without a prompt, and what a relay has no business to read."""


def content_of(kind: str, word: str, size: int = 0) -> str:
    """A content that holds a word, unless it is empty; at least `size` bytes long.

    Raises ValueError for a kind that is not among KINDS.
    """
    filling = "long " * (size // 5 + 1) if size else "You are a test."
    if kind == OBJECT:
        return _compact({"display_name": word, "system_prompt": filling})
    if kind == BARE:
        return _compact({"display_name": word, **({"about": filling} if size else {})})
    if kind == ARRAY:
        return _compact([word, filling])
    if kind == TEXT:
        return f"{word} {filling}"
    if kind == BROKEN:
        return f'{{"display_name":"{word}","system_prompt":"{filling}'
    if kind == FOREIGN:
        return json.dumps({"display_name": f"{word} Zoë 雪 🎭", "system_prompt": filling},
                          ensure_ascii=False)  # fmt: skip
    if kind == EMPTY:
        return ""
    raise ValueError(f"{kind!r} is not a kind of content: {', '.join(KINDS)}")


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
