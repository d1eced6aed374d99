"""The diagnosis of a report in words: what the relay behaves like, and how that is fixed."""

from __future__ import annotations

from functools import cache

from nip_ap.model.diagnosis import Cause, Diagnosis, Observed, Signature, diagnose
from nip_ap.model.report import Report
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.legible import counted
from nip_ap.resources import data

_MOST_TWINS = 3
_MOST_CLAUSES = 12


@cache
def signatures() -> tuple[Signature, ...]:
    """The signatures of all rogues, as the last proof wrote them."""
    return tuple(map(Signature.from_json, data("signatures")["rogues"]))


def diagnosis_of(report: Report) -> Diagnosis:
    """What explains the red clauses of a report; nothing where none is red."""
    clauses = report.clauses
    return diagnose(
        Observed(
            red=frozenset(one.id for one in clauses if one.verdict.is_red),
            green=frozenset(one.id for one in clauses if one.verdict is Verdict.PASS),
            checks=frozenset(one.id for one in report.checks if one.verdict.is_red),
        ),
        signatures(),
    )


def sentences(found: Diagnosis) -> list[str]:
    """One sentence per cause, and one on what no cause explains."""
    told = [sentence(cause) for cause in found.causes]
    return [*told, unexplained(found)] if found.unexplained else told


def unexplained(found: Diagnosis) -> str:
    """What no rogue breaks, in one sentence."""
    return f"no known cause explains {listed(found.unexplained)}"


def sentence(cause: Cause) -> str:
    """A cause in one sentence, with what it explains and how sure that is."""
    role = cause.rogues[0].role
    whose = "" if role == "relay" else f"the {role} "
    told = f"{whose}behaves like {names(cause)}: {because(cause)}"
    return f"{told} (explains {listed(cause.explains)}; {signs(cause)})"


def names(cause: Cause) -> str:
    """The rogues that a relay behaves like, in backticks."""
    shown = [f"`{name}`" for name in cause.names[:_MOST_TWINS]]
    more = len(cause.names) - len(shown)
    last = counted(more, "other") if more > 0 else shown.pop()
    return f"{', '.join(shown)} or {last}" if shown else last


def signs(cause: Cause) -> str:
    """How many of the clauses that the cause breaks are broken here, of those that were decided."""
    if cause.holds:
        missing = f"{listed(cause.holds)} {'holds' if len(cause.holds) == 1 else 'hold'}"
        told = f"{len(cause.explains)} of {counted(cause.signs, 'sign')}: {missing}"
    elif cause.undecided:
        told = f"{cause.signs} of {counted(cause.signs + cause.undecided, 'sign')}"
    else:
        told = "its one sign is there" if cause.signs == 1 else f"all {cause.signs} signs are there"
    return f"{told}, {cause.undecided} not decided here" if cause.undecided else told


def remedies(cause: Cause) -> list[str]:
    """How it is fixed; one sentence for each rogue that is named."""
    return list(dict.fromkeys(one.remedy for one in cause.rogues[:_MOST_TWINS] if one.remedy))


def listed(clauses: tuple[str, ...]) -> str:
    """Clause ids in a row, the first few of many."""
    more = len(clauses) - _MOST_CLAUSES
    shown = ", ".join(clauses[:_MOST_CLAUSES])
    return f"{shown} and {more} more" if more > 0 else shown


def because(cause: Cause) -> str:
    """What such a relay does wrong, as a part of a sentence."""
    text = cause.rogues[0].because.rstrip(".")
    return text if text[:2].isupper() or text.startswith("NIP") else text[:1].lower() + text[1:]
