"""Traffic as values: what is written and asked, by names instead of keys, fit to be replayed.

Authors are numbers, times are ages in seconds, tag values and slugs are words. A `Cast` turns them
into events and filters with the keys and the moment of one playing. It goes to JSON and back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from nip_ap.checking.contents import OBJECT, content_of
from nip_ap.checking.model_relay import SHAREABLE, address
from nip_ap.model.saved_sequence import FORMAT
from nip_ap.nostr import DELETION, PERSONA, TEAM_CATALOG, Draft, Event, Filter, SecretKey

EVER = 10**12
"""An age that is the beginning of time: `since` is then 0."""
UNKNOWN = "unknown"
"""An id, author or value that nobody has."""

NEARLY = "'"
"""At the end of a word that stands for a key: the key that differs from it in the last digit."""

Reader = str
READERS = ("0", "0 again", "1", "1 again", "2", "anonymous")
"""Who reads, and on which connection: author 0, author 1, 2 who has no personas, or nobody."""

_SPOKEN = {
    "0": "author 0",
    "0 again": "author 0 on another connection",
    "1": "author 1",
    "1 again": "author 1 on another connection",
    "2": "a stranger",
    "anonymous": "somebody unauthenticated",
}

STORED, LIVE, COUNTS, HTTP_QUERY, HTTP_COUNT = "REQ", "live", "COUNT", "/query", "/count"


_NAMED = {PERSONA: "persona", TEAM_CATALOG: "team catalog"}


def spoken(reader: Reader) -> str:
    """A reader in a sentence."""
    return _SPOKEN[reader]


@dataclass(frozen=True)
class Wanted:
    """A filter by names: `ids` are names of writes, `since` and `until` ages."""

    ids: tuple[str, ...] | None = None
    authors: tuple[str, ...] | None = None
    kinds: tuple[int, ...] | None = None
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    since: int | None = None
    until: int | None = None
    limit: int | None = None
    search: str | None = None

    @property
    def shape(self) -> str:
        """The conditions it has, such as `authors+#t+since`."""
        plain = ("ids", "authors", "kinds", "since", "until", "limit", "search")
        named = [name for name in plain if getattr(self, name) is not None]
        return "+".join([*named[:3], *(f"#{one}" for one, _ in self.tags), *named[3:]]) or "nothing"

    @property
    def is_bounded(self) -> bool:
        """Whether it can find events of these authors alone."""
        unique = any(name != "d" for name, _ in self.tags)
        return self.ids is not None or self.authors is not None or unique


def shape_of(filters: Sequence[Wanted]) -> str:
    """The conditions of a request, filter by filter."""
    return " | ".join(one.shape for one in filters)


@dataclass(frozen=True)
class Write:
    """An author writes an event; `tags` by words."""

    name: str
    author: str
    kind: int = PERSONA
    slug: str | None = None
    age: int = 0
    tags: tuple[tuple[str, ...], ...] = ()
    """By words: a name, a value and whatever follows."""
    shared: bool = False
    content: str = OBJECT
    """The kind of its content (contents.py)."""
    size: int = 0
    """The bytes that its content has at least."""
    slug_last: bool = False
    """Whether the tags that are the relay's business stand behind all others."""

    def __str__(self) -> str:
        place = f" under {self.slug!r}" if self.slug is not None else ""
        what = _NAMED.get(self.kind, f"kind {self.kind}")
        tags = "".join(f", {name}={' '.join(words)}" for name, *words in self.tags)
        shared = (", shared" if self.shared else ", not shared") if self.kind in SHAREABLE else ""
        content = f", content: {self.content}" if self.content != OBJECT else ""
        content += f", {self.size} bytes" if self.size else ""
        return (
            f"author {self.author} writes {self.name}: {what}{place} of {self.age} s ago"
            f"{shared}{tags}{content}"
        )


@dataclass(frozen=True)
class Resend:
    """A written event is sent once more, word for word."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} is sent again"


@dataclass(frozen=True)
class Delete:
    """A deletion request; targets are ("a" or "e", name of a write)."""

    name: str
    author: str
    age: int
    targets: tuple[tuple[str, str], ...]
    kinds_named: bool = True

    def __str__(self) -> str:
        named = ", ".join(
            f"the address of {name}" if how == "a" else f"the id of {name}"
            for how, name in self.targets
        )
        return f"author {self.author} asks, dated {self.age} s ago, to delete {named} ({self.name})"


@dataclass(frozen=True)
class Ask:
    """A reader asks for stored events, or for their number."""

    reader: Reader
    surface: str
    filters: tuple[Wanted, ...]

    def __str__(self) -> str:
        return f"{spoken(self.reader)} asks by {self.surface}: {shape_of(self.filters)}"


@dataclass(frozen=True)
class Open:
    """A reader opens a subscription under an id, perhaps one that is or was in use."""

    reader: Reader
    subscription: str
    filters: tuple[Wanted, ...]

    def __str__(self) -> str:
        return (
            f"{spoken(self.reader)} opens subscription {self.subscription}: "
            f"{shape_of(self.filters)}"
        )


@dataclass(frozen=True)
class Close:
    """A reader closes a subscription."""

    reader: Reader
    subscription: str

    def __str__(self) -> str:
        return f"{spoken(self.reader)} closes subscription {self.subscription}"


@dataclass(frozen=True)
class Race:
    """A reader opens a subscription while its event is on the way, without a pause between them."""

    reader: Reader
    write: Write
    filters: tuple[Wanted, ...]

    def __str__(self) -> str:
        return (
            f"{spoken(self.reader)} subscribes to {shape_of(self.filters)} at the very moment in "
            f"which {self.write}"
        )


@dataclass(frozen=True)
class Look:
    """What every open subscription got since the last look is compared."""

    def __str__(self) -> str:
        return "what came on the open subscriptions is looked at"


Step = Write | Resend | Delete | Ask | Open | Close | Race | Look
_STEPS: Mapping[str, type[Any]] = {
    one.__name__.lower(): one for one in (Write, Resend, Delete, Ask, Open, Close, Race, Look)
}


def to_json(steps: Sequence[Step], check: str) -> dict[str, Any]:
    """A sequence of a check as a JSON object, for a file."""
    named = [{"step": type(one).__name__.lower(), **asdict(one)} for one in steps]
    whole = {"format": FORMAT, "check": check, "steps": named}
    value: dict[str, Any] = json.loads(json.dumps(whole))
    return value


def from_json(value: Any) -> tuple[Step, ...]:
    """What `to_json` gave. Raises ValueError where it is something else."""
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ValueError(f"a file of a sequence has the format {FORMAT!r}")
    try:
        return tuple(_step(dict(one)) for one in value["steps"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is not a sequence of steps: {error}") from error


def _step(value: dict[str, Any]) -> Step:
    made = _STEPS[value.pop("step")]
    if "filters" in value:
        value["filters"] = [Wanted(**_tuples(one)) for one in value["filters"]]
    if "write" in value:
        value["write"] = Write(**_tuples(value["write"]))
    unknown = set(value) - {one.name for one in fields(made)}
    if unknown:
        raise TypeError(f"{made.__name__} has no {', '.join(sorted(unknown))}")
    step: Step = made(**_tuples(value))
    return step


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(one) for one in value)
    if isinstance(value, dict):
        return {name: _tuples(one) for name, one in value.items()}
    return value


@dataclass
class Cast:
    """Names and the keys, words and moment that they stand for in one playing."""

    sign: Callable[[str, Draft], Event]
    pubkeys: Mapping[str, str]
    now: int
    nonce: str
    slug_prefix: str = ""
    """Put before each slug where the authors' keys are not fresh."""
    events: dict[str, Event] = field(default_factory=dict)

    def event(self, step: Write | Delete) -> Event:
        """The event of a write, made once."""
        if step.name not in self.events:
            draft = self._deletion(step) if isinstance(step, Delete) else self._draft(step)
            self.events[step.name] = self.sign(step.author, draft)
        return self.events[step.name]

    def _draft(self, step: Write) -> Draft:
        ruled = [("d", self.slug(step.slug))] if step.slug is not None else []
        ruled += [("shared", "true")] if step.shared else []
        others = [(name, *(self.value(name, word) for word in words)) for name, *words in step.tags]
        tags = [*others, *reversed(ruled)] if step.slug_last else [*ruled, *others]
        content = content_of(step.content, self.word(step.name), step.size)
        return Draft(step.kind, self.now - step.age, tuple(tags), content)

    def _deletion(self, step: Delete) -> Draft:
        named = [(how, self.events[name]) for how, name in step.targets if name in self.events]
        tags = [
            (how, (address(event) or "") if how == "a" else event.id)
            for how, event in named
            if how == "e" or address(event) is not None
        ]
        kinds = dict.fromkeys(str(event.kind) for _, event in named)
        tags += [("k", kind) for kind in kinds] if step.kinds_named else []
        return Draft(DELETION, self.now - step.age, tuple(tags), step.name)

    def slug(self, word: str) -> str:
        """A slug; it may be as long as slugs may be."""
        room = 64 - len(self.slug_prefix)
        return f"{self.slug_prefix}{word[-room:]}"

    def word(self, name: str) -> str:
        """A word that only one event has in its content."""
        return f"{self.nonce}{name}"

    def value(self, name: str, word: str) -> str:
        """The value of a tag: ids and keys where these are due, else a word of this playing."""
        if name == "d":
            return self.slug(word)
        if word == "":
            return ""
        if name == "p":
            return self._nearly(self.pubkey(word[:-1])) if word[-1] == NEARLY else self.pubkey(word)
        if name == "e":
            return self._digest(name, word[:-1])[:63] + hex(ord(word[-1]) % 16)[2:]
        if name == "expiration":
            return str(self.now + int(word))
        blank = len(word) - len(word.lstrip())
        return f"{word[:blank]}{self.nonce}{word[blank:]}"

    def _nearly(self, key: str) -> str:
        """A key that differs in its last digit."""
        return key[:-1] + ("0" if key[-1] != "0" else "1")

    def pubkey(self, word: str) -> str:
        """The key of an author; for any other word a key that writes nothing."""
        return self.pubkeys.get(word) or SecretKey.derived(self.nonce, "key", word).pubkey

    def _digest(self, name: str, word: str) -> str:
        return hashlib.sha256(f"{self.nonce} {name} {word}".encode()).hexdigest()

    def filter(self, wanted: Wanted) -> Filter:
        """A filter, with the ids of what is named in it."""
        ids = authors = None
        if wanted.ids is not None:
            ids = [
                self.events[one].id if one in self.events else self._digest("id", one)
                for one in wanted.ids
            ]
        if wanted.authors is not None:
            authors = [self.pubkey(one) for one in wanted.authors]
        return Filter.of(
            ids=ids,
            authors=authors,
            kinds=wanted.kinds,
            tags={name: [self.value(name, w) for w in words] for name, words in wanted.tags},
            since=None if wanted.since is None else max(0, self.now - wanted.since),
            until=None if wanted.until is None else self.now - wanted.until,
            limit=wanted.limit,
            search=None if wanted.search is None else self.word(wanted.search),
        )


def readable(steps: Sequence[Step], cast: Cast) -> list[str]:
    """Numbered sentences, with the filters as they went over the wire."""
    lines = []
    for number, step in enumerate(steps, 1):
        line = f"{number}. {step}"
        if isinstance(step, (Ask, Open, Race)):
            shown = [cast.filter(one).to_json() for one in step.filters]
            line += f" {json.dumps(shown, separators=(',', ':'))}"
        lines.append(line)
    return lines
