"""Which suite this installation is: digests of its code and register, and all of its checks."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

from nip_ap.engine.controller import SuiteController
from nip_ap.engine.runner import run_pytest
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.clauses import NOVEMBER, READER, RELAY
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.resources import resource

_PACKAGE = Path(__file__).resolve().parents[1]
_RESOURCES = ("scenarios", "fixtures", "reports")


@cache
def code_digest() -> str:
    """SHA-256 over all that judges: the suite's modules, scenarios and fixtures; 64 hex digits.

    A checkout and an installed wheel of one version have the same. The bundled relay is no part
    of it: it is judged.
    """
    digest = hashlib.sha256()
    for name, file in sorted(_files()):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{content} {name}\n".encode())
    return digest.hexdigest()


@cache
def register_digest() -> str:
    """SHA-256 of the register of clauses, 64 hex digits."""
    digest = hashlib.sha256()
    for file in sorted(resource("fixtures/clauses").glob("*.toml")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _files() -> Iterator[tuple[str, Path]]:
    for file in _PACKAGE.rglob("*.py"):
        place = file.relative_to(_PACKAGE)
        if place.parts[0] not in _RESOURCES:  # in a wheel they lie within the package
            yield f"nip_ap/{place.as_posix()}", file
    for name, pattern in (("scenarios", "*.py"), ("fixtures", "*")):
        folder = resource(name)
        for file in folder.rglob(pattern):
            if file.is_file() and "__pycache__" not in file.parts:
                yield f"{name}/{file.relative_to(folder).as_posix()}", file


@cache
def all_checks(role: str = RELAY) -> tuple[str, ...]:
    """The ids of every check of this installation for a role, parameters included; none is run.

    In a process of its own: pytest escapes an id again each time that a module is collected.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_collected, role).result()


def _collected(role: str) -> tuple[str, ...]:
    settings = Settings(seed="manifest", reader="any" if role == READER else "")
    controller = SuiteController(settings, {})
    nobody = Subject("", "ws://127.0.0.1:9", Capabilities({}, NOVEMBER, ""))
    controller.context = Context(settings, (nobody,))
    run_pytest(controller, 1, "--collect-only")
    (run,) = controller.runs()
    return run.manifest
