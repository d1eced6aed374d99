"""Text of a relay's in Markdown: shown as it is, with no markup, link or mention in it."""

from __future__ import annotations

import re

from nip_ap.reporting.legible import on_one_line

_PUNCTUATION = re.compile(r"([\\`*_\[\]#!|~$])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"})


def plain(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no link, no mention of anybody."""
    return (
        _PUNCTUATION.sub(r"\\\1", on_one_line(text))
        .translate(_ENTITIES)
        .replace("://", "&#58;//")
        .replace("www.", "www&#46;")
    )


def code(text: str) -> str:
    """The same in the type of code."""
    return f"<code>{plain(text)}</code>"
