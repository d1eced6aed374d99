"""Relays with one deviation each: the proof that each check can fail, and fails alone.

A rogue is a class that overrides one rule of policy.py, or one seam of seams.py, under a `@rogue`
decorator. The decorator names the exact clauses that the rogue turns red, those that it leaves
undecided because a control cannot be seen on it, and says in one sentence what a real relay would
have done wrong to behave so. One class is all it takes to add one. The modules are named like the
groups of scenarios/ and fixtures/clauses/; general.py alone has rogues of no single group.
"""

from importlib import import_module
from pkgutil import iter_modules

from nip_ap_relay.rogues.declaring import (
    ANYTHING,
    DEVIATION,
    GENERAL,
    NOISE,
    ROGUES,
    UNSTABLE,
    RelayRogue,
    combination,
    rogue,
    rogue_named,
)

__all__ = [
    "ANYTHING",
    "DEVIATION",
    "GENERAL",
    "NOISE",
    "ROGUES",
    "UNSTABLE",
    "RelayRogue",
    "combination",
    "rogue",
    "rogue_named",
]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
