"""Makes up traffic by a seed: events that nearly match, and filters of every subset of conditions.

Each event of a world differs from others in one respect alone, so that a relay which drops or
confuses any condition of a filter gives one too many or one too few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from nip_ap.checking.traffic import (
    NEARLY,
    STORED,
    UNKNOWN,
    Ask,
    Open,
    Race,
    Step,
    Wanted,
    Write,
)
from nip_ap.nostr import APPLICATION_DATA, NOTE, PERSONA

ARTICLE, BOOKMARKS = 30023, 10003

_LONG = "z" * 63
SLUGS = ("a-b", "a_b", "axb", "a-bc", "a", "ab", "7", "007", f"{_LONG}1", f"{_LONG}2", "b-a", "0")
"""Slugs that a careless key confuses: wildcards, beginnings, numbers, a cut at 63 bytes."""
_CONDITIONS = ("ids", "authors", "kinds", "d", "t", "p", "e", "l", "since", "until", "limit")
_FREQUENCY = {"ids": 0.25, "l": 0.2, "e": 0.3, "limit": 0.0}
_OLDEST, _NEWEST = 40, 8
_SHARED = 0.8
"""How many personas of a world are shared, so that its strangers can tell much about filters."""
_CROWD = "n"
_ABOVE_ALL = 100
"""A limit above the number of events in a world."""
_ODD_TAGS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("t", "X"),),
    (("t", "x "),),
    (("t", " x"),),
    (("t", ""),),
    (("t", ""), ("t", "x")),
    (("t", "x", "y"),),
    (("t", "y", "x"),),
    (("p", "p2", "p1"),),
    (("p", f"p1{NEARLY}"),),
    (("t", ""), ("T", "xy")),
    (*(("t", f"{_CROWD}{number}") for number in range(30)), ("t", "x")),
)
"""Values that differ from the plain ones in case, blanks or one digit, that are empty, that have
something behind them, and one behind many."""
_LONG_LIST, _ITS_LENGTH = 0.06, 40
"""How often a list of values is padded with unknown ones, and with how many."""
ALIKE: dict[str, tuple[str, ...]] = {
    "t": ("x", "xy", "y"),
    "p": ("p1", "p2", "2"),
    "e": ("e1", "e2", "e3"),
    "l": ("m", "mn", "n"),
}

Plan = tuple[Step, ...]


@dataclass(frozen=True)
class Scope:
    """What a plan may use, and how much of it there is to be."""

    size: float = 1.0
    """A factor on the number of questions (--examples 50 is 1)."""
    surfaces: frozenset[str] = frozenset((STORED,))
    most_filters: int = 4
    largest: int = 12_000
    """Bytes of content that the relay may be sent."""
    anonymous_reads: bool = False
    searches: bool = False
    gated: bool = True
    kind: int = PERSONA
    """What a plan about the gate writes."""

    def number(self, of: int) -> int:
        """So many, scaled."""
        return max(1, round(of * self.size))


def within(scope: Scope, plan: Plan) -> Plan:
    """A plan none of whose requests has more filters than the relay takes at once."""
    return tuple(
        replace(one, filters=one.filters[: scope.most_filters])
        if isinstance(one, (Ask, Open, Race))
        else one
        for one in plan
    )


class Generator:
    """One plan in the making."""

    def __init__(self, random: Random, scope: Scope) -> None:
        self.random = random
        self.scope = scope
        self.written: list[Write] = []
        self.odd: list[Write] = []
        """What has a tag of a form that an index may treat apart."""
        self._names = iter(range(1, 10_000))

    # -- events ----------------------------------------------------------------

    def write(self, **values: object) -> Write:
        """A write under the next name."""
        made = Write(**{"name": f"w{next(self._names)}", "author": "0", **values})  # type: ignore[arg-type]
        self.written.append(made)
        return made

    def family(self) -> list[Write]:
        """A persona, and relations of it that differ in one respect; at dates of their own."""
        random = self.random
        slugs = iter(random.sample(SLUGS, len(SLUGS)))
        plain = {"t": "x", "p": "p1", "e": "e1", "l": "m"}

        def one(slug: str | None = None, **other: object) -> Write:
            tags = {**plain, **{k: v for k, v in other.items() if k in ALIKE}}
            more = other.pop("more", ())
            values = {k: v for k, v in other.items() if k not in ALIKE}
            named = tuple((name, str(word)) for name, word in tags.items() if word)
            shared = random.random() < _SHARED
            return self.write(
                slug=next(slugs, f"s{len(self.written)}") if slug is None else slug,
                age=random.randint(_NEWEST, _OLDEST),
                tags=(*named, *more),  # type: ignore[misc]
                shared=shared and values.get("kind", PERSONA) == PERSONA,
                **values,
            )

        base = [one() for _ in range(8)]
        near = [
            *(one(**{name: word}) for name, words in ALIKE.items() for word in (*words[1:], "")),
            one(t="", more=(("T", "x"),)),
            one(t="y", more=(("t", "x"),)),
            one(p="p2", more=(("p", "p1"), ("topic", "x"))),
            *(one(slug=base[n].slug, author="1") for n in range(3)),
            one(author="1", t="xy"),
            *(one(slug=base[n].slug, kind=APPLICATION_DATA) for n in range(2)),
            one(slug=base[0].slug, kind=NOTE),
            one(slug=base[1].slug, kind=NOTE, author="1"),
            one(slug=base[2].slug, kind=ARTICLE),
            self.write(kind=BOOKMARKS, age=random.randint(_NEWEST, _OLDEST),
                       tags=(("t", "x"), ("p", "p1"), ("e", "e1"))),
        ]  # fmt: skip
        self.odd = [one(**{tags[0][0]: ""}, more=tags) for tags in _ODD_TAGS]
        events = [*base, *near, *self.odd]
        random.shuffle(events)
        return events

    # -- filters ---------------------------------------------------------------

    def pointed(self, surface: str) -> list[Ask]:
        """Each value of an odd tag, asked for by its author alone."""
        values = {
            (name, word)
            for write in self.odd
            for name, *words in write.tags
            if len(name) == 1
            for word in (*words, words[0].strip().lower())
            if word and not word.startswith(_CROWD)
        }
        return [
            Ask("0 again", surface, (Wanted(authors=("0",), tags=((name, (word,)),)),))
            for name, word in sorted(values)
        ]

    def limited(self, surface: str) -> list[Ask]:
        """Each condition beside the author's name and a limit, once above what matches.

        A condition that a relay drops where there is a limit cannot hide behind a limit that cuts
        the answer anyway. The event in the middle of the world has neighbours on both sides.
        """
        middle = sorted(self.written, key=lambda one: one.age)[len(self.written) // 2]
        bounds = [
            Wanted(authors=("0", "1"), since=since, until=until)
            for since, until in ((middle.age, None), (None, middle.age), (middle.age, middle.age))
        ]
        others = [
            self.wanted(self.random.choice(self.written), among=("authors", name))
            for name in ("ids", "kinds", "d", "t", "p", "e", "l")
        ]
        return [
            Ask("0 again", surface, (replace(one, limit=limit),))
            for one in (*bounds, *others)
            for limit in (2, _ABOVE_ALL)
        ]

    def request(self, *, limits: bool = False, most: int | None = None) -> tuple[Wanted, ...]:
        """One to several filters, each around an event of its own."""
        number = self.random.choice((1, 1, 1, 2, 2, 3, 4))
        number = min(number, most or self.scope.most_filters)
        made = [self.wanted(self.random.choice(self.written)) for _ in range(number)]
        if limits:
            made = [self._limited(one) for one in made]
        return tuple(made)

    def _limited(self, one: Wanted) -> Wanted:
        limit = self.random.choice((None, 1, 1, 2, 2, 3, 4, 5, 7, 0, 100))
        if limit is not None and not one.is_bounded:
            one = replace(one, authors=("0", "1"))
        return replace(one, limit=limit)

    def wanted(self, focus: Write, among: Sequence[str] | None = None) -> Wanted:
        """A filter that finds an event, mostly: some conditions, each with values that come near.

        `among` names the conditions; without it they are drawn.
        """
        names = self._drawn() if among is None else list(among)
        if not {"ids", "authors", "d", "t", "p", "e", "l"} & set(names):
            names.append("authors")
        made = Wanted(
            ids=self._ids(focus) if "ids" in names else None,
            authors=self._authors(focus) if "authors" in names else None,
            kinds=self._kinds(focus) if "kinds" in names else None,
            tags=tuple(
                (name, values)
                for name in ("d", "t", "p", "e", "l")
                if name in names and (values := self._values(name, focus))
            ),
        )
        if "since" in names:
            made = replace(made, since=focus.age + self._around())
        if "until" in names:
            made = replace(made, until=focus.age - self._around())
        return self._found_by_kind(made)

    def _drawn(self) -> list[str]:
        wanted = self.random.choice((0.25, 0.4, 0.55))
        names = [n for n in _CONDITIONS if self.random.random() < _FREQUENCY.get(n, wanted)]
        if "kinds" not in names and self.random.random() < 0.6:
            names.append("kinds")
        return names

    def _found_by_kind(self, one: Wanted) -> Wanted:
        """A slug alone may be anybody's, so it comes with the authors."""
        return one if one.is_bounded else replace(one, authors=("0", "1"))

    def _around(self) -> int:
        """How far a bound lies from the date of an event: often on it, now and then short of it."""
        return self.random.choice((0, 0, 0, 1, 2, 4, 8, 15, -1))

    def _ids(self, focus: Write) -> tuple[str, ...]:
        names = [one.name for one in self.written]
        picked = self.random.sample(names, min(self.random.choice((0, 1, 3, 8)), len(names)))
        picked += [UNKNOWN] if self.random.random() < 0.3 else []
        return self._mixed(focus.name, picked)

    def _authors(self, focus: Write) -> tuple[str, ...]:
        choices: tuple[tuple[str, ...], ...] = (
            (), (), ("1",), ("0", "1"), ("1", "0", UNKNOWN, "somebody"),
        )  # fmt: skip
        return self._mixed(focus.author, self.random.choice(choices))

    def _kinds(self, focus: Write) -> tuple[int, ...]:
        choices: tuple[tuple[int, ...], ...] = (
            (), (), (PERSONA,), (NOTE,), (PERSONA, NOTE, APPLICATION_DATA), (BOOKMARKS, 7, PERSONA),
        )  # fmt: skip
        return self._mixed(focus.kind, self.random.choice(choices))

    def _values(self, name: str, focus: Write) -> tuple[str, ...]:
        if name == "d":
            if focus.slug is None:
                return ()
            number = self.random.choice((0, 0, 1, 3, 8))
            others = self.random.sample([one.slug for one in self.written if one.slug], number)
            return self._mixed(focus.slug, [*others, *self._at_times(UNKNOWN)])
        own = [words[0] for tag, *words in focus.tags if tag == name and words[0]]
        if not own:
            return (self.random.choice(ALIKE[name]),)
        alike = ALIKE[name]
        choices: tuple[tuple[str, ...], ...] = (
            (), (), alike[:2], alike[1:], alike, (f"{alike[1]}z",),
        )  # fmt: skip
        near = self.random.choice(choices)
        return self._mixed(self.random.choice(own), [*near, *self._at_times(UNKNOWN)])

    def _at_times(self, value: str) -> list[str]:
        return [value] if self.random.random() < 0.25 else []

    def _mixed(self, first: object, others: Sequence[object]) -> tuple:  # type: ignore[type-arg]
        """Each value once, in any order; now and then among many that nobody has."""
        values = list(dict.fromkeys((first, *others)))
        if isinstance(first, str) and self.random.random() < _LONG_LIST:
            values += [f"{UNKNOWN}{number}" for number in range(_ITS_LENGTH)]
        self.random.shuffle(values)
        return tuple(values)

    # -- readers ---------------------------------------------------------------

    def reader(self) -> str:
        """Anybody; the author most often, on a connection that did not write."""
        strangers = ["2", "1", "anonymous"] if self.scope.anonymous_reads else ["2", "1"]
        return self.random.choice(("0 again", "0 again", "0", *strangers))

    def asks(self, number: int, surface: str, *, limits: bool = False) -> list[Ask]:
        """Questions about what was written, sorted by reader: they go out together."""
        made = [
            Ask(self.reader(), surface, self.request(limits=limits))
            for _ in range(self.scope.number(number))
        ]
        return sorted(made, key=lambda one: one.reader)
