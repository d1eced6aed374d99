"""What a run was asked to do, and which checks it selects."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What a run was asked to do. Holds no secret: `keys` is the path of a file."""

    seed: str
    spec: str = "auto"
    only: tuple[str, ...] = ()
    auth: str = "nip42"
    keys: str | None = None
    answer_limit: float = 8.0
    repeat: int = 1
    examples: int = 50
    shrink: bool = True
    keep_all_frames: bool = False
    strict: bool = False
    migrator: str = ""
    migrator_load: int = 1000
    claims: tuple[str, ...] = ()
    load: bool = False
    publishers: int = 64
    subscribers: int = 16
    load_events: int = 6400
    load_seconds: float = 20.0
    kills: int = 2

    def selects(self, clauses: Iterable[str], check_id: str) -> bool:
        """Whether --only lets a check run: globs over groups, clause ids and check ids."""
        return not self.only or any(selects(one, clauses, check_id) for one in self.only)


def selects(pattern: str, clauses: Iterable[str], check_id: str) -> bool:
    """Whether one glob over groups, clause ids and check ids matches a check; case is ignored."""
    clauses = list(clauses)
    names = [check_id, *clauses, *(clause.split("-")[1] for clause in clauses)]
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in names)
