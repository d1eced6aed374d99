"""The keeper: the process that holds a relay for the suite, and clears up once the suite is gone.

    python -m nip_ap.targets.keeper

It reads a recipe and then requests from standard input, one JSON object a line, and answers each
with a line. When that pipe closes - the suite ended, was interrupted or was killed - it kills
what it started and removes the scratch folder. A process that is killed cannot clear up after
itself; one that holds the other end of its pipe can.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from nip_ap.targets.base import TargetError

PREFIX = "nip-ap-relay-"
"""How the names of scratch folders begin, and of containers and compose projects."""


class Life(Protocol):
    """One relay as the keeper sees it."""

    def start(self) -> str:
        """Start it, for the first time or again, and give its URL. Raises TargetError."""

    @property
    def group(self) -> int:
        """The process group that may be killed from outside; 0 where there is none."""

    def ended(self, within: float) -> str:
        """How it ended, waiting so many seconds for that; empty while it runs."""

    def is_well(self) -> bool:
        """What its own health check says; True where it has none."""

    def stop(self, grace: float) -> bool:
        """Ask it to end, and end it after so many seconds; whether it ended by itself."""

    def kill(self) -> None:
        """End it at once."""

    def discard(self) -> None:
        """End it and leave nothing of it."""


def lives() -> Mapping[str, Callable[[Mapping[str, Any], Path, Path], Life]]:
    """What makes a life from a recipe's values, a scratch folder and a log file, by kind."""
    from nip_ap.targets.compose import ComposeLife
    from nip_ap.targets.container import ContainerLife
    from nip_ap.targets.process import ProcessLife

    return {"process": ProcessLife, "container": ContainerLife, "compose": ComposeLife}


class Keeper:
    """Answers requests about one relay."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a request asks for."""
        try:
            return self._done(request)
        except TargetError as error:
            return {"error": str(error)}

    def _done(self, request: Mapping[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "start":
                return {"url": self._life.start(), "group": self._life.group}
            case "watch":
                return {"ended": self._life.ended(request["seconds"])}
            case "check":
                return {"well": self._life.is_well()}
            case "stop":
                return {"by_itself": self._life.stop(request["grace"])}
            case "kill":
                self._life.kill()
                return {}
        raise ValueError(f"the keeper knows no request {request['do']!r}")


def main() -> None:
    """Keep one relay until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    first = sys.stdin.readline()
    if not first:
        return
    scratch = Path(tempfile.mkdtemp(prefix=PREFIX))
    life = None
    try:
        recipe = json.loads(first)
        log = scratch / "relay.log"
        log.touch()
        life = lives()[recipe["kind"]](recipe["values"], scratch, log)
        _say({"log": str(log)})
        keeper = Keeper(life)
        for line in sys.stdin:
            _say(keeper.answer(json.loads(line)))
    except TargetError as error:
        _say({"error": str(error)})
    except BrokenPipeError:
        pass
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        try:
            if life is not None:
                life.discard()
        except TargetError as error:
            sys.stderr.write(f"nip-ap: a relay could not be cleared up: {error}\n")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
    # What is left in the buffer of a closed pipe is nobody's loss.
    os._exit(0)
