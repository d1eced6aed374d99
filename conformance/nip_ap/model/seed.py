"""Seeds: what is generated follows the seed, whose keys write it follows seed and salt.

`7f3a` is a seed, `7f3a.c0de42` the same with a salt: the form in which reports and repeat lines
have it. Two runs of one seed are two runs of other authors, so that they may go on at once; a seed
that has its salt already is used as it is, which repeats a run byte for byte.
"""

from __future__ import annotations

import secrets

_DOT = "."


def salted(given: str | None) -> str:
    """The seed of a run, from what was asked for."""
    if given and _DOT in given:
        return given
    return f"{given or secrets.token_hex(4)}{_DOT}{secrets.token_hex(3)}"


def unsalted(seed: str) -> str:
    """The part that generated values depend on."""
    return seed.rpartition(_DOT)[0] or seed
