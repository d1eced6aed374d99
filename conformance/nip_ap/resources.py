"""Where scenarios, fixtures and report resources are: next to a checkout, or inside the wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson

_PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """The path of `scenarios`, `fixtures` or `reports`, or of something below them.

    Raises FileNotFoundError with the places that were looked at.
    """
    places = (_PACKAGE / name, _PACKAGE.parents[1] / name)
    for place in places:
        if place.exists():
            return place
    looked = " or ".join(str(place) for place in places)
    raise FileNotFoundError(f"{name} is part of nip-ap-conformance but is not at {looked}")


@cache
def data(name: str) -> Any:
    """A JSON file of fixtures/, parsed; do not change what it returns."""
    return orjson.loads(resource(f"fixtures/{name}.json").read_bytes())
