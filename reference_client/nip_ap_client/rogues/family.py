"""Rogues of teams, managed agents, team catalogs and instructions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from nip_ap.nostr import INSTRUCTIONS, Draft, Event, nip44
from nip_ap_client.decisions import Action, Decision, Situation
from nip_ap_client.family import AgentMigrator, CatalogMigrator, TeamMigrator
from nip_ap_client.instructions import InvalidVersion
from nip_ap_client.projections import INSTANCE_FIELDS, projected
from nip_ap_client.report import Outgoing
from nip_ap_client.rogues.declaring import rogue
from nip_ap_client.versions import InstructionsMigrator

Record = Mapping[str, Any]


def _with(draft: Draft, body: Mapping[str, Any]) -> Draft:
    return Draft(draft.kind, draft.created_at, draft.tags, orjson.dumps(body).decode())


@rogue(
    "F1",
    turns_red="AP-MIG-49",
    because="it signs each team anew on each run",
    remedy="Compare with what is published, and sign only what changed.",
)
class SignsTeamsEachTime(TeamMigrator):
    def decide(self, situation: Situation) -> Decision:
        return Decision(situation, Action.SIGN)


@rogue(
    "F2",
    turns_red="AP-MIG-50",
    because="it forgets an agent before its deletion is in the queue, and has no second try",
    remedy="Keep the deletion in the same transaction that forgets the record.",
)
class ForgetsAgents(AgentMigrator):
    def keep_deletion(self, situation: Situation) -> None:
        event = self.deletion(situation.slug, max(self.now(), situation.newest))
        self.store.drop(situation.slug, self.kind)
        self.outbox.append(Outgoing(event, situation.slug))


@rogue(
    "F3",
    turns_red="AP-MIG-51",
    because="it publishes a linked agent with the prompt and model of its definition",
    remedy="Leave the definition's fields to the definition's persona.",
)
class FatInstances(AgentMigrator):
    def draft(self, record: Record) -> Draft:
        whole = super().draft({**record, "persona_id": None})
        linked = {"persona_id": record["persona_id"]} if record.get("persona_id") else {}
        return _with(whole, orjson.loads(whole.content) | linked)


@rogue(
    "F4",
    turns_red="AP-MIG-52",
    because="it slims every agent, those too that have no definition to restore them",
    remedy="Keep the definition's fields of an agent that is linked to none.",
)
class SlimsAll(AgentMigrator):
    def draft(self, record: Record) -> Draft:
        return _with(super().draft(record), projected(record, INSTANCE_FIELDS))


@rogue(
    "F5",
    turns_red="AP-MIG-51 AP-MIG-53 AP-MIG-56",
    because="it publishes the whole record of an agent, key and run state included",
    remedy="Name what may go out, and publish nothing else.",
)
class WholeRecords(AgentMigrator):
    def draft(self, record: Record) -> Draft:
        return _with(super().draft(record), dict(record))


@rogue(
    "F6",
    turns_red="AP-MIG-54",
    because="it embeds the members of a team as they are kept, env_vars included",
    remedy="Embed of each member what its own shared persona would have.",
)
class EmbedsWholeMembers(CatalogMigrator):
    def draft(self, record: Record) -> Draft:
        draft = super().draft(record)
        members = [self.members[one] for one in record["persona_ids"] if one in self.members]
        return _with(draft, orjson.loads(draft.content) | {"members": members})


@rogue(
    "F7",
    turns_red="AP-MIG-55",
    because="it deletes a team catalog that is un-shared",
    remedy="Publish a newer head without the `shared` tag.",
)
class DeletesWhatIsUnshared(CatalogMigrator):
    def decide(self, situation: Situation) -> Decision:
        decision = super().decide(situation)
        if decision.action is Action.SIGN and not self.shares(situation):
            return Decision(situation, Action.DELETE)
        return decision


@rogue(
    "F8",
    turns_red="AP-MIG-55",
    because="it carries the share tag over into each new version, so that nothing is un-shared",
    remedy="Publish a newer head without the `shared` tag.",
)
class NeverUnshares(CatalogMigrator):
    def shares(self, situation: Situation) -> bool:
        return situation.is_shared or super().shares(situation)


@rogue(
    "F9",
    turns_red="AP-MIG-56",
    because="it encrypts the bare text, without the version in front of it",
    remedy="Encrypt `v1:` and the text.",
)
class EncryptsTheBareText(InstructionsMigrator):
    def sign(self, situation: Situation, content: str) -> Event:
        event = super().sign(situation, content)
        shared = nip44.conversation_key(self.key, self.key.pubkey)
        bare = nip44.decrypt(event.content, shared).removeprefix(b"v1:")
        return event.resigned(self.key, content=nip44.encrypt(bare, shared))


@rogue(
    "F10",
    turns_red="AP-MIG-57",
    because="it dates a version with plain now, so that one dated ahead stays the current one",
    remedy="Date a version past the current one of its subject.",
)
class DatesVersionsWithPlainNow(InstructionsMigrator):
    def sign(self, situation: Situation, content: str) -> Event:
        return super().sign(situation, content).resigned(self.key, created_at=self.now())


@rogue(
    "F11",
    turns_red="AP-MIG-58",
    because="it puts the local text in the place of a version that it cannot read",
    remedy="Show a version that cannot be read as an error, and leave it.",
)
class ReplacesTheInvalid(InstructionsMigrator):
    def about_invalid(self, situation: Situation, head: Event, invalid: InvalidVersion) -> Decision:
        return Decision(situation, Action.SIGN)


@rogue(
    "F12",
    turns_red="AP-MIG-59",
    because="it publishes a text of any length, with any character",
    remedy="Measure the text before it is encrypted, and report one that is too long.",
)
class BoundsNoText(InstructionsMigrator):
    def fault(self, slug: str, text: str) -> str:
        return ""

    def sign(self, situation: Situation, content: str) -> Event:
        tag, _, identifier = situation.slug.partition(":")
        text = next(one.content for one in self.mapped.personas if one.slug == situation.slug)
        shared = nip44.conversation_key(self.key, self.key.pubkey)
        sealed = nip44.encrypt(b"v1:" + text.encode(), shared)
        at = max(self.now(), situation.newest + 1)
        return Draft(INSTRUCTIONS, at, ((tag, identifier),), sealed).signed_by(self.key)
