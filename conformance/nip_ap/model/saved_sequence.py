"""The file of a saved sequence: whose it is. Its steps are for checking/traffic.py to read."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FORMAT = "nip-ap-sequence/1"


def saved_sequence(given: str) -> str:
    """The path of such a file. Raises ValueError, with a sentence, where it is none."""
    read_sequence(given)
    return given


@cache
def read_sequence(path: str) -> dict[str, Any]:
    """What is in the file. Raises ValueError."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ValueError(
            f"{path} is not a saved sequence; a report has them in sequences/, "
            f'and they begin with "format": "{FORMAT}"'
        )
    if not isinstance(value.get("check"), str) or not isinstance(value.get("steps"), list):
        raise ValueError(f"{path} lacks the check that it belongs to, or its steps")
    return value


def check_of(path: str) -> str:
    """The id of the check that found the sequence."""
    return str(read_sequence(path)["check"])
