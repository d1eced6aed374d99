"""What a run of the migrator did, as the contract wants it told (docs/migrator-contract.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from nip_ap.nostr import Event
from nip_ap_client.mapping import Skip


class State(StrEnum):
    """Where a persona stands after a run. A run is in the first of these that any persona is in:
    planned, waiting, failed, else synced."""

    PLANNED = "planned"
    WAITING = "waiting"
    SYNCED = "synced"
    SKIPPED = "skipped"
    FAILED = "failed"


_FIRST = (State.PLANNED, State.WAITING, State.FAILED, State.SYNCED)
"""The states of a run; the first that any part is in goes for the whole."""


@dataclass(frozen=True)
class Waiting:
    """What is not on the relay yet, and why."""

    slug: str
    reason: str


@dataclass(frozen=True)
class Outgoing:
    """An event on its way."""

    event: Event
    slug: str


@dataclass(frozen=True)
class Standing:
    """One persona after a run. `name` is its slug or, where it has none of its own, its id.

    `how` is what was done, or is to be done; `reason` is for a person.
    """

    name: str
    state: State
    how: str = ""
    reason: str = ""
    event: str = ""

    def to_json(self) -> dict[str, str]:
        """What is known of it."""
        every = {"how": self.how, "reason": self.reason, "event": self.event}
        known = {key: value for key, value in every.items() if value}
        return {"persona": self.name, "state": str(self.state), **known}


@dataclass
class Report:
    """What a run did. Holds slugs, ids and reasons; never a content, a key or env_vars."""

    relay: str
    owner: str
    noun: str = "persona"
    """What the run was about."""
    family: list[Report] = field(default_factory=list)
    """The reports about teams, managed agents, catalogs and instructions of the same run."""
    published: dict[str, str] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)
    adopted: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    pending: list[Waiting] = field(default_factory=list)
    conflicts: list[Waiting] = field(default_factory=list)
    gone: list[Waiting] = field(default_factory=list)
    """What the relay says it has had, and has no longer."""
    skipped: tuple[Skip, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: list[Waiting] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    """What came of that which waited for other relays, one sentence per relay."""
    trouble: str = ""
    planned: dict[str, str] | None = None

    @property
    def state(self) -> State:
        """The state of the run as a whole."""
        found = {self._own_state, *(one.state for one in self.family)}
        return next(one for one in _FIRST if one in found)

    @property
    def _own_state(self) -> State:
        if self.planned is not None:
            return State.PLANNED
        if self.pending or self.conflicts:
            return State.WAITING
        if self.gone or any(one.is_fault for one in self.skipped):
            return State.FAILED
        return State.SYNCED

    @property
    def is_synced(self) -> bool:
        """Whether the relay has all that the file has, as far as it can have it."""
        own = not self.pending and not self.conflicts
        return own and all(one.is_synced for one in self.family)

    @property
    def standings(self) -> list[Standing]:
        """Every record with its state; what is no persona is named with what it is."""
        acted = self._acted() if self.planned is None else self._planned(self.planned)
        own = [*acted, *self._left_out()]
        return own + [
            replace(standing, name=f"{one.noun} {standing.name}")
            for one in self.family
            for standing in one.standings
        ]

    @property
    def all_warnings(self) -> list[str]:
        """The warnings about records of every kind."""
        return [*self.warnings, *(said for one in self.family for said in one.all_warnings)]

    def _planned(self, actions: dict[str, str]) -> Iterator[Standing]:
        reasons = {one.slug: one.reason for one in (*self.notes, *self.conflicts)}
        for slug, action in actions.items():
            yield Standing(slug, State.PLANNED, action, reasons.get(slug, ""))

    def _acted(self) -> Iterator[Standing]:
        left_alone = {one.slug: one.reason for one in self.notes}
        for how, done in (("published", self.published), ("deleted", self.deleted)):
            for slug, event in done.items():
                yield Standing(slug, State.SYNCED, how, left_alone.pop(slug, ""), event)
        yield from (Standing(slug, State.SYNCED, "taken over") for slug in self.adopted)
        for slug in self.unchanged:
            if slug in left_alone:
                yield Standing(slug, State.SKIPPED, "left alone", left_alone[slug])
            else:
                yield Standing(slug, State.SYNCED, "unchanged")
        for one in self.pending:
            yield Standing(one.slug, State.WAITING, "", one.reason)
        for one in self.conflicts:
            yield Standing(one.slug, State.WAITING, "conflict", one.reason)
        for one in self.gone:
            yield Standing(one.slug, State.FAILED, "", one.reason)

    def _left_out(self) -> Iterator[Standing]:
        for one in self.skipped:
            state = State.FAILED if one.is_fault else State.SKIPPED
            yield Standing(one.id, state, "", one.reason)

    def to_json(self) -> dict[str, Any]:
        """The report of the contract (docs/migrator-contract.md)."""
        return {
            "status": str(self.state),
            "relay": self.relay,
            "owner": self.owner,
            "personas": [one.to_json() for one in self.standings],
            "warnings": self.all_warnings,
            "notes": [{"persona": one.slug, "reason": one.reason} for one in self.notes],
            "elsewhere": list(self.elsewhere),
            "trouble": self.trouble,
        }


def summary(report: Report) -> str:
    """The report for a person: one line that counts, and one for each cause."""
    standings = report.standings
    lines = [f"{report.state}: {_counted(standings) or 'nothing to do'}"]
    if report.planned is not None:
        lines[0] += "; nothing was signed, kept or sent"
    if report.trouble:
        lines.append(f"  relay: {report.trouble}")
    told = [one for one in standings if one.reason]
    lines += [
        f"  {cause}: {names}"
        for cause, names in _by_cause((f"{one.state}, {one.reason}", one.name) for one in told)
    ]
    if report.planned is not None:
        lines += [
            f"  {how}: {names}"
            for how, names in _by_cause((o.how, o.name) for o in standings if o.how)
        ]
    lines += [f"  warning: {one}" for one in report.all_warnings]
    lines += [f"  elsewhere: {one}" for one in report.elsewhere]
    named = {one.name for one in told}
    notes = ((one.reason, one.slug) for one in report.notes if one.slug not in named)
    return "\n".join([*lines, *(f"  note, {cause}: {names}" for cause, names in _by_cause(notes))])


_NAMED = 5


def _counted(standings: Iterable[Standing]) -> str:
    counts = Counter((one.state, one.how) for one in standings)
    found = []
    for state in State:
        ways = {how: number for (of, how), number in counts.items() if of is state}
        if ways:
            said = ", ".join(f"{number} {how}" for how, number in ways.items() if how)
            found.append(f"{sum(ways.values())} {state}{f' ({said})' if said else ''}")
    return ", ".join(found)


def _by_cause(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Causes with the names that they have; one line says what 500 would."""
    causes: dict[str, list[str]] = {}
    for cause, name in pairs:
        causes.setdefault(cause, []).append(name)
    return [(cause, _some(names)) for cause, names in causes.items()]


def _some(names: list[str]) -> str:
    shown = ", ".join(f"{one!a}" for one in names[:_NAMED])
    rest = len(names) - _NAMED
    return f"{shown} and {rest} more" if rest > 0 else shown
