"""The suite's end of a supervisor: it is started, asked, and let go."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from nip_ap.targets.base import TargetError

_LEAVE_LIMIT = 30.0


class Supervision:
    """A supervisor process, which outlives this one as long as it takes to clear up."""

    def __init__(self, recipe: Mapping[str, Any] | None, what: str) -> None:
        """Start it with a recipe, or for a scratch folder alone. Raises TargetError.

        `what` names in messages what it holds, such as "the command ./my-relay".
        """
        self._what = what
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nip_ap.targets.supervisor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            self.places = self._told(recipe)
            """The scratch folder and the log file."""
        except BaseException:
            self.end()
            raise

    def ask(self, **request: Any) -> dict[str, Any]:
        """Have something done. Raises TargetError."""
        return self._told(request)

    def _told(self, words: object) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(words) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            raise TargetError(f"the supervisor of {self._what} has ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise TargetError(answer["error"])
        return answer

    def end(self) -> None:
        """Let it clear up, and wait until it has."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()
        try:
            self._process.wait(_LEAVE_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
