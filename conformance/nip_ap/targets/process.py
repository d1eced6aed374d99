"""A relay that is a command: `nip-ap run --cmd './my-relay --port {port} --db {dir}/relay.db'`."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from nip_ap.model.recipe import DIR, PORT, Recipe
from nip_ap.model.target_options import CMD, START_LIMIT, TEMPLATE
from nip_ap.targets import environment
from nip_ap.targets.base import TargetError, TargetUsage
from nip_ap.targets.ports import free_port
from nip_ap.targets.recipe import Kind
from nip_ap.targets.supervised import SupervisedTarget

_BECOME_SUBREAPER = 36


def prepare(given: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's values: words, templates, variables, folder. Raises TargetUsage."""
    try:
        words = shlex.split(given["cmd"])
    except ValueError as error:
        raise TargetUsage(f"--cmd {given['cmd']!r} cannot be split into words: {error}") from None
    if not words:
        raise TargetUsage("--cmd is empty; write the command that starts the relay")
    env = environment.variables(given.get("env", ()), given.get("env_file", ()))
    templates = [_read(Path(name)) for name in given.get("template", ())]
    if not any(PORT in text for text in (*words, *env.values(), *(one[1] for one in templates))):
        raise TargetUsage(
            "--cmd has to say where the port goes: write {port} in the command, in --env or in a "
            "--template, as in 'my-relay --port {port} --db {dir}/relay.db'"
        )
    return {
        "words": words,
        "templates": templates,
        "env": env,
        "folder": os.getcwd(),
        "start_limit": given.get("start_limit"),
    }


def _read(path: Path) -> tuple[str, str]:
    try:
        return path.name, path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise TargetUsage(f"--template {path} cannot be read: {reason}") from None


def make(recipe: Recipe) -> SupervisedTarget:
    """The relay of a recipe."""
    return SupervisedTarget(recipe, f"the command {recipe.values['words'][0]}")


class StartedProcess:
    """A command with all that it starts, in a process group of its own."""

    def __init__(self, values: Mapping[str, Any], scratch: Path, log: Path) -> None:
        """Choose a port and make the folder {dir}. Nothing runs yet."""
        self._port = free_port()
        self._data = scratch / "data"
        self._data.mkdir()
        self._log = log
        self._folder = values["folder"]
        self._host = values.get("host", "127.0.0.1")
        self._words = [self._filled(word) for word in values["words"]]
        self._env = {name: self._filled(text) for name, text in values["env"].items()}
        for name, text in values["templates"]:
            (self._data / name).write_text(self._filled(text), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        _become_subreaper()

    def _filled(self, text: str) -> str:
        return text.replace(PORT, str(self._port)).replace(DIR, str(self._data))

    def start(self) -> str:
        """Run the command. Raises TargetError where there is none such."""
        try:
            with self._log.open("ab") as output:
                self._process = subprocess.Popen(
                    self._words,
                    cwd=self._folder,
                    env=os.environ | self._env,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise TargetError(
                f"the command {self._words[0]} cannot be run: {error.strerror}"
            ) from None
        return f"ws://{self._host}:{self._port}"

    @property
    def group(self) -> int:
        """The command's process group; its id is in use until `kill` has reaped the command."""
        return 0 if self._process is None else self._process.pid

    def ended(self, within: float) -> str:
        """How the command ended, if it did."""
        if self._process is None:
            return "was not started"
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired:
            return ""
        return f"ended with exit code {code}" if code >= 0 else f"was ended by {_signal(-code)}"

    def is_well(self) -> bool:
        """A command has no health check."""
        return True

    def stop(self, grace: float) -> bool:
        """SIGTERM to the group, then SIGKILL."""
        process = self._process
        if process is None:
            return True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self.kill()
        return True

    def kill(self) -> None:
        """SIGKILL to the group and to whatever left it, until nothing is below the supervisor."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        while True:
            for one in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return

    def discard(self) -> None:
        """Kill; the supervisor removes the scratch folder."""
        self.kill()


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _become_subreaper() -> None:
    """Let orphans below this process become its children, so that none can slip away (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_BECOME_SUBREAPER, 1, 0, 0, 0)


KIND = Kind(
    "process",
    "cmd",
    (CMD, TEMPLATE, *environment.OPTIONS, START_LIMIT),
    prepare,
    make,
    position=20,
    starts=StartedProcess,
    own=lambda recipe: recipe,
)
