"""--like: a run is held to what an earlier report found, so that a relay cannot get off by less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nip_ap.checking.probes import PROBES
from nip_ap.engine.keys import SettingsError
from nip_ap.model.capabilities import YES
from nip_ap.model.settings import Settings
from nip_ap.reporting.reading import ReportUnreadable, read_report

_BY_CHANCE = {"rate-limit"}
"""What a relay is not held to: it was only met on the way."""


def held_to(settings: Settings, path: Path | None) -> Settings:
    """The settings with the revision and the capabilities of a report. Raises SettingsError.

    A revision that was asked for stays; otherwise that of the report holds, and is not found out.
    """
    if path is None:
        return settings
    try:
        document = read_report(path).document
    except ReportUnreadable as error:
        raise SettingsError(f"--like: {error}") from None
    offered = [
        one.name
        for one in document.capabilities
        if one.offered == YES and one.name in PROBES and one.name not in _BY_CHANCE
    ]
    spec = document.run.spec if settings.spec == "auto" else settings.spec
    claims = tuple(dict.fromkeys((*settings.claims, *offered)))
    return replace(settings, spec=spec, claims=claims)
