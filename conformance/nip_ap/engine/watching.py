"""The worker's watch over its relays: destructive checks apart, and what to do when one falls."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import IO

from nip_ap.checking import vigil
from nip_ap.checking.actor import Actor
from nip_ap.checking.check import Check, Surface
from nip_ap.checking.own_relay import Standby
from nip_ap.checking.vigil import Board
from nip_ap.model.fall import Fall
from nip_ap.model.judgement import Inconclusive
from nip_ap.model.result import Result
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict
from nip_ap.wire import Transcript

ROBUST = "ROB"
"""The group of clauses that a fall breaks; no other clause is to blame for it."""

NOT_RUN = "not run"

_PROMPT = 0.5
"""The share of the time a check waited in which a relay has to answer something easy, so that the
silence that the check met is no delay."""


class Watching:
    """What one worker knows and does about relays that checks may hurt."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        board = surface.context.board
        self._board = Board(Path(board)) if board else None
        self._standby: Standby | None = None
        self._turn: IO[bytes] | None = None

    def place(self, check: Check, *, destructive: bool, outlives: bool) -> None:
        """Give a check its relay: the run's, or one apart for what may hurt it or came too late.

        Raises Inconclusive where the run's relay fell and there is no other, and OutOfTime where
        the run has to be over.
        """
        self._surface.context.deadline.hold(NOT_RUN)
        has_other = self._has_another(check.subject)
        if self._board is not None and not (destructive and has_other):
            name = check.subject.name
            alone = destructive or self._board.is_crowded(name)
            self._turn = self._board.turn(name, alone=alone)
        fall = self._fall_of(check.subject)
        if has_other and (destructive or fall is not None):
            check.borrow(self._apart(check.subject))
        elif fall is not None and not outlives:
            raise Inconclusive(f"{NOT_RUN}: {fall}")

    def _has_another(self, subject: Subject) -> bool:
        return "restart" in subject.abilities and not _is_of_a_proof(subject)

    def _apart(self, subject: Subject) -> Standby:
        if self._standby is None:
            self._standby = Standby(subject.own)
        return self._standby

    def _fall_of(self, subject: Subject) -> Fall | None:
        """The fall of the run's own relay."""
        return next((one for one in self.falls(subject) if one.url == subject.url), None)

    def falls(self, subject: Subject) -> list[Fall]:
        """Every relay of a subject that fell so far."""
        return [] if self._board is None else self._board.falls(subject.name)

    def told(self, check: Check) -> str:
        """Every fall so far in words, or why the relay is silent now; empty where it serves."""
        fallen = [str(one) for one in self.falls(check.subject)]
        return "; ".join(fallen) or vigil.silence_of(lambda: self._canary(check))

    def seen(self, check: Check, result: Result, *, destructive: bool) -> Result:
        """The result of a check, with what it did to its relay.

        A relay is asked after what may have hurt it, and where a check met silence. One that the
        suite owns is given up, so that the next check gets another.
        """
        if (
            self._board is None
            or _is_of_a_proof(check.subject)
            or check.transcript.is_played
            or check.owns_its_relay
        ):
            return result
        silent = vigil.met_silence(result) and result.verdict is not Verdict.NOT_APPLICABLE
        if not (destructive or silent) or self._is_down(check):
            return result
        why = vigil.silence_of(lambda: self._canary(check))
        if not why:
            return self._without_haste(check, result) if silent else result
        fall = Fall(
            check.subject.name, check.url, check.id, why, vigil.now(),
            was_replaced=self._has_another(check.subject),
        )  # fmt: skip
        self._board.put(fall)
        if self._standby is not None and check.url == self._standby.url:
            self._standby.leave()
            self._standby = None
        return _blamed(result, fall)

    def _without_haste(self, check: Check, result: Result) -> Result:
        """A silence breaks nothing where the relay takes as long for anything else."""
        if not result.verdict.is_red:
            return result
        limit = self._surface.patience(check.subject.name).limit
        pace = vigil.pace_of(lambda: self._canary(check))
        if pace < _PROMPT * limit:
            return result
        reason = (
            f"the relay is too slow at present to tell silence from delay: a read {_took(pace)}"
        )
        return replace(result, verdict=Verdict.INCONCLUSIVE, reason=f"{reason}; {result.reason}")

    def _is_down(self, check: Check) -> bool:
        return any(one.url == check.url for one in self.falls(check.subject))

    def _canary(self, check: Check) -> Actor:
        """A fresh connection of a key of its own, outside the check's transcript."""
        apart = Check("canary", (), check.level, "canary", check.subject, self._surface)
        apart.transcript = Transcript()
        apart.stay_with(check)
        return apart.actor("owner")

    def over(self) -> None:
        """The check has left: the run's relay is free for others."""
        if self._turn is not None:
            self._turn.close()
            self._turn = None

    def leave(self) -> None:
        """End the relay apart."""
        self.over()
        if self._standby is not None:
            self._standby.leave()


def _took(pace: float) -> str:
    return "was not answered" if math.isinf(pace) else f"took {pace:.1f} s"


def _is_of_a_proof(subject: Subject) -> bool:
    """A rogue lives in a gallery, and that it falls is what it is there for."""
    return bool(subject.name)


def _blamed(result: Result, fall: Fall) -> Result:
    """A red clause of another matter is undecided where the relay fell meanwhile."""
    told = {**result.facts, "fall": str(fall)}
    is_robust = any(clause.split("-")[1] == ROBUST for clause in result.clauses)
    if is_robust or not result.verdict.is_red:
        return replace(result, facts=told, notes=(*result.notes, str(fall)))
    reason = f"{fall}; before that: {result.reason}"
    return replace(result, verdict=Verdict.INCONCLUSIVE, reason=reason, facts=told)
