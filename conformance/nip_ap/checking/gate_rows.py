"""Filters for the sharing gate by the values of their dimensions, every two of which meet.

Each names a hidden event in its own way: by which conditions, with how many values, beside which
other filters, up to which limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from nip_ap.checking.covering import Row, covering_rows
from nip_ap.checking.traffic import EVER, UNKNOWN, Wanted, Write
from nip_ap.nostr import APPLICATION_DATA, NOTE, PERSONA

AHEAD = -30
"""The age of what lies in the future, where few others write: for filters that bind to nothing."""
_LONG_AFTER = -(10**6)
_MANY_IDS, _MANY_AUTHORS = 24, 12

NO = None
ONE, SEVERAL, MANY = "one", "several", "many"
READER_FIRST = "the reader first"
BOTH, OTHER = "both", "another"
SINCE, UNTIL, SECOND, ALWAYS, OPEN_END = "since", "until", "its second", "always", "open end"
ALONE, BEHIND, BEFORE, THIRD, TWICE, LAST_OF_MANY = (
    "alone", "behind another", "before another", "third", "twice", "last of many",
)  # fmt: skip

_CONDITIONS: Mapping[str, Sequence[Any]] = {
    "ids": (NO, ONE, MANY),
    "authors": (NO, ONE, SEVERAL, READER_FIRST, MANY),
    "kinds": (
        NO, (PERSONA,), (NOTE, PERSONA), (PERSONA, NOTE, APPLICATION_DATA), (PERSONA, PERSONA),
    ),
    "d": (NO, ONE, SEVERAL),
    "tag": (NO, "t", "p", BOTH, OTHER),
    "times": (NO, SINCE, UNTIL, BOTH, SECOND, ALWAYS, OPEN_END),
    "limit": (NO, 1, 3, 20, 500, 5000),
}  # fmt: skip
_COMPANY = (ALONE, BEHIND, BEFORE, THIRD, TWICE, LAST_OF_MANY)


def stored_rows(targets: int, readers: Sequence[str], random: Random) -> list[Row]:
    """Every condition with every other, with each hidden event, each reader, each company."""
    more = {"company": _COMPANY, "target": range(targets), "reader": readers}
    return covering_rows({**_CONDITIONS, **more}, random)


def short_rows(targets: int, readers: Sequence[str], random: Random) -> list[Row]:
    """As `stored_rows`, for a door at which each question is dear: the events are drawn."""
    rows = covering_rows(
        {**_CONDITIONS, "limit": (NO, 1, 20), "company": _COMPANY[:2]}, random
    )  # fmt: skip
    return [
        {**row, "target": random.randrange(targets), "reader": random.choice(readers)}
        for row in rows
    ]


def live_rows(random: Random) -> list[Row]:
    """Subscriptions: a limit is about what is stored, and may be 0."""
    return covering_rows(
        {**_CONDITIONS, "ids": (NO, NO, ONE), "limit": (NO, 0, 1, 20), "company": _COMPANY}, random
    )


def request_of(
    row: Row, target: Write, hidden: Sequence[Write], most_filters: int, random: Random
) -> tuple[Wanted, ...]:
    """The filters of a row; the one that finds the hidden event stands where its company says."""
    one = _filter(row, target, hidden, random)
    others = [
        Wanted(authors=(author,), kinds=(NOTE,))
        for author in ("0", "1", UNKNOWN, "2", "somebody")[: max(0, most_filters - 1)]
    ]
    company = row["company"]
    if company == BEFORE:
        return (one, *others[:1])
    if company == TWICE:
        return (one, one)[:most_filters]
    before = {
        ALONE: 0,
        BEHIND: min(1, len(others)),
        THIRD: min(2, len(others)),
        LAST_OF_MANY: len(others),
    }[company]
    return (*others[:before], one)


def _filter(row: Row, target: Write, hidden: Sequence[Write], random: Random) -> Wanted:
    binds = any(row[name] for name in ("ids", "authors", "d", "tag"))
    if not binds:
        ahead = [one for one in hidden if one.age <= AHEAD]
        return _found_by_date(row, ahead[0] if ahead else target)
    slugs = [one.slug for one in hidden if one.slug]
    tags = (*_slugs(row["d"], target, slugs, random), *_tags(row["tag"], target))
    kinds = _kinds(row, target)
    made = Wanted(
        ids=_ids(row["ids"], target, hidden, random),
        authors=_authors(row["authors"], target, row["reader"], random),
        kinds=kinds,
        tags=tags,
        limit=row["limit"],
    )
    if not (tags or row["ids"] or row["authors"]):
        return replace(made, authors=(target.author,))
    since, until = _bounds(row["times"], target, random)
    return replace(made, since=since, until=until)


def _found_by_date(row: Row, target: Write) -> Wanted:
    until = target.age if row["times"] in (BOTH, SECOND) else None
    return Wanted(kinds=_kinds(row, target), limit=row["limit"], since=AHEAD + 1, until=until)


def _kinds(row: Row, target: Write) -> tuple[int, ...] | None:
    """The kinds of a row, with that of the hidden event in place of the persona's."""
    kinds = row["kinds"]
    return kinds and tuple(target.kind if one == PERSONA else one for one in kinds)


def _ids(
    how: str | None, target: Write, hidden: Sequence[Write], random: Random
) -> tuple[str, ...] | None:
    if how is NO:
        return None
    if how == ONE:
        return (target.name,)
    few = [one.name for one in random.sample(list(hidden), min(4, len(hidden)))]
    unknown = [f"{UNKNOWN}{number}" for number in range(_MANY_IDS)]
    return _shuffled([target.name, *few, *unknown], random)


def _authors(how: str | None, target: Write, reader: str, random: Random) -> tuple[str, ...] | None:
    if how is NO:
        return None
    if how == ONE:
        return (target.author,)
    if how == READER_FIRST:
        return (reader[0] if reader[0].isdigit() else UNKNOWN, target.author)
    number = _MANY_AUTHORS if how == MANY else 1
    return _shuffled(["0", "1", *(f"{UNKNOWN}{n}" for n in range(number))], random)


def _shuffled(values: Sequence[str], random: Random) -> tuple[str, ...]:
    unique = list(dict.fromkeys(values))
    random.shuffle(unique)
    return tuple(unique)


def _slugs(
    how: str | None, target: Write, slugs: Sequence[str], random: Random
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if how is NO or target.slug is None:
        return ()
    more = random.sample(list(slugs), min(4, len(slugs))) if how == SEVERAL else []
    return (("d", _shuffled([target.slug, *more], random)),)


def _tags(how: str | None, target: Write) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Conditions on the tags that the target has."""
    own: dict[str, str] = {}
    for name, word, *_ in target.tags:
        own.setdefault(name, word)
    others = [name for name in own if len(name) == 1 and name not in "tp"]
    wanted = {NO: (), BOTH: ("t", "p"), OTHER: tuple(others[:1]) or ("t",)}.get(how, (how,))
    return tuple((name, (own[name],)) for name in wanted if name in own)


def _bounds(how: str | None, target: Write, random: Random) -> tuple[int | None, int | None]:
    before, after = target.age + random.choice((0, 1, 5)), target.age - random.choice((0, 1, 5))
    return {
        NO: (None, None),
        SINCE: (before, None),
        UNTIL: (None, after),
        BOTH: (before, after),
        SECOND: (target.age, target.age),
        ALWAYS: (EVER, None),
        OPEN_END: (None, _LONG_AFTER),
    }[how]
