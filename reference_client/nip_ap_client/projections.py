"""What of teams and managed agents is published: by name, and nothing else ever goes out.

A record of a client holds keys, paths and run state beside what others may read. Each projection
below names its fields and the form of their values; what is not named, or has another form, stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from nip_ap.nostr import MANAGED_AGENT, TEAM, TEAM_CATALOG, Draft
from nip_ap_client.mapping import LONGEST_BODY, SHARED

Record = Mapping[str, Any]
Form = Callable[[Any], bool]


class ProjectionRefused(ValueError):
    """A record that cannot be published; the message says why."""


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _number(value: Any) -> bool:
    return type(value) is int


TEAM_FIELDS: Mapping[str, Form] = {"name": _text, "description": _text, "persona_ids": _texts}

INSTANCE_FIELDS: Mapping[str, Form] = {
    "name": _text,
    "persona_id": _text,
    "respond_to": _text,
    "respond_to_allowlist": _texts,
    "parallelism": _number,
}
"""Of a managed agent that is linked to a definition: the definition's persona has the rest."""

DEFINITION_FIELDS: Mapping[str, Form] = {"system_prompt": _text, "model": _text, "provider": _text}
"""What an agent without a definition has to keep, and a linked one must not publish."""

SHARED_TEAM_FIELDS: Mapping[str, Form] = {"name": _text, "description": _text}

MEMBER_FIELDS: Mapping[str, Form] = {
    "display_name": _text,
    "system_prompt": _text,
    "avatar_url": _text,
    "runtime": _text,
    "model": _text,
    "provider": _text,
    "name_pool": _texts,
}
"""Of a member that is embedded in a team catalog: what its own shared persona would have."""

_CATALOG_VERSION = 1


def projected(record: Record, fields: Mapping[str, Form]) -> dict[str, Any]:
    """The named fields of a record, in the order of the names, where they have their form."""
    return {
        name: record[name]
        for name, has_form in fields.items()
        if name in record and has_form(record[name])
    }


def team_draft(record: Record, *, at: int) -> Draft:
    """A team (30176) for its owner's other devices. Raises ProjectionRefused."""
    return _draft(TEAM, _identifier(record, "id"), projected(record, TEAM_FIELDS), at)


def agent_draft(record: Record, *, at: int) -> Draft:
    """A managed agent (30177): slim where it is linked to a definition, else whole.

    Raises ProjectionRefused.
    """
    is_linked = _text(record.get("persona_id")) and record["persona_id"] != ""
    fields = INSTANCE_FIELDS if is_linked else {**INSTANCE_FIELDS, **DEFINITION_FIELDS}
    return _draft(MANAGED_AGENT, _identifier(record, "pubkey"), projected(record, fields), at)


def catalog_draft(
    team: Record, members: Sequence[Record], *, at: int, shared: bool = False
) -> Draft:
    """A team catalog (30178) with its members embedded, in their order.

    Raises ProjectionRefused.
    """
    body = {
        "version": _CATALOG_VERSION,
        "team": projected(team, SHARED_TEAM_FIELDS),
        "members": [projected(one, MEMBER_FIELDS) for one in members],
    }
    draft = _draft(TEAM_CATALOG, _identifier(team, "id"), body, at)
    return draft.with_tags(SHARED) if shared else draft


def _identifier(record: Record, name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise ProjectionRefused(f"a record without {name} has no address; it is not published")
    return value


def _draft(kind: int, identifier: str, body: Mapping[str, Any], at: int) -> Draft:
    content = orjson.dumps(body).decode()
    size = len(content.encode())
    if size > LONGEST_BODY:
        raise ProjectionRefused(f"its body has {size} bytes; {LONGEST_BODY} are allowed")
    return Draft(kind, at, (("d", identifier),), content)
