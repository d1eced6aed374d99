"""The signatures of all rogues, as a diagnosis needs them: fixtures/signatures.json.

`nip-ap prove --page` writes the file: what the rogues declare, and the checks that the proof saw
red on each. A proof of some rogues alone keeps what is known of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

from nip_ap.model.diagnosis import Signature
from nip_ap.proof.role import role_named, role_names
from nip_ap.resources import resource
from nip_ap.rogue import DEVIATION, Rogue

FORMAT = "nip-ap-signatures/1"


def rogues() -> list[tuple[str, Rogue]]:
    """Every rogue that breaks a clause, with its role; rogue relays first, then by name."""
    return [
        (name, one)
        for name in role_names()
        for one in sorted(role_named(name).rogues(), key=lambda one: one.name)
        if one.kind == DEVIATION and one.turns_red
    ]


def declared_signatures(seen: Mapping[str, Iterable[str]]) -> list[Signature]:
    """The signature of each rogue that breaks a clause; `seen` are red checks by rogue."""
    return [
        Signature(
            name=one.name,
            because=one.because,
            remedy=one.remedy,
            red=one.turns_red | one.by_chance,
            chance=one.by_chance,
            checks=frozenset(seen.get(one.name, ())),
            role=role,
        )
        for role, one in rogues()
    ]


def write_signatures(seen: Mapping[str, Iterable[str]], path: Path | None = None) -> Path:
    """Write the file, one line per rogue; gives where it is."""
    path = path or resource("fixtures") / "signatures.json"
    known: dict[str, Iterable[str]] = {}
    if path.is_file():
        rows = orjson.loads(path.read_bytes())["rogues"]
        known = {one["name"]: one["checks"] for one in rows}
    found = declared_signatures({**known, **seen})
    lines = ",\n".join(orjson.dumps(one.to_json()).decode() for one in found)
    path.write_text(f'{{"format": "{FORMAT}", "rogues": [\n{lines}\n]}}\n', encoding="utf-8")
    return path
