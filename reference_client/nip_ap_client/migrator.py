"""The migrator: personas.json to signed events, kept first, published when the relay is there.

One run reads the file, asks the relay for its heads, decides for each address (decisions.py),
keeps what it signs in one transaction, publishes, and clears flags only for what the relay
acknowledged. A run that is killed anywhere leaves a state from which the next one goes on: what
was not kept is signed again, what was kept goes out under its id.

Every step is a small method; a rogue migrator (rogues/) overrides one of them. Longer than most
modules, for the steps of one run share what it knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from nip_ap.nostr import DELETION, PERSONA, Draft, Event, MalformedEvent, SecretKey
from nip_ap.secret_files import SecretFileError
from nip_ap.wire.answers import Answer
from nip_ap_client.decisions import Action, Decision, Situation, for_persona, for_removed
from nip_ap_client.mapping import Mapped, Mapper, draft_of
from nip_ap_client.records import FILE_NAME, PersonaFileError, PersonaRecord, read_personas
from nip_ap_client.report import Outgoing, Report, Waiting
from nip_ap_client.retention import Retained, RetentionStore, store_path, tombstone_key
from nip_ap_client.scopes import Scope, others
from nip_ap_client.transport import Transport, WireError

STALE_AFTER = 600
"""Seconds after which a waiting event is dated anew (docs/real-relay.md 8: it takes 900)."""

AHEAD = 900
"""Seconds ahead of the clock from which on a relay refuses an event: one so dated waits."""

_FRESH = 2
_GONE = (
    "the relay says `duplicate:` and has nothing at this address: it was deleted elsewhere after "
    "it had come, and stays deleted until it is edited here"
)
_ROUNDS = 4
_ABOUT_TIME = re.compile(r"time|date|created_at|too (far|old|late)|future|expired", re.IGNORECASE)


class Migrator:
    """One run for one owner at one relay, over the records of one kind."""

    kind: ClassVar[int] = PERSONA
    """The kind of the events that the records become."""
    file_name: ClassVar[str] = FILE_NAME
    """The file that holds the records, in the base directory."""
    noun: ClassVar[str] = "persona"
    """What a record is called."""

    def __init__(
        self,
        *,
        base: Path,
        key: SecretKey,
        store: RetentionStore,
        transport: Transport,
        now: Callable[[], int],
        say: Callable[[str], None] = lambda text: None,
        may_empty: bool = False,
    ) -> None:
        """`say` takes progress in words; `now` gives Unix seconds.

        `may_empty`: whether a file without personas may delete all that was published from it.
        """
        self.base = base
        self.key = key
        self.store = store
        self.transport = transport
        self.now = now
        self.say = say
        self.may_empty = may_empty
        self.mapper = self.new_mapper()
        self.mapped = Mapped((), (), (), frozenset())
        self.heads: dict[str, Event] = {}
        self.online = False
        self.asked = False
        self.outbox: list[Outgoing] = []
        self.failures: dict[str, str] = {}
        self.redated: set[str] = set()
        self.report = Report(store.relay, key.pubkey, noun=self.noun)
        self._stamp: tuple[int, int] | None = None

    # -- before a run ----------------------------------------------------------

    @staticmethod
    def key_from(path: Path) -> SecretKey:
        """The owner's key. Raises ValueError; no key is ever made up (AP-MIG-33)."""
        try:
            return SecretKey.from_file(path)
        except SecretFileError as error:
            raise ValueError(f"{error}. Nothing was published") from None
        except ValueError as error:
            raise ValueError(
                f"the key file {path} holds no secret key ({error}): one key is needed, as "
                "nsec1... or as 64 hex digits, and nothing else. Nothing was published"
            ) from None

    @staticmethod
    def store_path(base: Path, owner: str, relay: str) -> Path:
        """Where the store is, unless told otherwise."""
        return store_path(base, owner, relay)

    @staticmethod
    def records_of(base: Path) -> tuple[PersonaRecord, ...]:
        """The records of a base directory. Raises PersonaFileError."""
        return read_personas(base)

    def new_mapper(self) -> Mapper:
        """The rules of the mapping."""
        return Mapper()

    # -- one run ---------------------------------------------------------------

    def run(self) -> Report:
        """Migrate. Raises PersonaFileError before anything is touched."""
        self.keep(self.take_in())
        for _ in range(_ROUNDS):
            answers = self.publish()
            changed = self.file_changed()
            if changed:
                self.keep(self.take_in())
            again = self.settle(answers)
            if not changed and not again:
                break
        return self.finished()

    def plan(self) -> Report:
        """What `run` would do, without signing, storing or sending."""
        decisions = self.take_in()
        self.report.planned = {one.slug: str(one.action) for one in decisions}
        self._note(decisions)
        return self.report

    def take_in(self) -> list[Decision]:
        """Read file, store and relay, and decide for each address."""
        self._stamp = self.stamp()
        self.mapped = self.read()
        rows = self.sound_rows(self.kind)
        tombstones = self.sound_rows(DELETION)
        removed = [
            slug
            for slug in {**rows, **{s: t for s, t in tombstones.items() if t.pending}}
            if slug not in self.mapped.slugs
        ]
        self.guard(removed)
        self.ask([*(persona.slug for persona in self.mapped.personas), *removed], rows)
        decisions = [
            self.decide(self.situation(one.slug, rows, tombstones, persona=one))
            for one in self.mapped.personas
        ]
        return decisions + [
            self.decide_removed(self.situation(slug, rows, tombstones)) for slug in removed
        ]

    def read(self) -> Mapped:
        """What the file wants published. Raises PersonaFileError."""
        return self.mapper.mapped(self.records())

    def guard(self, removed: Sequence[str]) -> None:
        """Raise PersonaFileError where a file without any persona would delete all of them."""
        if self.may_empty or not removed or self.mapped.has_personas:
            return
        shown = f"{', '.join(removed[:5])}{', ...' if removed[5:] else ''}"
        raise PersonaFileError(
            f"{self.base / self.file_name} has no {self.noun} of the user any more, and "
            f"{len(removed)} were published from it ({shown}). "
            "Nothing was deleted. If all of them are to be deleted, say --allow-empty"
        )

    def records(self) -> tuple[PersonaRecord, ...]:
        """The file's records. Raises PersonaFileError, for a missing file too."""
        return self.records_of(self.base)

    def stamp(self) -> tuple[int, int] | None:
        """What changes when the file changes."""
        return self.stamp_of(self.file_name)

    def stamp_of(self, name: str) -> tuple[int, int] | None:
        """What changes when a file of the base directory changes; None where there is none."""
        try:
            found = (self.base / name).stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size)

    def file_changed(self) -> bool:
        """Whether the file is another one than was read; a file that is gone says nothing."""
        present = self.stamp()
        return present is not None and present != self._stamp

    def sound_rows(self, kind: int) -> dict[str, Retained]:
        """The rows that can be read. A damaged one counts as none: the relay or the file has it."""
        sound = {}
        deletes = kind == DELETION
        found = self.store.tombstones(self.kind) if deletes else self.store.rows(kind)
        for slug, row in found.items():
            try:
                row.event  # noqa: B018
            except MalformedEvent as error:
                self.report.notes.append(Waiting(slug, f"damaged row in the store: {error}"))
                with self.store.transaction():
                    self.store.drop(tombstone_key(self.kind, slug) if deletes else slug, kind)
            else:
                sound[slug] = row
        return sound

    # -- the relay's heads -----------------------------------------------------

    def ask(self, slugs: Sequence[str], rows: dict[str, Retained]) -> None:
        """Ask for the heads before anything is signed (NIP-AP, "Writing", step 3); once a run."""
        missing = [slug for slug in slugs if slug not in self.heads] if self.asked else list(slugs)
        if self.asked and not self.online:
            return
        self.asked = True
        try:
            found = self.heads_of(missing) if missing else {}
        except WireError as error:
            self.online = False
            self.report.trouble = str(error)
            return
        self.online = True
        for slug, event in found.items():
            row = rows.get(slug)
            if (row is not None and row.event.id == event.id) or self.is_genuine(event):
                self.heads[slug] = event
            else:
                self.report.notes.append(Waiting(slug, "the relay sent a head that is not valid"))

    def heads_of(self, slugs: Sequence[str]) -> dict[str, Event]:
        """The relay's heads at some addresses. Raises WireError."""
        return self.transport.heads(self.key.pubkey, slugs, self.kind)

    def is_genuine(self, event: Event) -> bool:
        """Whether an event is the owner's and verifies; a relay is not believed."""
        return event.pubkey == self.key.pubkey and not event.problems

    def situation(
        self,
        slug: str,
        rows: dict[str, Retained],
        tombstones: dict[str, Retained],
        persona: Any = None,
    ) -> Situation:
        """All that is known of one address."""
        return Situation(
            slug, persona, rows.get(slug), tombstones.get(slug), self.heads.get(slug), self.online
        )

    # -- deciding and keeping --------------------------------------------------

    def decide(self, situation: Situation) -> Decision:
        """What to do for a persona of the file."""
        row = situation.row
        return for_persona(situation, is_stale=row is not None and self.is_stale(row))

    def decide_removed(self, situation: Situation) -> Decision:
        """What to do for an address that the file has no longer."""
        return for_removed(situation)

    def is_stale(self, row: Retained) -> bool:
        """Whether a waiting event has become too old to be accepted."""
        return row.pending and self.now() - row.created_at > STALE_AFTER

    def keep(self, decisions: Sequence[Decision]) -> None:
        """Carry out decisions in the store: all of them or, where the process dies, none."""
        self.outbox = []
        self._note(decisions)
        with self.store.transaction():
            for decision in decisions:
                self.carry_out(decision)
        self.outbox = self.due(sorted(self.outbox, key=lambda one: one.event.kind != DELETION))

    def due(self, outbox: Sequence[Outgoing]) -> list[Outgoing]:
        """What a relay can take by now; the rest waits in the store, and the report says why."""
        now, due = self.now(), []
        for one in outbox:
            ahead = one.event.created_at - now
            if ahead > AHEAD:
                self.failures[one.slug] = f"dated {ahead} s ahead, past the head; it waits for that"
            else:
                due.append(one)
        return due

    def _note(self, decisions: Sequence[Decision]) -> None:
        report = self.report
        report.skipped, report.warnings = self.mapped.skipped, self.mapped.warnings
        report.conflicts = [
            Waiting(one.slug, one.note) for one in decisions if one.action is Action.CONFLICT
        ]
        report.notes += [
            Waiting(one.slug, one.note)
            for one in decisions
            if one.note and one.action is not Action.CONFLICT
        ]
        report.unchanged = [one.slug for one in decisions if one.action is Action.KEEP]
        report.adopted += [one.slug for one in decisions if one.action is Action.ADOPT]

    def carry_out(self, decision: Decision) -> None:
        """One decision in the store; what has to travel goes into the outbox."""
        situation, slug = decision.situation, decision.slug
        if decision.action is Action.ADOPT and situation.head is not None:
            self.store.adopt(situation.head, slug)
            self.forget_deletion(slug)
        elif decision.action is Action.SIGN and situation.persona is not None:
            self.keep_version(situation, situation.persona.content)
        elif decision.action is Action.SEND and situation.row is not None:
            self.outbox.append(Outgoing(situation.row.event, slug))
        elif decision.action is Action.DELETE:
            self.keep_deletion(situation)
        elif decision.action is Action.DROP:
            self.store.drop(slug, self.kind)
            self.forget_deletion(slug)

    def forget_deletion(self, slug: str) -> None:
        """Drop the deletion request for an address, waiting or sent."""
        self.store.drop(tombstone_key(self.kind, slug), DELETION)

    def key_of(self, outgoing: Outgoing) -> str:
        """The `d_tag` of the row of an event on its way."""
        deletes = outgoing.event.kind == DELETION
        return tombstone_key(self.kind, outgoing.slug) if deletes else outgoing.slug

    def keep_version(self, situation: Situation, content: str) -> None:
        """Sign a new version and keep it as waiting; it cancels a deletion that still waits."""
        event = self.sign(situation, content)
        self.store.retain(event, situation.slug, pending=True, base=situation.base)
        self.cancel_deletion(situation)
        self.outbox.append(Outgoing(event, situation.slug))

    def cancel_deletion(self, situation: Situation) -> None:
        """A persona that is there again needs no deletion; its date passes the request's."""
        self.forget_deletion(situation.slug)

    def sign(self, situation: Situation, content: str) -> Event:
        """The new version as an event."""
        draft = draft_of(
            situation.slug,
            content,
            at=self.dated(situation),
            shared=self.shares(situation),
            kind=self.kind,
        )
        return draft.signed_by(self.key)

    def dated(self, situation: Situation) -> int:
        """max(now, T+1), with T the latest date known at the address (NIP-AP, "Writing")."""
        return max(self.now(), situation.newest + 1)

    def shares(self, situation: Situation) -> bool:
        """Whether the new version is shared: as the one that it replaces."""
        return situation.is_shared

    def keep_deletion(self, situation: Situation) -> None:
        """Sign a deletion request that reaches the head, and keep it in place of the row."""
        slug = situation.slug
        event = self.deletion(slug, max(self.now(), situation.newest))
        self.store.drop(slug, self.kind)
        self.forget_deletion(slug)
        key = tombstone_key(self.kind, slug)
        self.store.retain(event, key, pending=True, base=situation.base)
        self.outbox.append(Outgoing(event, slug))

    def deletion(self, slug: str, at: int) -> Event:
        """A kind 5 for one address, with the `k` tag that NIP-AP asks for."""
        tags = (("a", f"{self.kind}:{self.key.pubkey}:{slug}"), ("k", str(self.kind)))
        return Draft(DELETION, at, tags).signed_by(self.key)

    # -- publishing ------------------------------------------------------------

    def publish(self) -> list[tuple[Outgoing, Answer]]:
        """Send the outbox, deletions first; gives the answers that came."""
        answered: list[tuple[Outgoing, Answer]] = []
        if not self.online or not self.outbox:
            return answered
        going, self.outbox = self.outbox, []
        try:
            answers = self.transport.submit([one.event for one in going])
            for outgoing, answer in zip(going, answers, strict=False):
                answered.append((outgoing, answer))
                self.progress(len(answered), len(going))
        except WireError as error:
            self.online = False
            self.report.trouble = str(error)
        return answered

    def progress(self, done: int, of: int) -> None:
        """Tell a person that something moves."""
        if done == of or done % 100 == 0:
            self.say(f"{done} of {of} sent")

    def settle(self, answers: Sequence[tuple[Outgoing, Answer]]) -> bool:
        """Clear the flags of what the relay has; True where something was signed anew."""
        heads = self.heads_now([one for one, answer in answers if answer.prefix == "duplicate:"])
        again = False
        with self.store.transaction():
            for outgoing, answer in answers:
                if self.is_gone(outgoing, answer, heads):
                    self.let_go(outgoing)
                elif self.is_success(outgoing, answer, heads or {}):
                    self.acknowledge(outgoing)
                elif self.is_too_old(outgoing, answer):
                    again = self.redate(outgoing) or again
                else:
                    self.failures[outgoing.slug] = answer.message or "refused without a reason"
        return again

    def heads_now(self, doubtful: Sequence[Outgoing]) -> dict[str, Event] | None:
        """The heads of addresses where the relay said "duplicate", which also means "lost"; None
        where it cannot be asked."""
        slugs = [one.slug for one in doubtful if one.event.kind == self.kind]
        if not slugs:
            return {}
        if not self.online:
            return None
        try:
            return self.heads_of(slugs)
        except WireError as error:
            self.online = False
            self.report.trouble = str(error)
            return None

    def is_gone(self, outgoing: Outgoing, answer: Answer, heads: dict[str, Event] | None) -> bool:
        """Whether the relay has had a persona, and has nothing at its address any more."""
        is_doubtful = answer.prefix == "duplicate:" and outgoing.event.kind == self.kind
        return is_doubtful and heads is not None and outgoing.slug not in heads

    def let_go(self, outgoing: Outgoing) -> None:
        """What was deleted elsewhere stays deleted: it is told, and not sent for ever."""
        self.store.acknowledge(outgoing.event, self.key_of(outgoing))
        self.failures.pop(outgoing.slug, None)
        self.report.gone.append(Waiting(outgoing.slug, _GONE))

    def is_success(self, outgoing: Outgoing, answer: Answer, heads: dict[str, Event]) -> bool:
        """Whether the relay has the event: OK true is not enough where it says "duplicate"."""
        if answer.prefix != "duplicate:":
            return answer.accepted
        if outgoing.event.kind != self.kind:
            return answer.accepted
        head = heads.get(outgoing.slug)
        return head is not None and head.content == outgoing.event.content

    def acknowledge(self, outgoing: Outgoing) -> None:
        """Clear the flag of exactly this event, and remember the head."""
        self.store.acknowledge(outgoing.event, self.key_of(outgoing))
        self.failures.pop(outgoing.slug, None)
        if outgoing.event.kind == self.kind:
            self.heads[outgoing.slug] = outgoing.event
            self.report.published[outgoing.slug] = outgoing.event.id
        else:
            self.heads.pop(outgoing.slug, None)
            self.report.deleted[outgoing.slug] = outgoing.event.id

    def is_too_old(self, outgoing: Outgoing, answer: Answer) -> bool:
        """Whether a refusal is about the date of an event that has been waiting."""
        waited = self.now() - outgoing.event.created_at > _FRESH
        return (
            waited
            and outgoing.event.id not in self.redated
            and _ABOUT_TIME.search(answer.message) is not None
        )

    def redate(self, outgoing: Outgoing) -> bool:
        """Sign a waiting event once more, with a date of today; the refused one is nowhere."""
        key = self.key_of(outgoing)
        row = self.store.row(key, outgoing.event.kind)
        if row is None or row.event.id != outgoing.event.id:
            return False
        old = outgoing.event
        event = Draft(old.kind, self.now(), old.tags, old.content).signed_by(self.key)
        self.redated.add(event.id)
        self.store.retain(event, key, pending=True, base=row.base)
        self.outbox.append(Outgoing(event, outgoing.slug))
        return True

    def scopes(self) -> list[Scope]:
        """The other relays for which something of this owner waits."""
        if self.store.path is None:
            return []
        return others(self.base, self.store.path, self.key.pubkey, self.store.relay)

    def finished(self) -> Report:
        """The report, with what waits and why."""
        offline = f"the relay was not there: {self.report.trouble}"
        default = offline if not self.online else "not answered"
        conflicts = {one.slug for one in self.report.conflicts}
        self.report.pending = [
            Waiting(slug, self.failures.get(slug, default))
            for slug in self.waiting()
            if slug not in conflicts
        ]
        return self.report

    def waiting(self) -> list[str]:
        """The addresses for which something waits, deletions first."""
        kept = (self.store.tombstones(self.kind), self.store.rows(self.kind))
        return [slug for rows in kept for slug, row in rows.items() if row.pending]
