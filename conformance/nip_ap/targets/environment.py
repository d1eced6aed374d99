"""Environment variables for a relay, from --env and --env-file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from nip_ap.model.target_options import ENV, ENV_FILE
from nip_ap.targets.base import TargetUsage

OPTIONS = (ENV, ENV_FILE)


def variables(pairs: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """The variables by name; --env wins over files. Raises TargetUsage, without any value in it."""
    found: dict[str, str] = {}
    for file in files:
        found |= _from_file(Path(file))
    for pair in pairs:
        name, equals, value = pair.partition("=")
        _check_name(name, "--env")
        found[name] = value if equals else _own(name, os.environ)
    return found


def _own(name: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise TargetUsage(f"--env {name} takes it from your environment, which does not have it")
    return environment[name]


def _from_file(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise TargetUsage(f"--env-file {path} cannot be read: {reason}") from None
    found = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise TargetUsage(f"--env-file {path}, line {number}: expected NAME=VALUE")
        _check_name(name.strip(), f"--env-file {path}, line {number}")
        found[name.strip()] = value
    return found


def _check_name(name: str, where: str) -> None:
    if not name.isidentifier():
        raise TargetUsage(f"{where}: a variable needs a name of letters, digits and _")
