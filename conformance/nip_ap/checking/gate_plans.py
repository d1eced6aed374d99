"""Plans of generated traffic for the sharing gate: strangers ask in every filter shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from random import Random

from nip_ap.checking.covering import Row
from nip_ap.checking.gate_rows import AHEAD, live_rows, request_of, short_rows, stored_rows
from nip_ap.checking.hidden_personas import hidden_personas
from nip_ap.checking.traffic import (
    COUNTS,
    HTTP_COUNT,
    HTTP_QUERY,
    STORED,
    UNKNOWN,
    Ask,
    Close,
    Delete,
    Look,
    Open,
    Resend,
    Step,
    Wanted,
    Write,
)
from nip_ap.checking.traffic_generator import Generator, Plan, Scope
from nip_ap.nostr import NOTE

_BINDING = frozenset(("ids", "authors", "d", "t", "p"))
"""Conditions that keep an answer to somebody's events, or a few."""
_CONDITIONS = ("ids", "authors", "kinds", "d", "t", "p", "since", "until", "limit")
_SMALL = 2
_TARGETS = 30
"""Places for hidden events in the rows; what is hidden in each phase is counted round them."""
_AUTHOR_ASKS = 0.3
"""How often the author asks alike, which shows that there was something to withhold."""


def _phases(made: Generator) -> Iterator[list[Step]]:
    """Writes of every kind that the gate has to get right, a few at a time."""
    tags = (("t", "x"), ("p", "2"), ("p", "1"))

    def persona(slug: str, age: int, shared: bool = False, author: str = "0") -> Write:
        return made.write(
            kind=made.scope.kind, slug=slug, age=age, shared=shared, author=author, tags=tags
        )

    never, unshared, twice = persona("a-b", 30), persona("a_b", 30, True), persona("axb", 30)
    back, always, shown = persona("7", 30, True), persona("a", 30, True), persona("b-a", 30)
    ahead = persona("ahead", AHEAD)
    tied = [persona("tied", 20), persona("tied", 20)]
    write = partial(made.write, kind=made.scope.kind)
    last = write(slug="last", age=20, shared=True, tags=tags, slug_last=True)
    theirs = [persona("a-b", 30, author="1"), persona("b", 30, True, author="1")]
    first = [never, unshared, twice, back, always, shown, ahead, *theirs, *tied, last]
    yield [*hidden_personas(write, made.scope.largest), *first]
    second = [persona("a_b", 20), persona("axb", 20), persona("7", 20), persona("b-a", 20, True)]
    yield [*second, persona("ahead", AHEAD - 1)]
    again = [Resend(one.name) for one in (back, unshared, never, shown)]
    yield [*again, persona("7", 10)]
    gone = Delete("d1", "0", 5, (("a", twice.name),))
    yield [gone, persona("axb", 2), persona("a", 2), persona("a_b", 2)]


def _small_shapes(made: Generator) -> list[tuple[str, ...]]:
    """The subsets of one or two conditions, each as it is; what binds to nothing needs a date."""
    shapes = [(one,) for one in _CONDITIONS] + list(combinations(_CONDITIONS, _SMALL))
    kept = [shape for shape in shapes if (_BINDING | {"since"}) & set(shape)]
    made.random.shuffle(kept)
    return kept


def _filter(made: Generator, shape: tuple[str, ...], written: Sequence[Write]) -> Wanted:
    """A filter of a shape that finds what is hidden: all of it, or one of it."""
    random, kind = made.random, made.scope.kind
    binds = _BINDING & set(shape)
    ahead = [one for one in written if one.age <= AHEAD]
    hidden = [one for one in written if not one.shared and (binds or one in ahead)] or [*written]
    picked = hidden if random.random() < 0.5 else [random.choice(hidden)]
    named = random.choice((picked, hidden))
    slugs = dict.fromkeys(one.slug for one in named if one.slug)
    authors: tuple[str, ...] = tuple(dict.fromkeys(one.author for one in picked))
    if random.random() < 0.3:
        authors = tuple(random.sample(("0", "1", UNKNOWN), 3))
    since = max(one.age for one in picked) + random.choice((0, 1, 5))
    return Wanted(
        ids=tuple(one.name for one in picked) if "ids" in shape else None,
        authors=authors if "authors" in shape else None,
        kinds=random.choice(((kind,), (NOTE, kind))) if "kinds" in shape else None,
        tags=tuple(
            (name, tuple(values))
            for name, values in (("d", slugs), ("t", ("x",)), ("p", _either(random)))
            if name in shape
        ),
        since=(since if binds else AHEAD + 1) if "since" in shape else None,
        until=min(one.age for one in picked) - random.choice((0, 1, 5))
        if "until" in shape
        else None,
        limit=random.choice((20, 50)) if "limit" in shape else None,
    )


def _either(random: Random) -> tuple[str, ...]:
    return random.choice((("2",), ("1",), ("1", "2")))


_Question = tuple[str, tuple[Wanted, ...]]


def _strangers(made: Generator) -> tuple[str, ...]:
    """Who must not see what author 0 hides: with personas of their own, and without."""
    readers = ("1", "2", "1 again")
    return (*readers, "anonymous") if made.scope.anonymous_reads else readers


def _questions(made: Generator, rows: Sequence[Row], written: Sequence[Write]) -> list[_Question]:
    """(reader, request) for each row."""
    hidden = [one for one in written if not one.shared]
    return [
        (
            row["reader"],
            request_of(
                row, hidden[row["target"] % len(hidden)], hidden, made.scope.most_filters,
                made.random,
            ),
        )
        for row in rows
    ]  # fmt: skip


def _gate(
    random: Random,
    scope: Scope,
    surfaces: Sequence[str],
    rows_of: Callable[[int, Sequence[str], Random], list[Row]],
    small: int,
) -> Plan:
    """After each phase of writes strangers ask in many shapes, and at times the author does."""
    made = Generator(random, scope)
    strangers = _strangers(made)
    shapes = _small_shapes(made)[: scope.number(small)]
    rounds = max(1, round(scope.size))
    rows = [row for _ in range(rounds) for row in rows_of(_TARGETS, strangers, random)]
    rows = rows[: round(len(rows) * min(1.0, scope.size))]
    random.shuffle(rows)
    steps: list[Step] = []
    phases = list(_phases(made))
    written: list[Write] = []
    for turn, phase in enumerate(phases):
        steps += phase
        written += [one for one in phase if isinstance(one, Write)]
        asked = _questions(made, rows[turn :: len(phases)], written)
        asked += [
            (random.choice(strangers), (_filter(made, shape, written),))
            for shape in shapes[turn :: len(phases)]
        ]
        if turn == 0:
            asked += [(random.choice(strangers), request) for request in _by_each_tag(written)]
        if scope.searches and (turn == 0 or STORED in surfaces):
            searched = _searches(made, written, counted=STORED not in surfaces)
            asked += [(random.choice(strangers), request) for request in searched]
        asked += [("0 again", request) for _, request in asked if random.random() < _AUTHOR_ASKS]
        for surface in surfaces:
            in_order = sorted(asked, key=lambda one: one[0])
            steps += [Ask(reader, surface, request) for reader, request in in_order]
    return tuple(steps)


def _by_each_tag(written: Sequence[Write]) -> list[tuple[Wanted, ...]]:
    """For each tag that can be searched one filter, with a value of something hidden."""
    values = {
        name: word
        for one in written
        if not one.shared
        for name, word, *_ in one.tags
        if len(name) == 1 and name != "h"
    }
    return [(Wanted(tags=((name, (word,)),)),) for name, word in sorted(values.items())]


def _searches(
    made: Generator, written: Sequence[Write], *, counted: bool
) -> list[tuple[Wanted, ...]]:
    """Searches for the word of something hidden, with and without other conditions.

    What is counted is named by its id too: only so is it known what else may be counted.
    """
    hidden = [one for one in written if not one.shared]
    found: list[tuple[Wanted, ...]] = []
    for shape in ((), ("kinds",), ("authors",), ("t", "kinds"), ("since",), ("limit",)):
        focus = made.random.choice(hidden)
        shape = ("ids", *shape) if counted else shape
        one = Wanted()
        if shape == ("since",):
            one = Wanted(since=focus.age + 1)
        elif shape == ("limit",):
            one = Wanted(limit=made.random.choice((1, 5)))
        elif shape:
            one = _filter(made, shape, [focus])
        found.append((replace(one, search=focus.name),))
    return found


def stored(random: Random, scope: Scope) -> Plan:
    """The gate at stored answers."""
    return _gate(random, scope, (STORED,), stored_rows, 50)


def counts(random: Random, scope: Scope) -> Plan:
    """The gate at COUNT."""
    return _gate(random, scope, (COUNTS,), stored_rows, 50)


def http(random: Random, scope: Scope) -> Plan:
    """The gate at the HTTP door."""
    return _gate(random, scope, (HTTP_QUERY, HTTP_COUNT), short_rows, 12)


_LONG_NAME = "n" * 50


def _without_end(random: Random) -> Iterator[Row]:
    """Rows for subscriptions, covering after covering."""
    while True:
        rows = live_rows(random)
        random.shuffle(rows)
        yield from rows


def live(random: Random, scope: Scope) -> Plan:
    """Subscriptions of strangers and of the author, open while things are written and hidden.

    Between the writes some ids are used anew, closed before or not.
    """
    made = Generator(random, scope)
    phases = list(_phases(made))
    everything = [one for phase in phases for one in phase if isinstance(one, Write)]
    hidden = [one for one in everything if not one.shared]
    supply = _without_end(random)
    readers = ("0 again", *_strangers(made))

    def opened(reader: str, name: str) -> Open:
        row = {**next(supply), "reader": reader}
        target = random.choice(hidden)
        return Open(reader, name, request_of(row, target, hidden, scope.most_filters, random))

    number = scope.number(9)
    steps: list[Step] = []
    for reader in readers:
        names = ("", _LONG_NAME, *map(str, range(number - 2)))
        steps += [opened(reader, name) for name in names]
    steps += [Open("2", "kinds", (Wanted(kinds=(scope.kind,)),)), Open("2", "all", (Wanted(),))]
    for phase in phases:
        steps += [*phase, Look()]
        if phase is phases[0]:
            steps += [Close(reader, "0") for reader in readers]
            steps += [opened(reader, name) for reader in readers for name in ("0", "1")]
    return tuple(steps)
