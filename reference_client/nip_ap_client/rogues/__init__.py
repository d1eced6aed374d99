"""Clients with one deviation each: proof that each check of AP-MIG and AP-PIN can fail, and why.

A rogue overrides one step of the migrator, or one rule of pinned agents, under a `@rogue`
decorator, which names the exact clauses that it turns red against the stub relay and says what a
real client would have done wrong to behave so. Where the honest migrator has a second line of
defence behind that step, the rogue leaves it out too: the fault in question is what remains then.
"""

from importlib import import_module
from pkgutil import iter_modules

from nip_ap_client.rogues.declaring import ROGUES, ClientRogue, rogue, rogue_named

__all__ = ["ROGUES", "ClientRogue", "rogue", "rogue_named"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
