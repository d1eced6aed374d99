"""Generated values depend on the seed alone, and not on what else is loaded beside the suite.

Hypothesis picks up constants from the source of every module that it takes for the user's own, and
draws them now and then. In a checkout these are the suite's modules, as many as happen to be
loaded, so that one seed would give other values in `nip-ap run -n 1`, in a worker and in a wheel.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from hypothesis.internal.conjecture import providers

HYPOTHESIS = version("hypothesis")
"""Values also depend on the version of Hypothesis."""


@contextmanager
def by_the_seed_alone() -> Iterator[None]:
    """While this lasts Hypothesis knows no constants but its own.

    There is no setting for that (6.170); versions before 6.131 have no such constants.
    """
    original = getattr(providers, "_get_local_constants", None)
    if original is None:
        yield
        return
    from hypothesis.internal.constants_ast import Constants

    nothing = Constants()
    providers._get_local_constants = lambda: nothing
    providers.CONSTANTS_CACHE.cache.clear()
    try:
        yield
    finally:
        providers._get_local_constants = original
        providers.CONSTANTS_CACHE.cache.clear()
