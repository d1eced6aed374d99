"""Rogues of reading personas.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from nip_ap_client.migrator import Migrator
from nip_ap_client.records import (
    FILE_NAME,
    NoPersonaFile,
    PersonaFileError,
    PersonaRecord,
    read_personas,
    read_values,
)
from nip_ap_client.report import Report
from nip_ap_client.rogues.declaring import rogue


class Unguarded(Migrator):
    """Asks nothing before it deletes everything."""

    def guard(self, removed: Sequence[str]) -> None:
        """Let it pass."""


@rogue(
    "M16",
    turns_red="AP-MIG-29",
    because="it takes a missing file for an empty one and deletes everything",
    remedy="Treat a missing file as no answer, and delete nothing.",
)
class MissingIsEmpty(Unguarded):
    @staticmethod
    def records_of(base: Path) -> tuple[PersonaRecord, ...]:
        try:
            return read_personas(base)
        except NoPersonaFile:
            return ()


@rogue(
    "M17",
    turns_red="AP-MIG-30",
    because="it takes a file that it cannot read for an empty one",
    remedy="Treat a file that cannot be read as no answer, and delete nothing.",
)
class MalformedIsEmpty(Unguarded):
    @staticmethod
    def records_of(base: Path) -> tuple[PersonaRecord, ...]:
        try:
            return read_personas(base)
        except NoPersonaFile:
            raise
        except PersonaFileError:
            return ()


@rogue(
    "M26",
    turns_red="AP-MIG-03",
    because="it writes the file anew when it has read it",
    remedy="Leave the file as it is.",
)
class RewritesTheFile(Migrator):
    def finished(self) -> Report:
        path = self.base / FILE_NAME
        if self.mapped.personas and path.exists():
            beside = path.with_suffix(".own")
            beside.write_bytes(orjson.dumps(read_values(self.base)))
            beside.replace(path)
        return super().finished()
