"""Covering arrays: few rows in which every two values of different dimensions meet.

What deviates when two conditions come together is then met by construction and not by luck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from random import Random
from typing import Any

Row = dict[str, Any]

_TRIES = 2
"""How many rows are made up for each one that is kept: the one that covers most."""


def covering_rows(dimensions: Mapping[str, Sequence[Any]], random: Random) -> list[Row]:
    """Rows of one value for each dimension, such that each pair of values stands in some row.

    Values are told apart by their place, so that they need not be hashable. The rows are in the
    order in which they were found: the first cover most.
    """
    names = list(dimensions)
    left = {
        ((one, first), (other, second))
        for one, other in combinations(names, 2)
        for first in range(len(dimensions[one]))
        for second in range(len(dimensions[other]))
    }
    rows = []
    waiting = sorted(left)
    random.shuffle(waiting)
    for seed in waiting:
        if seed not in left:
            continue
        made = [_row(dimensions, dict(seed), left, random) for _ in range(_TRIES)]
        best = max(made, key=lambda places: len(_pairs(names, places) & left))
        left -= _pairs(names, best)
        rows.append({name: dimensions[name][place] for name, place in best.items()})
    return rows


_Pair = tuple[tuple[str, int], tuple[str, int]]


def _row(
    dimensions: Mapping[str, Sequence[Any]],
    places: dict[str, int],
    left: set[_Pair],
    random: Random,
) -> dict[str, int]:
    """One row around a pair: each further dimension gets the value that meets most new ones."""
    names = list(dimensions)
    order = {name: number for number, name in enumerate(names)}
    for name in random.sample(rest := [one for one in names if one not in places], len(rest)):
        values = random.sample(range(len(dimensions[name])), len(dimensions[name]))
        places[name] = max(
            values,
            key=lambda value, name=name: sum(  # type: ignore[misc]
                _pair(order, (name, value), known) in left for known in places.items()
            ),
        )
    return places


def _pair(order: Mapping[str, int], one: tuple[str, int], other: tuple[str, int]) -> _Pair:
    return (one, other) if order[one[0]] < order[other[0]] else (other, one)


def _pairs(names: Sequence[str], places: Mapping[str, int]) -> set[_Pair]:
    return {((one, places[one]), (other, places[other])) for one, other in combinations(names, 2)}
