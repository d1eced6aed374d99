"""One check while it runs: its clock, its actors, its transcript, and how it ends in a result.

Longer than most modules by the small properties that scenarios ask a check for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nip_ap.checking.actor import Actor, Clock, Surroundings
from nip_ap.checking.credentials import ABILITIES, run_key
from nip_ap.checking.evidence import Ledger
from nip_ap.checking.foreign_writes import foreign_write
from nip_ap.checking.own_relay import Borrowed, OwnRelay, Standby
from nip_ap.checking.paging import page_size
from nip_ap.checking.refusal_texts import compared, is_of_the_family
from nip_ap.model.deadline import DEADLINE, OutOfTime
from nip_ap.model.frame import NOTE
from nip_ap.model.greeting import Greeting
from nip_ap.model.judgement import HOLDS, Comparison, Judgement, NotApplicable, judged
from nip_ap.model.result import Result
from nip_ap.model.seed import of_what_is_generated
from nip_ap.model.subject import LIMIT_MET, Context, Subject
from nip_ap.model.verdict import Verdict
from nip_ap.nostr import SecretKey, derive
from nip_ap.nostr.channel import PRIVATE, Channel, channel_id
from nip_ap.targets.supervised import size_of, tail_of
from nip_ap.wire import (
    Diverged,
    HttpDoor,
    Network,
    Patience,
    Playback,
    RateLimited,
    RecordedKey,
    Transcript,
    WebSocketDoor,
    WireError,
)
from nip_ap.wire.backoff import LIMITED, Backoff, is_about_connections
from nip_ap.wire.http import NIP98, X_PUBKEY
from nip_ap.wire.pace import OnRest

_ENOUGH_CONNECTIONS = 3
"""How many a relay has to take from one address, so that a check that needs more has no say."""
_WAITS_FOR_ROOM, _MOST_WAITS_FOR_ROOM = 3, 6


@dataclass(frozen=True)
class Surface:
    """What opens doors to one relay for many checks: shared settings and the network."""

    context: Context
    network: Network
    keys: Mapping[str, SecretKey]
    """The keys of --keys that a check has to itself while it runs."""
    salt: str = ""
    """What keeps two processes apart that run the same checks of one run at once."""
    patiences: dict[str, Patience] = field(default_factory=dict)
    on_rest: OnRest | None = None
    """Told of waits for a rate limit."""
    share: int = 1
    """Among how many processes a limit of the whole address is divided."""

    on_crowd: Callable[[str], None] | None = None
    """Told of a relay that takes few connections, so that checks take turns there."""

    def tell_of_a_crowd(self, subject: str) -> None:
        """A relay said that an address has too many connections."""
        if self.on_crowd is not None:
            self.on_crowd(subject)

    def patience(self, subject: str) -> Patience:
        """What this process knows about the pace of one relay."""
        limit = self.context.settings.answer_limit
        if subject not in self.patiences:
            self.patiences[subject] = Patience(
                limit, on_rest=self.on_rest, share=self.share, deadline=self.context.deadline
            )
        return self.patiences[subject]


@dataclass
class Check:
    """The running state of one check."""

    id: str
    clauses: Sequence[str]
    level: str
    sentence: str
    subject: Subject
    surface: Surface
    repetition: int = 0
    greeting: Greeting | None = None
    """How the relay does NIP-42, where that is known before its capabilities are."""
    ledger: Ledger = field(default_factory=Ledger)
    transcript: Transcript = field(default_factory=Transcript)
    comparison: Comparison = field(default_factory=Comparison)
    beyond: str = ""
    _actors: list[Actor] = field(default_factory=list)
    _named: list[Actor] = field(default_factory=list)
    """Those whose key --keys names."""
    _steps: list[str] = field(default_factory=list)
    _sequences: int = 0
    _own: OwnRelay | Borrowed | None = None
    _log_began: int = 0
    _began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.subject.log:
            self._log_began = size_of(Path(self.subject.log))

    @cached_property
    def clock(self) -> Clock:
        """The one clock reading of the check; the transcript records it."""
        reading = self.transcript.reading("clock", lambda: int(time.time()))
        self.transcript.note(f"seed {self.surface.context.settings.seed}")
        return Clock(reading)

    @property
    def seed(self) -> str:
        """The seed of this check: the run's, the check's id and the repetition."""
        names = [self.subject.name, self.id, str(self.repetition)]
        if self.surface.salt:
            names.append(self.surface.salt)
        return derive(self.surface.context.settings.seed, *names).hex()

    @property
    def generation_seed(self) -> int:
        """The seed of generated values: in a run of the usual size the same whatever the run's."""
        settings = self.surface.context.settings
        seed = of_what_is_generated(settings.seed, settings.examples)
        made = derive(seed, self.subject.name, self.id, str(self.repetition)).hex()
        return int(made[:12], 16)

    def slug(self, name: str = "persona") -> str:
        """A slug that nobody else uses; the same for the same seed."""
        word = name if name[:1].isalpha() else f"n{name}"
        return f"{word}-{derive(self.seed, 'slug', name).hex()[:12]}"

    def channel_id(self, name: str = "channel") -> str:
        """A channel id that nobody else uses; the same for the same seed."""
        return channel_id(derive(self.seed, "channel", name))

    def new_channel(
        self, creator: Actor, name: str = "channel", visibility: str = PRIVATE
    ) -> Channel:
        """A channel that an actor makes."""
        channel = Channel(self.channel_id(name), self.clock.now())
        creator.publish(channel.creation(visibility))
        return channel

    def note(self, text: str) -> None:
        """Add a remark for the report."""
        self.ledger.notes.append(text)

    def fact(self, name: str, value: object) -> None:
        """Add a measured value for the report, JSON only."""
        self.ledger.facts[name] = value

    def goes_beyond_the_wire(self, reason: str) -> None:
        """Say why this check cannot be judged again from its transcript alone.

        Raises NotApplicable where that is being tried.
        """
        self.beyond = reason
        if self.transcript.is_played:
            raise NotApplicable(f"it cannot be judged again: {reason}")

    # -- sequences of steps --------------------------------------------------------

    def begins(self) -> None:
        """Its turn has come: how long it waited for that is no part of the time that it takes."""
        self._began = time.monotonic()

    def next_sequence(self) -> str:
        """Begin a sequence of steps: a fresh name, an empty trail, an empty transcript."""
        self._sequences += 1
        self._steps.clear()
        if not self.surface.context.settings.keep_all_frames:
            self.transcript.forget()
        return self.slug(f"sequence-{self._sequences}")

    def has_time_left(self, seconds: float) -> bool:
        """Whether the check has run for less than so long."""
        return self.transcript.reading(
            "time is left", lambda: time.monotonic() - self._began < seconds
        )

    def met_a_limit(self) -> bool:
        """Whether the relay has a rate limit, as far as this process knows: then less is asked."""
        allowance = self.surface.patience(self.subject.name).allowance
        return self.transcript.reading("a rate limit was met", lambda: bool(str(allowance)))

    def step(self, text: str) -> None:
        """Note the next step, in the trail and among the frames."""
        self._steps.append(text)
        self.transcript.note(f"step {len(self._steps)}: {text}")

    def trail(self) -> str:
        """The steps so far, numbered."""
        return "; ".join(f"{number}. {text}" for number, text in enumerate(self._steps, 1))

    # -- a relay of its own ----------------------------------------------------

    @property
    def url(self) -> str:
        """The relay that the check's actors talk to."""
        return self.subject.url if self._own is None else self._own.url

    def move_to_own_relay(self) -> OwnRelay:
        """Start a relay of the check's own; every actor talks to that one from now on.

        Raises Inconclusive where it does not start, although the run's did.
        """
        own = OwnRelay(self.subject.own, self.transcript)
        self._own = own
        return own

    def borrow(self, standby: Standby | None) -> None:
        """Talk to a relay apart, which the worker keeps. Raises Inconclusive."""
        self._own = Borrowed(standby, self.transcript)

    def stay_with(self, other: Check) -> None:
        """Talk to the relay of another check."""
        self._own = other._own

    @property
    def owns_its_relay(self) -> bool:
        """Whether its relay is its own, to be killed and ended by it alone."""
        return isinstance(self._own, OwnRelay)

    # -- actors ----------------------------------------------------------------

    def actor(self, role: str, turn: int = 0) -> Actor:
        """An actor with a key of its own: from --keys where that names the role, else derived.

        Some roles have the same key for the whole run (credentials.py). A derived key is another
        one for each turn of a check that plays several.
        """
        keys, run_seed = self._given_keys(), self.surface.context.settings.seed
        if role in ABILITIES:
            key = run_key(run_seed, role, keys)
        else:
            names = ("key", role) if not turn else ("key", role, str(turn))
            key = keys.get(role) or SecretKey.derived(self.seed, *names)
        name = role if not turn else f"{role} of turn {turn}"
        actor = self._enter(Actor(name, key, self._surroundings()))
        if role in keys:
            self._named.append(actor)
        return actor

    def has_given_key(self, role: str) -> bool:
        """Whether --keys names the role: then its key may have written things before."""
        return role in self._given_keys()

    def _given_keys(self) -> Mapping[str, SecretKey]:
        """The keys of --keys by role; in a playback, what the transcript shows of them."""
        if not isinstance(self.transcript, Playback):
            return self.surface.keys
        frames = self.transcript.recorded
        notes = {one.text for one in frames if one.direction == NOTE}
        found: dict[str, SecretKey] = {}
        for name, pubkey in self.surface.context.given_keys.items():
            role = name.rstrip("0123456789 ")
            if role not in found or any(one.endswith(f"the key {pubkey}") for one in notes):
                found[role] = RecordedKey(pubkey, frames)
        return found

    def anonymous(self) -> Actor:
        """An actor who never authenticates."""
        return self._enter(Actor("anonymous", None, self._surroundings()))

    def _enter(self, actor: Actor) -> Actor:
        self._actors.append(actor)
        return actor

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            self.ledger,
            self.clock,
            self._open_ws,
            self._open_http,
            self.surface.patience(self.subject.name),
            self.subject.capabilities.lag,
            self.transcript,
            page_size(self.subject.capabilities.limit("max_limit")),
            max(self.subject.capabilities.limit("max_message_length") or 0, 0),
        )

    @property
    def _network(self) -> Network:
        return self.transcript if isinstance(self.transcript, Playback) else self.surface.network

    def _introduce(self, who: str, key: SecretKey | None) -> None:
        if key is not None:
            self.transcript.note(f"{who} has the key {key.pubkey}")

    def _open_ws(self, who: str, key: SecretKey | None, can_pause: bool) -> WebSocketDoor:
        """A connection; where the relay says that there are too many, an idle one makes room."""
        self._introduce(who, key)
        patience = self.surface.patience(self.subject.name)
        backoff = Backoff(patience, waits=not self.transcript.is_played)
        waits = 0
        while True:
            try:
                return self._dialled(who, key, can_pause)
            except RateLimited as error:
                if not is_about_connections(str(error)):
                    raise
                self.surface.tell_of_a_crowd(self.subject.name)
                if self._makes_room():
                    continue
                waits += 1  # the relay may not have noticed yet who has left
                if waits > _WAITS_FOR_ROOM:
                    self._claim_to_need_more(error)
                if waits > _MOST_WAITS_FOR_ROOM:
                    raise
                backoff.pause(f"{LIMITED} {error}")

    def _makes_room(self) -> bool:
        """Leave one connection on which nothing is under way; whether there was one."""
        actors = [one for actor in self._actors for one in actor.family]
        idle = next((one for one in actors if one.can_leave_for_now), None)
        if idle is not None:
            idle.reconnect()
        return idle is not None

    def _claim_to_need_more(self, why: RateLimited) -> None:
        """Raise NotApplicable where this check alone needs more than the relay takes.

        Before there are checks, raise the limit itself.
        """
        if not self.clauses:
            raise why
        actors = [one for actor in self._actors for one in actor.family]
        held = sum(one.holds_a_connection for one in actors)
        if held >= _ENOUGH_CONNECTIONS:
            raise NotApplicable(
                f"this check needs more than {held} connections at once, and the relay takes no "
                f"more from one address: {why}"
            )

    def _dialled(self, who: str, key: SecretKey | None, can_pause: bool) -> WebSocketDoor:
        door = WebSocketDoor(
            self.url,
            who=who,
            key=key,
            transcript=self.transcript,
            now=lambda: self.transcript.reading("time", lambda: int(time.time()), who),
            answer_limit=self.surface.context.settings.answer_limit,
            greeting=self.greeting or self.subject.capabilities.greeting,
            can_pause=can_pause,
            patience=self.surface.patience(self.subject.name),
            network=self._network,
        )
        door.lag = self.subject.capabilities.lag
        door.most_filters = max(self.subject.capabilities.limit("max_filters") or 0, 0)
        return door

    def _open_http(self, who: str, key: SecretKey | None) -> HttpDoor:
        self._introduce(who, key)
        settings = self.surface.context.settings
        return HttpDoor(
            self.url,
            who=who,
            key=key,
            transcript=self.transcript,
            now=lambda: int(time.time()),
            network=self._network,
            nonce=f"{self.seed[:16]}-",
            auth=X_PUBKEY if settings.auth == X_PUBKEY else NIP98,
            patience=self.surface.patience(self.subject.name),
            answer_limit=settings.answer_limit,
        )

    def leave(self) -> None:
        """Clean up and close every connection. What fails here says nothing about the clause."""
        self.transcript.close()
        patience = self.surface.patience(self.subject.name)
        for actor in self._actors:
            given = actor in self._named
            passes_on = given or not self.subject.is_disposable
            leaves_traces = self._own is None and not self.transcript.is_played
            if leaves_traces and passes_on and actor.written:
                with suppress(WireError, OSError), patience.beyond_the_deadline():
                    actor.clean_up(awaited=given)
        for actor in self._actors:
            actor.leave()

    # -- the end ---------------------------------------------------------------

    def result(self, error: BaseException | None) -> Result:
        """The result of the check, from the exception that ended it or from none."""
        if isinstance(error, OutOfTime):
            self.beyond = "the run was over before the check was"
            self.fact(DEADLINE, str(error.deadline))
        if isinstance(self.transcript, Playback):
            if not self.beyond:
                self.transcript.finish()
            if self.transcript.divergence:
                error = Diverged(self.transcript.divergence)
        found = self._with_foreign_writes(self._judged(error))
        self._compare_texts()
        allowance = str(self.surface.patience(self.subject.name).allowance)
        if allowance:
            self.fact(LIMIT_MET, allowance)
        return Result(
            check=self.id,
            clauses=tuple(self.clauses),
            verdict=found.verdict,
            subject=self.subject.name,
            repetition=self.repetition,
            level=self.level,
            sentence=self.sentence,
            reason=found.reason,
            expected=found.expected,
            seen=found.seen,
            controls=tuple(self.ledger.controls),
            notes=tuple(self.ledger.notes),
            facts=dict(self.ledger.facts),
            seconds=round(time.monotonic() - self._began, 4),
            frames=self.transcript.frames,
            log=self._relay_log(),
            beyond=self.beyond,
        )

    def _relay_log(self) -> str:
        """What the relay wrote since the check began; other checks may have had a part in it."""
        if self._own is not None:
            return self._own.log()
        if not self.subject.log or self.subject.own is None:
            return ""
        return tail_of(Path(self.subject.log), self.subject.own, since=self._log_began)

    def _compare_texts(self) -> None:
        """A second column for relays of the real one's family: do the refusals match exactly."""
        if is_of_the_family(self.subject.capabilities.information):
            comparison = compared(self.clauses, self.ledger.refusals)
            if comparison is not None:
                self.fact("text", comparison)

    def _judged(self, error: BaseException | None) -> Judgement:
        found = (
            self._controlled()
            if error is None
            else judged(error, self.level, self.comparison, self.sentence)
        )
        if found.remark:
            self.note(found.remark)
        return found

    def _with_foreign_writes(self, found: Judgement) -> Judgement:
        """A red check is undecided where somebody else wrote under its keys of --keys."""
        if not found.verdict.is_red or not self.surface.keys or self.beyond:
            return found
        event = foreign_write(self.transcript.frames, {one.pubkey for one in self._named})
        if event is None:
            return found
        reason = (
            f"event {event.short_id} of kind {event.kind} was written under a key of --keys, and "
            f"not by this check, so that what it saw may be another's doing: {found.reason}"
        )
        return Judgement(Verdict.INCONCLUSIVE, reason)

    def _controlled(self) -> Judgement:
        """A check that passed, unless it rests on negatives whose positive twin it never saw."""
        self.ledger.settle()
        uncontrolled = self.ledger.uncontrolled()
        if uncontrolled:
            reason = f"no positive control: {'; '.join(uncontrolled)}"
            return Judgement(Verdict.INCONCLUSIVE, reason)
        return HOLDS
