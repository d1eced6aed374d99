"""A relay of one check's own, made like the run's, to be killed, stopped and started again.

The run's relay is used by other checks at the same time; killing it would disturb them, and what
they do would disturb the check. So a check that needs a crash starts another relay from the same
recipe, with a port and a store of its own. What that cannot show is a relay that forgets only when
it is large or old; what it does show is repeatable.
"""

from __future__ import annotations

from nip_ap.model.judgement import Broken, Inconclusive, ScenarioMistake
from nip_ap.model.recipe import Recipe
from nip_ap.targets import kinds
from nip_ap.targets.base import TargetError
from nip_ap.targets.kept import KeptTarget
from nip_ap.wire import Transcript

_SCHEMES = ("ws://", "wss://")
STOP_LIMIT = 5.0
"""Seconds that a relay has for a clean stop; `docker stop` and systemd give it more."""


class OwnRelay:
    """What a check can do to its own relay.

    What becomes of it is read like a clock: the transcript has it, and a playback starts nothing.
    """

    def __init__(self, recipe: Recipe | None, transcript: Transcript) -> None:
        """Start the relay. Raises Inconclusive."""
        self._transcript = transcript
        self._target = None if transcript.is_played else _made(recipe)
        started = self._started()
        if not started.startswith(_SCHEMES):
            raise Inconclusive(f"the check's own relay did not start: {started}")
        self.url = started

    def _started(self) -> str:
        """Its URL, or why it has none."""
        return self._transcript.reading("start of the own relay", self._start)

    def _start(self) -> str:
        try:
            self._real.start()
        except TargetError as error:
            return str(error)
        return self._real.url

    @property
    def _real(self) -> KeptTarget:
        assert self._target is not None, "nothing is started in a playback"
        return self._target

    def kill(self) -> None:
        """SIGKILL, as a crash would end it."""

        def end() -> bool:
            self._real.kill()
            return True

        self._transcript.reading("kill of the own relay", end)

    def stop(self) -> bool:
        """Ask it to end (SIGTERM); whether it did within STOP_LIMIT, before it was made to."""
        return self._transcript.reading(
            "own end of the own relay", lambda: self._real.shut_down(STOP_LIMIT)
        )

    def start_again(self) -> None:
        """Claim: with what it stored, on the same port, it starts again."""
        started = self._started()
        if started != self.url:
            raise Broken("the relay to start again with what it stored", started)

    def log(self) -> str:
        """The end of what it wrote."""
        return "" if self._target is None else self._target.logs()

    def leave(self) -> None:
        """End it; nothing of it is left."""
        if self._target is not None:
            self._target.stop()


def _made(recipe: Recipe | None) -> KeptTarget:
    if recipe is None:
        raise ScenarioMistake('a check with a relay of its own needs "restart"')
    target = kinds.target_of(recipe)
    assert isinstance(target, KeptTarget)
    return target
