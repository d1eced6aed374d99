"""Who sees the suite's fixtures: files of checks, and nobody else in a session.

Many of the names are common ones (`client`, `relay`, `clock`), and a session may have other plugins
with fixtures of these names, and tests that use them.
"""

from __future__ import annotations

import types

import pytest

from nip_ap.engine import client_fixtures, fixtures


def give_fixtures(file: pytest.Collector) -> None:
    """Make the suite's fixtures visible in one file."""
    for room in (fixtures, client_fixtures):
        # pytest looks at an object once, so each file gets a module of its own.
        holder = types.ModuleType(room.__name__)
        vars(holder).update(vars(room))
        manager = file.session._fixturemanager
        try:
            manager.parsefactories(holder=holder, node=file)
        except TypeError:  # before pytest 9
            manager.parsefactories(holder, file.nodeid)
