"""`nip-ap clauses`: the register joined with its checks and rogues."""

from __future__ import annotations

from typing import IO, Any

from nip_ap.engine.declarations import declarations
from nip_ap.model.clauses import Clause, register
from nip_ap.proof.role import role_named, role_names
from nip_ap.reporting.legible import counted
from nip_ap.reporting.printing import say, say_json


def catalogue() -> list[dict[str, Any]]:
    """Every clause with the names of its checks and of the rogues that turn it red."""
    checks: dict[str, list[str]] = {}
    for declaration in declarations():
        for clause in declaration.clauses:
            checks.setdefault(clause, []).append(declaration.check_id())
    rogues: dict[str, list[str]] = {}
    for rogue in (one for name in role_names() for one in role_named(name).rogues()):
        for clause in rogue.turns_red:
            rogues.setdefault(clause, []).append(rogue.name)
    return [
        _entry(clause, checks.get(clause.id, []), rogues.get(clause.id, []))
        for clause in register()
    ]


def _entry(clause: Clause, checks: list[str], rogues: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": clause.id,
        "level": clause.level,
        "level_in": dict(clause.level_in),
        "revisions": list(clause.revisions),
        "needs": list(clause.needs),
        "title": clause.title,
        "text": clause.text,
        "source": clause.source,
        "contradiction": clause.contradiction or None,
        "checks": checks,
        "rogues": sorted(rogues),
    }
    if clause.no_rogue:
        entry["no_rogue"] = clause.no_rogue
    if not checks:
        entry["reason"] = clause.reason
    return entry


def print_catalogue(stream: IO[str], *, as_json: bool) -> None:
    """Print the register, as JSON or as a list for people."""
    entries = catalogue()
    if as_json:
        say_json(entries, stream)
        return
    for entry in entries:
        say(f"{entry['id']:<14} {entry['level']:<7} {entry['title']}", file=stream)
        if entry["checks"]:
            rogues = ", ".join(entry["rogues"]) or entry.get("no_rogue", "none")
            say(f"{'':<22} {counted(len(entry['checks']), 'check')}; rogues: {rogues}", file=stream)
        else:
            say(f"{'':<22} no check: {entry['reason']}", file=stream)
