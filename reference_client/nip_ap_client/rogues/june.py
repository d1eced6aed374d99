"""The migrator of June 12, a rogue in many ways at once."""

from __future__ import annotations

from collections.abc import Sequence

from nip_ap_client.decisions import Action, Decision, Situation
from nip_ap_client.mapping import (
    JUNE_ORDER,
    Mapper,
    Persona,
    content_of,
)
from nip_ap_client.records import (
    PersonaRecord,
)
from nip_ap_client.report import Outgoing
from nip_ap_client.rogues.declaring import rogue
from nip_ap_client.rogues.mapping import VerbatimMapper
from nip_ap_client.rogues.publishing import ClearsBySlug
from nip_ap_client.rogues.signing import DatesWithPlainNow, FrozenDate, OwnerWideSentinel


class _JuneMapper(VerbatimMapper):
    def content(self, record: PersonaRecord) -> str:
        return content_of(record, JUNE_ORDER)

    def objection(self, record: PersonaRecord, content: str) -> str:
        return "built-in" if record.is_builtin else ""

    def winner(self, rivals: Sequence[Persona]) -> Persona:
        return rivals[-1]


@rogue(
    "as-of-june-12",
    turns_red=(
        "AP-MIG-08 AP-MIG-12 AP-MIG-13 AP-MIG-18 AP-MIG-19 AP-MIG-21 AP-MIG-26 "
        "AP-MIG-27 AP-MIG-38 AP-MIG-40"
    ),
    by_chance="AP-MIG-05",  # where a kill falls between two of its writes
    because=(
        "the pull request as of June 12, with a publisher that it did not have: "
        "owner-wide sentinel, autocommit, verbatim slug, frozen created_at, flag "
        "cleared by key alone"
    ),
    remedy="Migrate each record in one transaction, with its own sentinel, slug, date and flag.",
)
class AsOfJune12(OwnerWideSentinel, ClearsBySlug, FrozenDate, DatesWithPlainNow):
    def new_mapper(self) -> Mapper:
        return _JuneMapper()

    def decide(self, situation: Situation) -> Decision:
        if self.has_rows:
            return super().decide(situation)
        return Decision(situation, Action.SIGN)

    def keep(self, decisions: Sequence[Decision]) -> None:
        """Whatever waits goes out, whether the file still has it or not."""
        super().keep(decisions)
        self.outbox = [Outgoing(row.event, row.slug) for row in self.store.pending()]
