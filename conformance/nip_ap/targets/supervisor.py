"""The supervisor: the process that holds what a run starts, and clears up once the run is gone.

    python -m nip_ap.targets.supervisor

It reads one JSON object a line from standard input and answers each with a line. The first names a
recipe, or nothing for a scratch folder alone; those that follow are requests about the relay. When
that pipe closes - the suite ended, was interrupted or was killed - it kills what it started and
removes the folder. A process that is killed cannot clear up after itself; one that holds the other
end of its pipe can.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from nip_ap.targets.base import TargetError
from nip_ap.targets.started import StartedRelay

PREFIX = "nip-ap-relay-"
"""How the names of scratch folders begin, and of containers and compose projects."""

_TRIES, _PAUSE = 50, 0.1


class Supervisor:
    """Answers requests about one relay."""

    def __init__(self, relay: StartedRelay) -> None:
        self._relay = relay

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a request asks for."""
        try:
            return self._done(request)
        except TargetError as error:
            return {"error": str(error)}

    def _done(self, request: Mapping[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "start":
                return {"url": self._relay.start(), "group": self._relay.group}
            case "watch":
                return {"ended": self._relay.ended(request["seconds"])}
            case "check":
                return {"well": self._relay.is_well()}
            case "stop":
                return {"by_itself": self._relay.stop(request["grace"])}
            case "kill":
                self._relay.kill()
                return {}
        raise ValueError(f"the supervisor knows no request {request['do']!r}")


def main() -> None:
    """Hold a folder, and a relay where one is named, until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    first = sys.stdin.readline()
    if not first:
        return
    scratch = Path(tempfile.mkdtemp(prefix=PREFIX))
    relay = None
    try:
        recipe = json.loads(first)
        log = scratch / "relay.log"
        if recipe:
            log.touch()
            relay = _relay(recipe, scratch, log)
        _say({"folder": str(scratch), "log": str(log)})
        for line in sys.stdin:
            if relay is not None:
                _say(Supervisor(relay).answer(json.loads(line)))
    except TargetError as error:
        _say({"error": str(error)})
    except BrokenPipeError:
        pass
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _clear_up(relay, scratch)


def _relay(recipe: Mapping[str, Any], scratch: Path, log: Path) -> StartedRelay:
    from nip_ap.targets.kinds import starter_of  # a folder alone is had without that

    return starter_of(recipe["kind"])(recipe["values"], scratch, log)


def _clear_up(relay: StartedRelay | None, scratch: Path) -> None:
    """Leave nothing. A killed run leaves processes for a moment, which may still write there."""
    try:
        if relay is not None:
            relay.discard()
    except TargetError as error:
        sys.stderr.write(f"nip-ap: a relay could not be cleared up: {error}\n")
    finally:
        pause = threading.Event()
        for _ in range(_TRIES):
            shutil.rmtree(scratch, ignore_errors=True)
            if not scratch.exists():
                break
            pause.wait(_PAUSE)


def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
    # What is left in the buffer of a closed pipe is nobody's loss.
    os._exit(0)
