"""Events to publish, signed ahead on all cores: signing is slower than most relays."""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import orjson

from nip_ap.nostr import PERSONA, Draft, SecretKey

AUTHORS = 50
_CHUNK = 2_000


@dataclass(frozen=True)
class Signed:
    """One persona on its way: the frame to send, and where it can be read afterwards."""

    frame: str
    pubkey: str
    slug: str


def signed(number: int, *, first: int = 0) -> list[Signed]:
    """Shared personas, each at an address of its own, by AUTHORS authors in turn; 500 bytes."""
    at = int(time.time())
    chunks = [
        (start, min(first + number, start + _CHUNK), at)
        for start in range(first, first + number, _CHUNK)
    ]
    if len(chunks) == 1:
        return _chunk(*chunks[0])
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return [one for chunk in pool.map(_chunk, *zip(*chunks, strict=True)) for one in chunk]


def _chunk(start: int, end: int, at: int) -> list[Signed]:
    keys = [SecretKey.derived("benchmark", str(author)) for author in range(AUTHORS)]
    return [_one(number, keys[number % AUTHORS], at) for number in range(start, end)]


def _one(number: int, key: SecretKey, at: int) -> Signed:
    slug = f"bench-{number}"
    content = {"display_name": f"Bench {number}", "system_prompt": "You measure. " * 4}
    tags = (("d", slug), ("shared", "true"))
    event = Draft(PERSONA, at, tags, orjson.dumps(content).decode()).signed_by(key)
    return Signed(orjson.dumps(["EVENT", event.to_json()]).decode(), key.pubkey, slug)
