"""Generated traffic as a check: plays a plan, and shortens a sequence that deviates."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from nip_ap.checking.actor import ANY, AT_ONCE
from nip_ap.checking.check import Check
from nip_ap.checking.findings import Finding, Theme
from nip_ap.checking.model_relay import SHAREABLE, Habits
from nip_ap.checking.player import Player
from nip_ap.checking.traffic import (
    COUNTS,
    STORED,
    Ask,
    Cast,
    Close,
    Open,
    Race,
    Step,
    Wanted,
    from_json,
    readable,
    to_json,
)
from nip_ap.checking.traffic_generator import Plan, Scope, within
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.clauses import JUNE
from nip_ap.model.judgement import Broken, Inconclusive, ScenarioMistake
from nip_ap.model.saved_sequence import read_sequence
from nip_ap.model.seed import USUAL_EXAMPLES
from nip_ap.nostr import DELETION, PERSONA, Draft, Filter
from nip_ap.wire import WireError

Planner = Callable[[Random, Scope], Plan]

ROLES = {"0": "owner", "1": "other owner", "2": "stranger"}

SMALLEST = 1.0
"""Of its usual size: with fewer questions a plan may never see its positive control."""
_AT_ONCE, _MOST_FILTERS = 10, 5
_UNANNOUNCED, _ENVELOPE = 12_000, 2_000
"""Bytes of content where nothing is announced, and of a frame around its content."""
_BUDGET, _SHRINKING, _TRIES = 30.0, 45.0, 40
"""Seconds for a plan, and for it and its shrinking together; playings that shrinking may take."""


class Traffic:
    """Plays generated traffic for one check."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self._capabilities = check.subject.capabilities
        self._turns = 0
        self._habits: Habits | None = None

    def holds(
        self,
        planner: Planner,
        *themes: Theme,
        surfaces: Collection[str] = (),
        seed: int = 0,
        kind: int = PERSONA,
        share: float = 1.0,
    ) -> None:
        """Claim: the relay does what the model says, as far as these themes and surfaces go.

        A plan about the gate writes events of a `kind`; `share` is a part of a plan's questions.
        Raises Broken with the shortest sequence found, Inconclusive where nothing was compared.
        """
        settings = self.check.surface.context.settings
        random = Random(f"{self.check.generation_seed} {seed}")
        scope = replace(self._scope(surfaces), kind=kind)
        scope = replace(scope, size=scope.size * share)
        steps: Sequence[Step] = within(scope, planner(random, scope))
        if settings.replay:
            steps = _saved(settings.replay)
        player = self._played(steps, themes, narrates=bool(settings.replay))
        finding = _first(player, themes, surfaces)
        if finding is None:
            self._conclude(player, themes)
            return
        if settings.shrink and not settings.replay:
            best = self._shrunk(steps, finding, player, themes, surfaces)
            steps, finding, player = self._shown_once_more(best, themes, surfaces)
        self.check.fact("sequence", to_json(steps, self.check.id))
        lines = readable(steps, player.cast)
        shown = "; ".join(lines) if len(lines) <= 12 else f"{lines[finding.step - 1]}"
        raise Broken(finding.expected, f"{finding.seen}, after {shown}")

    def _scope(self, surfaces: Collection[str]) -> Scope:
        found, settings = self._capabilities, self.check.surface.context.settings
        announced = found.limit("max_filters") or _MOST_FILTERS
        offered = set(surfaces) or {STORED}
        if found.offers("count"):
            offered.add(COUNTS)
        return Scope(
            size=max(settings.examples / USUAL_EXAMPLES, SMALLEST),
            surfaces=frozenset(offered),
            most_filters=max(1, min(announced, _MOST_FILTERS)),
            largest=_largest_content(found),
            anonymous_reads=not found.offers("auth-to-read"),
            searches=found.offers("search"),
            gated=found.spec != JUNE,
        )

    # -- playing ---------------------------------------------------------------

    def _played(
        self, steps: Sequence[Step], themes: Collection[Theme], *, narrates: bool = False
    ) -> Player:
        player = self._player(AT_ONCE if Theme.LATE in themes else ANY)
        budget = _BUDGET if self._turns == 1 else _SHRINKING
        tell = self.check.step if narrates else _say_nothing
        try:
            player.play(steps, themes, lambda: self.check.has_time_left(budget), tell)
        except (WireError, Inconclusive):
            if not player.findings:
                raise
        return player

    def _player(self, settle: str = ANY) -> Player:
        """Everybody who takes part, with keys that wrote nothing before, where that is possible."""
        self._turns += 1
        nonce = self.check.next_sequence()[-12:]
        actors = {name: self.check.actor(role, self._turns) for name, role in ROLES.items()}
        fresh = not any(self.check.has_given_key(role) for role in ROLES.values())
        if self._habits is None:
            self._habits = self._learned()
        actors |= {f"{name} again": actors[name].another_connection() for name in ("0", "1")}
        actors["anonymous"] = self.check.anonymous()
        cast = Cast(
            lambda author, draft: actors[author].signs(draft),
            {name: actors[name].pubkey for name in ROLES},
            self.check.clock.now(),
            nonce,
            slug_prefix="" if fresh else f"{nonce[:8]}-",
        )
        most = self._capabilities.limit("max_subscriptions") or _AT_ONCE
        return Player(
            actors,
            cast,
            self._habits,
            at_once=max(1, min(_AT_ONCE, most - 1)),
            counts_alone=fresh,
            settle=settle,
        )

    def _learned(self) -> Habits:
        """What the relay does where it has a choice, found with a few events of a key apart."""
        actor = self.check.actor("owner")
        now, slug = self.check.clock.now(), self.check.slug("habit")
        drafts = [
            Draft(PERSONA, now - age, (("d", f"{slug}{place}"), ("n", str(age))), "{}")
            for place, age in (("v", 20), ("v", 10), ("a", 10), ("d", 0), ("e", 10))
        ]
        old, _, by_address, spared, by_id = events = [actor.signs(one) for one in drafts]
        own = Filter.of(kinds=[PERSONA], authors=[actor.pubkey])
        echo = actor.ws.open([own])
        for part in (events[:1], events[1:]):
            actor.submit(part)
        requests = [
            Draft(DELETION, now, (("a", f"{PERSONA}:{actor.pubkey}:{by_address.slug}"),), "a"),
            Draft(DELETION, now - 5, (("a", f"{PERSONA}:{actor.pubkey}:{spared.slug}"),), "d"),
            Draft(DELETION, now, (("e", by_id.id),), "e"),
        ]
        actor.submit([actor.signs(one) for one in requests])
        reading = actor.read(own)
        return Habits(
            gated=self._capabilities.spec != JUNE,
            keeps_versions=old in reading,
            deletes_by_address=by_address not in reading,
            deletes_by_id=by_id not in reading,
            dates_bind=spared in reading,
            echoes=actor.sees("its own event came back", lambda: events[0] in echo.live),
            most=self._capabilities.limit("max_limit"),
        )

    def _conclude(self, player: Player, themes: Collection[Theme]) -> None:
        """What a sequence without a finding comes to."""
        for text, shape in player.refusals.items():
            self.check.note(f"not compared, as the relay refused it: {shape}: {text!r}")
        if not any(event.kind in SHAREABLE for event in player.accepted()):
            raise Inconclusive("the relay accepted none of the events that the check builds on")
        if player.judged == 0:
            raise Inconclusive("the relay answered none of the questions of this check")
        if Theme.GATE in themes:
            if not player.given_to_author:
                raise Inconclusive("what is withheld from strangers was not given to its author")
            self.check.ledger.control(
                "withheld",
                f"given to its author, {player.given_to_author} times, for the same filters",
                "reader: strangers against the author",
            )
        if player.stopped:
            self.check.note(f"the relay is slow: after {_BUDGET:g} s the rest was left out")
        self.check.note(
            f"{len(player.model.events)} events were written and {player.judged} answers compared"
        )

    # -- shrinking -------------------------------------------------------------

    def _shrunk(
        self,
        steps: Sequence[Step],
        finding: Finding,
        player: Player,
        themes: Collection[Theme],
        surfaces: Collection[str],
    ) -> tuple[Sequence[Step], Finding, Player]:
        """The shortest sequence in so many tries, each on fresh keys, that deviates alike."""
        tries = 0
        best = (tuple(steps), finding, player)
        improved = True
        while improved:
            improved = False
            for candidate in _smaller(*best[:2]):
                if tries >= _TRIES or not self.check.has_time_left(_SHRINKING):
                    return best
                tries += 1
                again = self._tried(candidate, finding, themes, surfaces)
                if again is not None:
                    best, improved = again, True
                    break
        return best

    def _shown_once_more(
        self,
        best: tuple[Sequence[Step], Finding, Player],
        themes: Collection[Theme],
        surfaces: Collection[str],
    ) -> tuple[Sequence[Step], Finding, Player]:
        """The shortest sequence, played again so that its frames are the last ones."""
        again = self._tried(best[0], best[1], themes, surfaces, narrates=True)
        if again is None:
            self.check.note("played once more, the shortest sequence went well")
        return again or best

    def _tried(
        self,
        steps: Sequence[Step],
        finding: Finding,
        themes: Collection[Theme],
        surfaces: Collection[str],
        *,
        narrates: bool = False,
    ) -> tuple[tuple[Step, ...], Finding, Player] | None:
        try:
            player = self._played(steps, themes, narrates=narrates)
        except (WireError, Inconclusive):
            return None
        found = _first(player, themes, surfaces)
        if found is None or (found.theme, found.fault) != (finding.theme, finding.fault):
            return None
        return tuple(steps), found, player


def _largest_content(found: Capabilities) -> int:
    """Bytes of content that an announced frame and an announced content have room for."""
    frame = found.limit("max_message_length") or _UNANNOUNCED + _ENVELOPE
    return min(frame - _ENVELOPE, found.limit("max_content_length") or frame)


def _saved(path: str) -> Sequence[Step]:
    try:
        return from_json(read_sequence(path))
    except ValueError as error:
        raise ScenarioMistake(f"--replay {path}: {error}") from error


def _say_nothing(text: str) -> None:
    """A long plan leaves its steps out of the transcript."""


def _first(player: Player, themes: Collection[Theme], surfaces: Collection[str]) -> Finding | None:
    return next(
        (
            one
            for one in player.findings
            if one.theme in themes and (not surfaces or one.surface in surfaces)
        ),
        None,
    )


def _smaller(steps: Sequence[Step], finding: Finding) -> Iterator[tuple[Step, ...]]:
    """Shorter sequences that may deviate alike, the boldest first."""
    kept = tuple(steps[: finding.step])
    last = kept[-1]
    if len(kept) < len(steps):
        yield kept
    if isinstance(last, Ask):
        silent = tuple(one for one in kept[:-1] if not isinstance(one, (Ask, Open, Close, Race)))
        if len(silent) + 1 < len(kept):
            yield (*silent, last)
    for size in _sizes(len(kept) - 1):
        for start in range(0, len(kept) - 1, size):
            yield (*kept[:start], *kept[start + size : -1], last)
    yield from _with_simpler_filters(kept)


def _sizes(number: int) -> Iterator[int]:
    while number > 1:
        number = -(-number // 2)
        yield number


def _with_simpler_filters(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Filters with one condition or value less."""
    for place, step in enumerate(steps):
        if not isinstance(step, (Ask, Open, Race)):
            continue
        for number, wanted in enumerate(step.filters):
            if len(step.filters) > 1:
                fewer = (*step.filters[:number], *step.filters[number + 1 :])
                yield (*steps[:place], replace(step, filters=fewer), *steps[place + 1 :])
            for simpler in _simpler(wanted):
                made = (*step.filters[:number], simpler, *step.filters[number + 1 :])
                yield (*steps[:place], replace(step, filters=made), *steps[place + 1 :])


def _simpler(wanted: Wanted) -> Iterator[Wanted]:
    for name in ("ids", "authors", "kinds", "since", "until", "limit"):
        value = getattr(wanted, name)
        fewer: list[object] = [None] if value is not None else []
        if isinstance(value, tuple) and len(value) > 1:
            fewer += [(*value[:number], *value[number + 1 :]) for number in range(len(value))]
        for one in fewer:
            changes: dict[str, Any] = {name: one}
            yield replace(wanted, **changes)
    for place, (name, values) in enumerate(wanted.tags):
        rest = (*wanted.tags[:place], *wanted.tags[place + 1 :])
        yield replace(wanted, tags=rest)
        for number in range(len(values) if len(values) > 1 else 0):
            rest_of_values = (*values[:number], *values[number + 1 :])
            tags = (*wanted.tags[:place], (name, rest_of_values), *wanted.tags[place + 1 :])
            yield replace(wanted, tags=tags)
