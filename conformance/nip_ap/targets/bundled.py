"""The bundled reference relay as a process of its own, on a free port, gone with the run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from typing import IO, Any

from nip_ap.model.recipe import Recipe
from nip_ap.model.target_options import DB
from nip_ap.targets.base import Target, TargetError
from nip_ap.targets.recipe import Kind

_START_LIMIT = 15.0
_STOP_LIMIT = 3.0


class BundledTarget:
    """`python -m nip_ap_relay` on a free port.

    The relay stops when its standard input closes. This process holds the other end of that pipe,
    so the relay ends with it, also where it is killed.
    """

    is_disposable = True
    can_restart = True
    log = None
    module = "nip_ap_relay"

    def __init__(
        self,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        grants: Mapping[str, str] | None = None,
    ) -> None:
        """`arguments` go to `nip-ap relay`, such as ("--spec", "2026-06").

        `grants` holds scopes by public key, for the keys that are not to have all of them.
        """
        self.grants = dict(grants or {})
        self._arguments = (*arguments, *_granted(self.grants))
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[str] | None = None
        self._port = 0
        self.url = ""

    def start(self) -> None:
        """Start the process and wait for its address. Raises TargetError with the log's tail."""
        self._log = self._log or tempfile.TemporaryFile("w+", prefix="nip-ap-relay-")  # noqa: SIM115
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                self.module,
                "--port",
                str(self._port),
                "--stop-with-parent",
                *self._arguments,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | self._environment,
        )
        line = self._first_line()
        if not line.startswith("listening on "):
            tail = self.logs()
            self.stop()
            raise TargetError(f"the bundled relay did not start: {tail.strip() or 'no output'}")
        self.url = line.removeprefix("listening on ").strip()
        self._port = int(self.url.rpartition(":")[2])

    def _first_line(self) -> str:
        process = self._process
        if process is None or process.stdout is None:
            return ""
        watchdog = threading.Timer(_START_LIMIT, process.kill)
        watchdog.start()
        try:
            return process.stdout.readline()
        finally:
            watchdog.cancel()

    def stop(self) -> None:
        """Close the relay's standard input, and see to it that it ends."""
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self) -> None:
        """Stop and start on the same port."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self.stop()

    def logs(self) -> str:
        """The end of the relay's standard error."""
        if self._log is None:
            return ""
        self._log.seek(0)
        return self._log.read()[-4000:]


def _granted(grants: Mapping[str, str]) -> list[str]:
    return [f"--grant={pubkey}={scopes}" for pubkey, scopes in grants.items()]


# -- as a kind of target -----------------------------------------------------------------


def recipe_of(
    given: Mapping[str, Any], arguments: Sequence[str] = (), grants: Mapping[str, str] | None = None
) -> Recipe:
    """The recipe of a bundled relay; `given` are the user's options."""
    file = ("--db", str(given["db"])) if given.get("db") else ()
    values = {"file": file, "arguments": list(arguments), "grants": dict(grants or {})}
    return Recipe(KIND.name, given, values)


def _prepare(given: Mapping[str, Any]) -> dict[str, Any]:
    return dict(recipe_of(given).values)


def _make(recipe: Recipe) -> Target:
    values = recipe.values
    return BundledTarget((*values["file"], *values["arguments"]), grants=values["grants"])


def _own(recipe: Recipe) -> Recipe:
    """The same relay as a command, with a database of its own."""
    words = [sys.executable, "-P", "-m", BundledTarget.module]
    words += ["--port", "{port}", "--db", "{dir}/relay.db"]
    words += [*recipe.values["arguments"], *_granted(recipe.values["grants"])]
    values = {"words": words, "templates": [], "env": {}, "folder": os.getcwd()}
    return Recipe("process", {}, values)


KIND = Kind("bundled", "", (DB,), _prepare, _make, own=_own)
