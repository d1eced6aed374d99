"""Templates of reports/templates, rendered so that nothing a relay says becomes markup or a trick.

Relays are hostile here: a name, a refusal or a frame may hold tags, scripts, control characters
and marks that turn text around. Every value is escaped, and what could not be seen is spelled out.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nip_ap.reporting.legible import visible
from nip_ap.resources import resource


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
