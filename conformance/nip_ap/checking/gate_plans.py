"""Plans of generated traffic for the sharing gate: strangers ask in every filter shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from nip_ap.checking.traffic import (
    COUNTS,
    HTTP_COUNT,
    HTTP_QUERY,
    STORED,
    UNKNOWN,
    Ask,
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

_CONDITIONS = ("ids", "authors", "kinds", "d", "t", "p", "since", "until", "limit")
_SMALL = 2
"""Conditions of the shapes that are asked in any case."""
_AHEAD = -30
"""The age of what lies in the future, where few others write: for filters that bind to nothing."""


def _phases(made: Generator) -> Iterator[list[Step]]:
    """Writes of every kind that the gate has to get right, a few at a time."""
    tags = (("t", "x"), ("p", "2"), ("p", "1"))

    def persona(slug: str, age: int, shared: bool = False, author: str = "0") -> Write:
        return made.write(
            kind=made.scope.kind, slug=slug, age=age, shared=shared, author=author, tags=tags
        )

    never, unshared, twice = persona("a-b", 30), persona("a_b", 30, True), persona("axb", 30)
    back, always, shown = persona("7", 30, True), persona("a", 30, True), persona("b-a", 30)
    ahead = persona("ahead", _AHEAD)
    theirs = [persona("a-b", 30, author="1"), persona("b", 30, True, author="1")]
    yield [never, unshared, twice, back, always, shown, ahead, *theirs]
    second = [persona("a_b", 20), persona("axb", 20), persona("7", 20), persona("b-a", 20, True)]
    yield [*second, persona("ahead", _AHEAD - 1)]
    again = [Resend(one.name) for one in (back, unshared, never, shown)]
    yield [*again, persona("7", 10)]
    gone = Delete("d1", "0", 5, (("a", twice.name),))
    yield [gone, persona("axb", 2), persona("a", 2), persona("a_b", 2)]


def _shapes(made: Generator) -> list[tuple[str, ...]]:
    """Every subset of the conditions, the small ones first; what binds to nothing needs a date."""
    names = _CONDITIONS
    shapes = [
        tuple(name for number, name in enumerate(names) if bits >> number & 1)
        for bits in range(1, 1 << len(names))
    ]
    bound = {"ids", "authors", "t", "p", "since"}
    kept = [shape for shape in shapes if bound & set(shape)]
    made.random.shuffle(kept)
    small = [shape for shape in kept if len(shape) <= _SMALL]
    return small + [shape for shape in kept if len(shape) > _SMALL]


def _filter(made: Generator, shape: tuple[str, ...], written: Sequence[Write]) -> Wanted:
    """A filter of a shape that finds what is hidden: all of it, or one of it."""
    random, kind = made.random, made.scope.kind
    binds = {"ids", "authors", "t", "p"} & set(shape)
    ahead = [one for one in written if one.age <= _AHEAD]
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
        since=(since if binds else _AHEAD + 1) if "since" in shape else None,
        until=min(one.age for one in picked) - random.choice((0, 1, 5))
        if "until" in shape
        else None,
        limit=random.choice((20, 50)) if "limit" in shape else None,
    )


def _either(random: Random) -> tuple[str, ...]:
    return random.choice((("2",), ("1",), ("1", "2")))


def _requests(
    made: Generator, shapes: Sequence[tuple[str, ...]], written: Sequence[Write]
) -> list[tuple[Wanted, ...]]:
    """A request for each shape, at times behind another filter."""
    requests: list[tuple[Wanted, ...]] = []
    for shape in shapes:
        one = _filter(made, shape, written)
        first = Wanted(authors=(made.random.choice(("0", "1", UNKNOWN)),), kinds=(NOTE,))
        requests.append((first, one) if made.random.random() < 0.2 else (one,))
    return requests


def _strangers(made: Generator) -> tuple[str, ...]:
    """Who must not see what author 0 hides: with personas of their own, and without."""
    readers = ("1", "2", "1 again")
    return (*readers, "anonymous") if made.scope.anonymous_reads else readers


def _gate(random: Random, scope: Scope, surfaces: Sequence[str], number: int) -> Plan:
    """After each phase of writes, filters of many shapes: the author asks them, and strangers."""
    made = Generator(random, scope)
    shapes = _shapes(made)
    wanted = shapes[: scope.number(number)]
    random.shuffle(wanted)
    steps: list[Step] = []
    phases = list(_phases(made))
    share = -(-len(wanted) // len(phases))
    written: list[Write] = []
    for turn, phase in enumerate(phases):
        steps += phase
        written += [one for one in phase if isinstance(one, Write)]
        requests = _requests(made, wanted[turn * share : (turn + 1) * share], written)
        if scope.searches and STORED in surfaces:
            requests += _searches(made, written)
        for surface in surfaces:
            asks = [
                Ask(reader, surface, request)
                for request in requests
                for reader in ("0 again", *random.sample(_strangers(made), 2))
            ]
            asks.sort(key=lambda one: one.reader)
            steps += asks
    return tuple(steps)


def _searches(made: Generator, written: Sequence[Write]) -> list[tuple[Wanted, ...]]:
    """Searches for the word of something hidden, with and without other conditions."""
    hidden = [one for one in written if not one.shared]
    found: list[tuple[Wanted, ...]] = []
    for shape in ((), ("kinds",), ("authors",), ("t", "kinds"), ("since",)):
        focus = made.random.choice(hidden)
        one = _filter(made, shape, [focus]) if shape and shape != ("since",) else Wanted()
        if shape == ("since",):
            one = Wanted(since=focus.age + 1)
        found.append((replace(one, search=focus.name),))
    return found


def stored(random: Random, scope: Scope) -> Plan:
    """The gate at stored answers."""
    return _gate(random, scope, (STORED,), 120)


def counts(random: Random, scope: Scope) -> Plan:
    """The gate at COUNT."""
    return _gate(random, scope, (COUNTS,), 100)


def http(random: Random, scope: Scope) -> Plan:
    """The gate at the HTTP door."""
    return _gate(random, scope, (HTTP_QUERY, HTTP_COUNT), 16)


def live(random: Random, scope: Scope) -> Plan:
    """Subscriptions of strangers and of the author, open while things are written and hidden."""
    made = Generator(random, scope)
    phases = list(_phases(made))
    everything = [one for phase in phases for one in phase if isinstance(one, Write)]
    shapes = iter(random.sample(every := _shapes(made), len(every)))
    steps: list[Step] = []
    number = scope.number(12)
    for reader in ("0 again", *_strangers(made)):
        picked = [shape for shape, _ in zip(shapes, range(number), strict=False)]
        for position, request in enumerate(_requests(made, picked, everything)):
            steps.append(Open(reader, f"{position}", request))
    for phase in phases:
        steps += phase
        steps.append(Look())
    return tuple(steps)
