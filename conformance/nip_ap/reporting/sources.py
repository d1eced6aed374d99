"""Where the sources of clauses can be read."""

from __future__ import annotations

import re

from nip_ap.resources import data


def link_of(text: str) -> str:
    """The address of a clause's source, or "" where it is nothing that can be linked."""
    document, _, section = text.partition(", ")
    address = data("sources").get(document)
    if not isinstance(address, str):
        return ""
    heading = re.sub(r"[^a-z0-9 -]", "", section.lower()).replace(" ", "-")
    return f"{address}#{heading}" if heading else address
