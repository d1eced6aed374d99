"""Rogues of reading: personas.json, and what a relay returns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from nip_ap.nostr import MANAGED_AGENT, PERSONA, TEAM, Event, Filter
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
from nip_ap_client.transport import WireTransport


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
    "M30",
    turns_red="AP-MIG-45",
    because="it believes what a relay returns, without checking id and signature",
    remedy="Check id and signature of each event, and drop what does not verify.",
)
class BelievesTheRelay(Migrator):
    def is_genuine(self, event: Event) -> bool:
        return True


@rogue(
    "M31",
    turns_red="AP-MIG-46",
    because=(
        "it reads all kinds in one fetch that the relay cuts off, and takes what is missing for new"
    ),
    remedy="Ask for each kind by itself, in batches of addresses or in pages to the end.",
)
class ReadsInOneFetch(Migrator):
    def heads_of(self, slugs: Sequence[str]) -> dict[str, Event]:
        if not isinstance(self.transport, WireTransport):
            return super().heads_of(slugs)
        everything = Filter.of(
            kinds=[PERSONA, TEAM, MANAGED_AGENT], authors=[self.key.pubkey], limit=500
        )
        found = self.transport.door.query([everything]).events
        return {one.slug: one for one in found if one.kind == self.kind and one.slug in slugs}


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
