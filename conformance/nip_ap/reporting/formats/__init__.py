"""The formats of a report, found by discovery: each module here is one, with its FORMAT."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from nip_ap.model.report import Report

Writer = Callable[[Report, Path], None]
"""Writes the files of a format into a folder."""


@dataclass(frozen=True)
class Format:
    """A format: its name, who reads it, its files within --out, and what writes them.

    `files` are names; one that ends in "/" is a folder, and patterns as of `fnmatch` are allowed.
    A format `on_request` is written only where an option of its own asks for it.
    """

    name: str
    readers: str
    files: tuple[str, ...]
    write: Writer
    on_request: bool = False


@cache
def formats() -> Mapping[str, Format]:
    """Every format by name. Raises TypeError on a module without a FORMAT."""
    found = {}
    for module in sorted(one.name for one in pkgutil.iter_modules(__path__)):
        declared = getattr(import_module(f"{__name__}.{module}"), "FORMAT", None)
        if not isinstance(declared, Format):
            raise TypeError(f"reporting/formats/{module}.py declares no FORMAT")
        found[declared.name] = declared
    return found


def write_reports(report: Report, out: Path) -> list[Path]:
    """Write every format that needs no asking into a folder, which is made if needed."""
    out.mkdir(parents=True, exist_ok=True)
    written = [one for one in formats().values() if not one.on_request]
    for one in written:
        one.write(report, out)
    return [out / file for one in written for file in one.files]
