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
from nip_ap.targets.supervised import SupervisedTarget
from nip_ap.wire import Transcript

_SCHEMES = ("ws://", "wss://")
STARTED = "start of the own relay"
"""What the reading of its URL is called in a transcript."""
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
        return self._transcript.reading(STARTED, self._start)

    def _start(self) -> str:
        try:
            self._real.start()
        except TargetError as error:
            return str(error)
        return self._real.url

    @property
    def _real(self) -> SupervisedTarget:
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


class Standby:
    """A relay of one worker, made like the run's, for checks that might hurt the run's own.

    It is started when first needed. Whoever finds it dead leaves it, and takes another.
    """

    def __init__(self, recipe: Recipe | None) -> None:
        self._target = _made(recipe)
        self._said = ""

    def start(self) -> str:
        """Its URL, or why it has none."""
        if not self._said:
            try:
                self._target.start()
                self._said = self._target.url
            except TargetError as error:
                self._said = str(error)
        return self._said

    @property
    def url(self) -> str:
        """Where it listens, or why it does not."""
        return self._said

    def log(self) -> str:
        """The end of what it wrote."""
        return self._target.logs()

    def leave(self) -> None:
        """End it; nothing of it is left."""
        self._target.stop()


class Borrowed:
    """A standby while one check has it. Where it is is read like a clock; see OwnRelay."""

    def __init__(self, standby: Standby | None, transcript: Transcript) -> None:
        """Take it. Raises Inconclusive where it does not start."""
        self._standby = standby
        said = transcript.reading(STARTED, lambda: standby.start() if standby else "")
        if not said.startswith(_SCHEMES):
            raise Inconclusive(f"a relay apart for this check did not start: {said}")
        self.url = said

    def log(self) -> str:
        """The end of what it wrote."""
        return "" if self._standby is None else self._standby.log()


def _made(recipe: Recipe | None) -> SupervisedTarget:
    if recipe is None:
        raise ScenarioMistake('a check with a relay of its own needs "restart"')
    target = kinds.target_of(recipe)
    assert isinstance(target, SupervisedTarget)
    return target
