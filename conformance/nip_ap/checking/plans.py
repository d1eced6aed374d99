"""Plans of generated traffic: what is written and asked for each clause about combinations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from nip_ap.checking.traffic import (
    COUNTS,
    HTTP_COUNT,
    HTTP_QUERY,
    STORED,
    Ask,
    Close,
    Delete,
    Look,
    Open,
    Race,
    Resend,
    Step,
    Wanted,
    Write,
)
from nip_ap.checking.traffic_generator import ALIKE, SLUGS, Generator, Plan, Scope
from nip_ap.nostr import APPLICATION_DATA, PERSONA


def conditions(random: Random, scope: Scope) -> Plan:
    """A world, then questions of every kind about it."""
    made = Generator(random, scope)
    return (*made.family(), *made.pointed(STORED), *made.asks(110, STORED))


def limits(random: Random, scope: Scope) -> Plan:
    """A world, then questions with limits."""
    made = Generator(random, scope)
    return (*made.family(), *made.limited(STORED), *made.asks(90, STORED, limits=True))


def counts(random: Random, scope: Scope) -> Plan:
    """A world, then its numbers; the author's own connection counts everything."""
    made = Generator(random, scope)
    return (*made.family(), *made.asks(70, COUNTS))


def http(random: Random, scope: Scope) -> Plan:
    """A world, then questions over HTTP, with limits and without, and numbers."""
    made = Generator(random, scope)
    writes = made.family()
    return (
        *writes,
        *made.asks(20, HTTP_QUERY),
        *made.asks(12, HTTP_QUERY, limits=True),
    )


def http_counts(random: Random, scope: Scope) -> Plan:
    """A world, then its numbers over HTTP."""
    made = Generator(random, scope)
    return (*made.family(), *made.asks(25, HTTP_COUNT))


def at_once(random: Random, scope: Scope) -> Plan:
    """Each few writes are asked for as soon as they are accepted."""
    made = Generator(random, scope)
    steps: list[Step] = []
    family = made.family()
    for start in range(0, len(family), 4):
        part = family[start : start + 4]
        steps += part
        for one in part:
            reader = random.choice(("0 again", "1 again", "2"))
            steps.append(Ask(reader, STORED, (made.wanted(one),)))
    return tuple(steps)


def live(random: Random, scope: Scope) -> Plan:
    """Subscriptions of every kind, then the world is written before their eyes; twice."""
    steps: list[Step] = []
    made = Generator(random, scope)
    family = made.family()
    half = len(family) // 2
    for part in (family[:half], family[half:]):
        for reader in ("0 again", "1 again", "2"):
            for number in range(scope.number(9)):
                wanted = tuple(
                    made.wanted(random.choice(part)) for _ in range(random.choice((1, 1, 2, 3)))
                )
                if random.random() < 0.2:
                    wanted = tuple(replace(one, limit=random.choice((0, 1))) for one in wanted)
                steps.append(Open(reader, f"{number}", wanted))
        random.shuffle(part)
        personas = [one for one in part if one.kind == PERSONA]
        again = [_next_version(made, one) for one in personas[:3]]
        steps += [*part, *again, Look()]
    return tuple(steps)


def _next_version(made: Generator, one: Write) -> Write:
    """The same persona once more, a few seconds newer, perhaps without its last tag."""
    tags = made.random.choice((one.tags, one.tags[:-1]))
    age = one.age - made.random.randint(1, 5)
    return made.write(slug=one.slug, author=one.author, age=age, tags=tags, shared=one.shared)


def subscriptions(random: Random, scope: Scope) -> Plan:
    """A few ids on three connections, opened, closed, used again and replaced between writes."""
    made = Generator(random, scope)
    family = made.family()
    steps: list[Step] = []
    readers = ("0 again", "1 again", "2")
    writes = iter(family)
    for _ in range(scope.number(5)):
        for reader in readers:
            for name in ("a", "b"):
                action = random.choice(("open", "open", "close", "close and open", "leave"))
                if "close" in action:
                    steps.append(Close(reader, name))
                if "open" in action:
                    focus = made.wanted(random.choice(family), among=("authors", "kinds", "t"))
                    steps.append(Open(reader, name, (focus,)))
        steps += [one for _, one in zip(range(5), writes, strict=False)]
        steps.append(Look())
    for one in writes:
        steps.append(Race(random.choice((one.author, *readers)), one, _finding(made, one)))
    return tuple(steps)


def _finding(made: Generator, one: Write) -> tuple[Wanted, ...]:
    among = made.random.choice((("authors", "kinds"), ("authors", "kinds", "d"), ("t",), ("ids",)))
    found = made.wanted(one, among)
    return (replace(found, authors=("0", "1")) if found.authors else found,)


def versions(random: Random, scope: Scope) -> Plan:
    """Second versions that drop or change a tag; then what only the first would answer."""
    made = Generator(random, scope)
    firsts, seconds = [], []
    for number, slug in enumerate(SLUGS):
        tags = tuple((name, words[number % 2]) for name, words in ALIKE.items())
        other = tuple((name, words[2]) for name, words in ALIKE.items())
        kept = random.choice(((), other, tags[:2], other[:1]))
        author = random.choice(("0", "0", "1"))
        firsts.append(made.write(slug=slug, author=author, age=30, tags=tags, shared=True))
        seconds.append(made.write(slug=slug, author=author, age=20, tags=kept, shared=True))
    asks = []
    for first in firsts:
        for _ in range(scope.number(6)):
            among = random.sample(("authors", "kinds", "t", "p", "e", "l", "d"), 3)
            among += random.choice(((), (), ("until",)))
            one = made.wanted(first, among)
            one = replace(one, limit=random.choice((None, None, 50)))
            asks.append(Ask(made.reader(), STORED, (replace(one, ids=None),)))
    asks.sort(key=lambda one: one.reader)
    again = [Resend(one.name) for one in firsts[:3]]
    return (*firsts, *seconds, *asks[::2], *again, *asks[1::2])


def heads(random: Random, scope: Scope) -> Plan:
    """Versions of slugs that look alike, by two authors and of two kinds, in any order of dates."""
    made = Generator(random, scope)
    writes = [
        made.write(
            slug=slug,
            author=author,
            kind=kind,
            age=random.choice((12, 15, 15, 18)),
            tags=(("t", "x"),),
            shared=kind == PERSONA,
        )
        for slug in SLUGS
        for author in ("0", "1")
        for kind in random.choice(((PERSONA,), (PERSONA, APPLICATION_DATA)))
        for _ in range(random.choice((1, 1, 2, 3)))
    ]
    random.shuffle(writes)
    steps: list[Step] = []
    for start in range(0, len(writes), 12):
        part = writes[start : start + 12]
        steps += part
        asks = [
            Ask(made.reader(), STORED, (Wanted(authors=(one.author,), kinds=(one.kind,),
                tags=(("d", (one.slug,)),)),))
            for one in part if one.slug is not None
        ]  # fmt: skip
        by_author = [
            Ask(made.reader(), STORED, (Wanted(authors=(one,), kinds=(PERSONA,)),))
            for one in ("0", "1")
        ]
        asks += by_author
        asks.sort(key=lambda one: one.reader)
        steps += asks
    return tuple(steps)


_FORMS: tuple[Callable[[Random, Sequence[Write]], tuple[tuple[str, str], ...]], ...] = (
    lambda random, own: (("a", own[0].name),),
    lambda random, own: (("e", own[0].name),),
    lambda random, own: tuple(("a", one.name) for one in own[:3]),
    lambda random, own: tuple(("e", one.name) for one in own[:3]),
    lambda random, own: (("a", own[0].name), ("e", own[1].name)),
    lambda random, own: (("e", own[0].name), ("a", own[1].name)),
)


def deletions(random: Random, scope: Scope) -> Plan:
    """Deletion requests of every form, by the author and by another, with dates around the head."""
    made = Generator(random, scope)
    slugs = (*SLUGS, *(f"n{number}" for number in range(12)))
    plain = (("t", "x"), ("p", "p1"))
    own = [made.write(slug=one, age=20, tags=plain, shared=True) for one in slugs]
    newer = [made.write(slug=one.slug, age=10, tags=plain, shared=True) for one in own[::4]]
    theirs = [made.write(slug=one, age=20, author="1", tags=plain, shared=True) for one in SLUGS]
    spared, twin, other_twin = own[-3:]
    newer.append(made.write(slug=spared.slug, age=10, tags=plain, shared=True))
    other = [
        made.write(slug=one.slug, kind=APPLICATION_DATA, age=20, tags=plain)
        for one in (twin, other_twin)
    ]
    steps: list[Step] = [*own, *theirs, *other, *newer]
    targets = random.sample(own[:-3], len(own) - 3)
    names = iter(range(1, 100))
    for form in random.sample(_FORMS, len(_FORMS)):
        part, targets = targets[:3], targets[3:]
        age = random.choice((0, 5, 15, 20))
        steps.append(Delete(f"d{next(names)}", "0", age, form(random, part)))
        steps += _after_deletion(made, part)
    foreign = random.sample(theirs, 3)
    steps.append(Delete(f"d{next(names)}", "0", 0, (("a", foreign[0].name),)))
    steps.append(Delete(f"d{next(names)}", "0", 0, (("e", foreign[1].name),)))
    steps.append(Delete(f"d{next(names)}", "0", 0, (("a", other[0].name),)))
    steps.append(Delete(f"d{next(names)}", "0", 0, (("e", other[1].name),)))
    two = (("a", targets[1].name), ("a", spared.name))
    steps.append(Delete(f"d{next(names)}", "0", 15, two))
    mixed = (("a", targets[0].name), ("e", foreign[2].name))
    steps.append(Delete(f"d{next(names)}", "0", 0, mixed))
    steps += _after_deletion(made, [*foreign, *targets[:1], spared, twin])
    back = [made.write(slug=one.slug, age=-1, tags=plain, shared=True) for one in own[:4]]
    steps += [*back, *_after_deletion(made, back)]
    return tuple(steps)


def _after_deletion(made: Generator, part: Sequence[Write]) -> list[Ask]:
    asks = [Ask("0 again", STORED, (Wanted(authors=("0", "1"), kinds=(PERSONA,)),))]
    for _ in range(made.scope.number(5)):
        among = made.random.sample(("ids", "authors", "kinds", "d", "t", "p"), 3)
        asks.append(Ask(made.reader(), STORED, (made.wanted(made.random.choice(part), among),)))
    if COUNTS in made.scope.surfaces:
        whole = Wanted(authors=("0",), kinds=(PERSONA,))
        asks.append(Ask("0", COUNTS, (whole,)))
    return sorted(asks, key=lambda one: (one.surface, one.reader))
