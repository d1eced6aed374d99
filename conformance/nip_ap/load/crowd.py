"""The crowd of one check: what a scenario asks to publish and listen, and what it then shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from nip_ap.checking.actor import Actor
from nip_ap.checking.check import Check
from nip_ap.load.connection import Refused
from nip_ap.load.generator import Share, Task
from nip_ap.load.outcome import Fault, Outcome
from nip_ap.load.processes import perform
from nip_ap.load.shape import SMALL, Shape
from nip_ap.model.frame import RECEIVED, SENT
from nip_ap.model.judgement import Broken, Inconclusive
from nip_ap.model.settings import Settings
from nip_ap.nostr import Event

_SHOWN = 3
_DOOR = "ws"


def shape_of(settings: Settings) -> Shape:
    """The load that a run asks for: that of --load, or a small one."""
    if not settings.load:
        return SMALL
    return Shape.full(
        settings.publishers, settings.subscribers, settings.load_events, settings.load_seconds
    )


class Crowd:
    """Many connections of one owner."""

    def __init__(self, check: Check, owner: Actor) -> None:
        self._check = check
        self._owner = owner
        self.shape = shape_of(check.surface.context.settings)

    def publishes_and_listens(self) -> Outcome:
        """Let all publish and listen; gives what came of it.

        Raises Inconclusive where nothing can be said: no connection, no OK.
        """
        self._owner.personas()  # afterwards it is known whether this relay sends a challenge
        try:
            outcome = self._performed() if self.shape.is_recorded else self._unrecorded()
        except Refused as error:
            raise Inconclusive(f"the load could not begin: {error}") from error
        if not outcome.accepted:
            refused = [write.answer for write in outcome.refused]
            raise Inconclusive(f"no write was acknowledged: {(refused or ['no OK came'])[0]}")
        self._owner.written += [Event.from_json(one.event) for one in outcome.heads.values()]
        return outcome

    def claims(self, faults: Sequence[Fault], expected: str, outcome: Outcome) -> None:
        """Claim: there are no such faults. The transcript shows the writes that they are about."""
        if not faults:
            return
        self._show(faults[:_SHOWN], outcome)
        seen = "; ".join(f"{one.write[:8]}: {one.what}" for one in faults[:_SHOWN])
        raise Broken(expected, f"{len(faults)} fault(s), such as {seen}")

    def _tasks(self) -> list[Task]:
        shape, check = self.shape, self._check
        count = shape.processes
        return [
            Task(
                url=check.url,
                secret=self._owner.key.secret_hex(),
                base=check.slug("load"),
                now=check.clock.now(),
                shape=shape,
                publishers=tuple(range(number, shape.publishers, count)),
                subscribers=tuple(range(number, shape.subscribers, count)),
                greeting=check.subject.capabilities.greeting,
                answer_limit=check.surface.context.settings.answer_limit,
            )
            for number in range(count)
        ]

    def _unrecorded(self) -> Outcome:
        """A large load: the transcript only says that it was, and cannot be played back."""
        self._check.goes_beyond_the_wire("of a large load its transcript holds no frames")
        self._note_shape()
        return Outcome(self.shape, perform(self._tasks()))

    def _performed(self) -> Outcome:
        """A small load: all of its frames are in the transcript.

        Several connections of an event loop cannot be played back frame by frame, so what they saw
        is there as a reading too, in front of the frames.
        """
        self._note_shape()
        transcript = self._check.transcript
        frames: list[tuple[str, str, str, str, float]] = []

        def take() -> str:
            (share,) = perform(self._tasks())
            frames.extend((who, _DOOR, way, text, at) for who, way, text, at in share.frames)
            return replace(share, frames=()).to_bytes().decode()

        share = Share.from_bytes(transcript.reading("crowd", take).encode())
        whos = [f"publisher {number + 1}" for number in range(self.shape.publishers)]
        whos += [f"subscriber {number + 1}" for number in range(self.shape.subscribers)]
        transcript.insert(whos, frames)
        return Outcome(self.shape, (share,))

    def _note_shape(self) -> None:
        shape = self.shape
        self._check.transcript.note(
            f"{shape.publishers} publishers and {shape.subscribers} subscribers of the owner's key"
            f" in {shape.processes} process(es)"
        )

    def _show(self, faults: Iterable[Fault], outcome: Outcome) -> None:
        """The frames of some writes at the end of the transcript, where they catch the eye."""
        for fault in faults:
            write = outcome.writes[fault.write]
            self._check.transcript.note(f"fault: {fault.write} {fault.what}")
            self._check.transcript.record("a publisher", _DOOR, SENT, write.frame)
            self._check.transcript.record("a publisher", _DOOR, RECEIVED, write.answer)
