"""The clauses of a project's own: files as in fixtures/clauses/, beside their checks."""

from __future__ import annotations

import re
from pathlib import Path

from nip_ap.model.clauses import (
    OWN_RULE,
    REVISIONS,
    Clause,
    Register,
    RegisterError,
    read_register,
)

FOLDER = "clauses"
"""Where they are, in the folder of --scenarios."""

_ID = re.compile("[A-Z][A-Z0-9]*-[A-Z][A-Z0-9]*-[0-9]{2,}")
_TAKEN = "AP"
_FORM = """group = "MOTD"
title = "The message of the day"

[[clause]]
id = "ACME-MOTD-01"
title = "..."
text = "..."
level = "MUST"
"""


def own_register(folder: Path) -> Register:
    """The clauses below a folder of own scenarios. Raises RegisterError."""
    place = folder / FOLDER
    given = {"revisions": REVISIONS, "source": str(place), "rule": OWN_RULE}
    found = read_register(place, given)
    if not found.clauses:
        raise RegisterError(f"there is no clause in {place}/*.toml; the form of a file is\n{_FORM}")
    for clause in found:
        _complain_of(clause)
    return found


def _complain_of(clause: Clause) -> None:
    if not _ID.fullmatch(clause.id):
        raise RegisterError(
            f"{clause.id}: an id is a name of yours, the group and a number, as in ACME-MOTD-01"
        )
    if clause.id.startswith(f"{_TAKEN}-"):
        raise RegisterError(
            f"{clause.id}: {_TAKEN}-... is for the clauses of the suite; begin with another name"
        )
    if clause.rule != OWN_RULE:
        raise RegisterError(f"{clause.id}: its rule is {OWN_RULE}; leave `rule` away")
