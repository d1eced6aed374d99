"""Input that no client would send: a hand-made corpus, and mutations of good frames by a seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import orjson

from nip_ap.nostr import PERSONA, Event
from nip_ap.resources import data

_SCALARS: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63 - 1, -(2**63), 0.5, 1e308),
    *("", " ", "x", "\x00", "é", "\U0001f600", "\u202e", "true", "f" * 64, "F" * 64, "f" * 65),
    *("x" * 300, "-1", "EVENT", "REQ", "d", "h", "%s%n", "'; --", "../../etc", "\\", '"'),
)
_NOISE = ("", '"', "[", "]", "{", "}", ",", ":", "\\", "\\u0000", "null", "0", " ", "\n", "é")


def corpus() -> Iterator[tuple[str, str | bytes, bool]]:
    """The frames of fixtures/frames.json: name, payload, and whether it goes as a text frame."""
    for entry in data("frames"):
        yield entry["name"], payload(entry), entry.get("frame", "text") == "text"


def payload(entry: dict[str, Any]) -> str | bytes:
    """What one entry of the corpus sends."""
    if "hex" in entry:
        return bytes.fromhex(entry["hex"])
    if "repeat" in entry:
        return "".join(text * times for text, times in entry["repeat"])
    return str(entry["text"])


def frames(random: Random, event: Event) -> Iterator[str]:
    """Mutated frames without end. The event serves as raw material; it may get through."""
    while True:
        yield _mutated(random, random.choice(_good_frames(event)))


def bodies(random: Random, event: Event) -> Iterator[tuple[str, bytes]]:
    """Mutated HTTP requests without end: path and body."""
    while True:
        path = random.choice(("/events", "/query", "/count"))
        good = event.to_json() if path == "/events" else _good_filters(event)
        text = _mutated(random, good)
        yield path, text.encode("utf-8", "replace")


def _good_filters(event: Event) -> list[dict[str, Any]]:
    return [
        {"kinds": [PERSONA], "authors": [event.pubkey], "#d": [event.slug], "limit": 5},
        {"kinds": [event.kind], "ids": [event.id], "since": 1, "until": event.created_at},
    ]


def _good_frames(event: Event) -> list[list[Any]]:
    return [
        ["EVENT", event.to_json()],
        ["REQ", "fuzz", *_good_filters(event)],
        ["COUNT", "fuzz", *_good_filters(event)],
        ["CLOSE", "fuzz"],
        ["AUTH", event.to_json()],
    ]


def _mutated(random: Random, value: Any) -> str:
    """Some changes of the structure, then sometimes some of the text."""
    for _ in range(random.randint(0, 3)):
        value = _grafted(random, value)
    text = orjson.dumps(value).decode()
    for _ in range(random.choice((0, 0, 1, 1, 2, 5))):
        text = _scratched(random, text)
    return text


def _grafted(random: Random, value: Any) -> Any:
    """A copy of a JSON value with something else at a random place."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        name = random.choice(list(value))
        if random.random() < 0.2:
            return {key: item for key, item in value.items() if key != name}
        if random.random() < 0.2:
            return {**value, random.choice(("x", "#x", "#", "search", "limit", name * 2)): 1}
        return {**value, name: _grafted(random, value[name])}
    if isinstance(value, list) and value and random.random() < 0.8:
        place = random.randrange(len(value))
        if random.random() < 0.2:
            return value[:place] + value[place + 1 :]
        if random.random() < 0.2:
            return value[:place] + [value[place]] * random.randint(2, 20) + value[place:]
        return [*value[:place], _grafted(random, value[place]), *value[place + 1 :]]
    if random.random() < 0.2:
        return random.choice(([], {}, [[]], [{}], {"": []}, [value], {"x": value}))
    return random.choice(_SCALARS)


def _scratched(random: Random, text: str) -> str:
    """A copy of a text with a slip of the pen."""
    start = random.randrange(len(text) + 1)
    end = min(len(text), start + random.choice((0, 1, 1, 5, 50)))
    middle = random.choice((*_NOISE, text[start:end] * 2, chr(random.choice((1, 127, 0x2028)))))
    return text[:start] + middle + text[end:]
