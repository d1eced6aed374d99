"""Seeds: keys, slugs and contents follow the seed; what generated traffic is made of follows none.

Two runs of one relay have to end alike, whatever their seeds. What is generated - which conditions
a filter combines, which sequence of writes is tried - is therefore the same in every run of the
usual size, and that is what `nip-ap prove` shows to be enough. A run that asks for more or fewer
examples goes its own ways, by its seed.

`7f3a` is a seed, `7f3a.c0de42` the same with a salt: the form in which reports and repeat lines
have it. Two runs of one seed are two runs of other authors, so that they may go on at once; a seed
that has its salt already is used as it is, which repeats a run byte for byte.
"""

from __future__ import annotations

import secrets

_DOT = "."

USUAL_EXAMPLES = 50
"""The number of examples of a run of the usual size."""

_COMMON = "proof"
"""What generated values follow there: the usual seed of `nip-ap prove`."""


def salted(given: str | None) -> str:
    """The seed of a run, from what was asked for."""
    if given and _DOT in given:
        return given
    return f"{given or secrets.token_hex(4)}{_DOT}{secrets.token_hex(3)}"


def unsalted(seed: str) -> str:
    """The part that generated values depend on."""
    return seed.rpartition(_DOT)[0] or seed


def of_what_is_generated(seed: str, examples: int) -> str:
    """The seed that generated values depend on."""
    return _COMMON if examples == USUAL_EXAMPLES else unsalted(seed)
