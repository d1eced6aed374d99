"""The two decorators by which a seam says itself whether a rehearsal can show a change of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from nip_ap_relay.recording import Where, anywhere

_Method = TypeVar("_Method", bound=Callable[..., Any])

_MARK = "only_a_run_shows_it_where"


def answers_show(seam: _Method) -> _Method:
    """A rogue that overrides this answers otherwise, so that a rehearsal finds the difference."""
    setattr(seam, _MARK, None)
    return seam


def only_a_run_shows(*, where: Where = anywhere) -> Callable[[_Method], _Method]:
    """What a rogue does here is beyond a rehearsal: timing, transport, HTTP credentials.

    `where` tells of a recorded conversation whether the relay came here at all.
    """

    def mark(seam: _Method) -> _Method:
        setattr(seam, _MARK, where)
        return seam

    return mark


def says_whether_it_is_rehearsed(seam: object) -> bool:
    """Whether a seam carries one of the two decorators."""
    return hasattr(seam, _MARK)


def where_only_a_run_shows(seam: object) -> Where | None:
    """Which conversations have to be run for real; None where a rehearsal shows a change."""
    found: Where | None = getattr(seam, _MARK, None)
    return found
