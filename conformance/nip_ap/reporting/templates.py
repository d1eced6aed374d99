"""Templates of reports/templates, rendered so that nothing a relay says becomes markup or a trick.

Relays are hostile here: a name, a refusal or a frame may hold tags, scripts, control characters
and marks that turn text around. Every value is escaped, and what could not be seen is spelled out.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nip_ap.resources import resource

_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for tab and line feed
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # unseen, or turn text
    "\ud800-\udfff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f"
    "]"
)


def visible(text: str) -> str:
    """Text with each character that nobody would see written as JSON would escape it."""
    return _UNSEEN.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def render(template: str, **values: Any) -> str:
    """A template with values filled in, escaped as HTML."""
    return _environment().get_template(template).render(**values)


def source(name: str) -> Markup:
    """A style sheet or script of the templates, as it is."""
    text = resource(f"reports/templates/{name}").read_text(encoding="utf-8")
    return Markup(text)  # our own file


def _shown(value: object) -> object:
    if isinstance(value, Markup):
        return value
    return visible(value) if isinstance(value, str) else value


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(resource("reports/templates")),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
