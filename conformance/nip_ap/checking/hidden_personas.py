"""Unshared personas of every sort that a relay may treat apart: content, size, tags, date, slug."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nip_ap.checking.contents import KINDS, OBJECT
from nip_ap.checking.traffic import Write

_SIZES = (1_500, 6_000, 20_000)
_AGES = (400, 4_000, 100_000)
_TAGS = (("t", "x"), ("p", "2"), ("p", "1"))
_SLUGS = ("z" * 64, "9", "1234567", "k_z")

_OTHER_TAGS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "few": (),
    "alt": (*_TAGS, ("alt", "a persona")),
    "letters": (*_TAGS, ("e", "e1"), ("k", "30175"), ("T", "x")),
    "link": (*_TAGS, ("r", "x")),
    "stray": (*_TAGS, ("h", "x")),
    "kept": (*_TAGS, ("expiration", "86400")),
    "loud": (*_TAGS, ("Shared", "true"), ("share", "true")),
    "long": (*_TAGS, ("l", "v" * 260)),
    "many": (*_TAGS, *(("l", f"m{number}") for number in range(4))),
    "crowd": (*_TAGS, *(("l", f"m{number}") for number in range(22))),
}


def hidden_personas(write: Callable[..., Write], largest: int) -> list[Write]:
    """One of each sort, by author 0; those of more than `largest` bytes are left out.

    `write` makes a write of its named values.
    """
    plain: dict[str, Any] = {"age": 25, "tags": _TAGS}
    sorts: list[tuple[str, dict[str, Any]]] = [
        *(("of-" + kind, {"content": kind}) for kind in KINDS if kind != OBJECT),
        *((f"size-{size}", {"size": size}) for size in _SIZES if size <= largest),
        *((f"age-{age}", {"age": age}) for age in _AGES),
        *((slug, {}) for slug in _SLUGS),
        *((f"tags-{name}", {"tags": tags}) for name, tags in _OTHER_TAGS.items()),
        ("slug-last", {"slug_last": True}),
    ]
    return [write(**{**plain, **values, "slug": slug}) for slug, values in sorts]
