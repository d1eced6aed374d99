"""A process that has imported our clients and forks a fresh one for each run.

Arguments that begin with `personas` are those of `nip-ap personas`, those with `--task` of
nip_ap_client.tasks, and others of `nip-ap migrate`.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from typing import IO

import orjson


class WarmProcess:
    """A run of `nip-ap migrate`, forked from the warm process."""

    def __init__(self, argv: list[str], env: Mapping[str, str], out: IO[bytes], err: IO[bytes]):
        ours, theirs = socket.socketpair()
        request = orjson.dumps([argv, dict(env)])
        parent = _parent()
        fds = array.array("i", [theirs.fileno(), out.fileno(), err.fileno()])
        parent.sendall(len(request).to_bytes(4, "big") + request)
        parent.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        theirs.close()
        self._conversation = ours
        self._lines = ours.makefile("rb")
        self._pid = int(self._lines.readline())
        self._code: int | None = None

    def wait(self, timeout: float) -> int | None:
        """See Process."""
        if self._code is None:
            with selectors.DefaultSelector() as selector:
                selector.register(self._conversation, selectors.EVENT_READ)
                if not selector.select(timeout):
                    return None
            self._code = int(self._lines.readline())
        return self._code

    def kill(self) -> None:
        """See Process."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self.wait(5)


@cache
def _parent() -> socket.socket:
    """The warm process of this process, started when first needed; it ends with it."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "nip_ap.clients.warm", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


class _Forker:
    """The warm process: forks on request, and tells how each child ended."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._selector = selectors.DefaultSelector()
        self._selector.register(requests, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until the other side is gone."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._requests:
                    if not self._fork():
                        return
                else:
                    self._ended(key.fd, *key.data)

    def _fork(self) -> bool:
        size = self._requests.recv(4, socket.MSG_WAITALL)
        if len(size) < 4:
            return False
        data = self._requests.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
        _, fds, _, _ = socket.recv_fds(self._requests, 1, 3)
        argv, env = orjson.loads(data)
        pid = os.fork()
        if pid == 0:
            _become(argv, env, fds)
        conversation = socket.socket(fileno=fds[0])
        for fd in fds[1:]:
            os.close(fd)
        conversation.sendall(b"%d\n" % pid)
        self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, conversation))
        return True

    def _ended(self, pidfd: int, pid: int, conversation: socket.socket) -> None:
        self._selector.unregister(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(OSError):
            conversation.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        conversation.close()


def _become(argv: list[str], env: Mapping[str, str], fds: list[int]) -> None:
    """In the child: be the migrator, and never return."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(env)
        os.dup2(fds[1], 1)
        os.dup2(fds[2], 2)
        from nip_ap_client import command, personas_command, tasks

        if argv[:1] == ["personas"]:
            personas_command.personas(argv[1:], prog_name="nip-ap personas")
        client = tasks.main if "--task" in argv else command.migrate
        client(argv, prog_name="nip-ap migrate")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def main() -> None:
    """Import everything once, then serve."""
    from nip_ap.model import relay_url  # noqa: F401
    from nip_ap.nostr import bech32  # noqa: F401
    from nip_ap_client import (  # noqa: F401
        command,
        migrator,
        personas_command,
        reader,
        retention,
        rogues,
        tasks,
        transport,
    )

    _Forker(socket.socket(fileno=int(sys.argv[1]))).serve()


if __name__ == "__main__":
    main()
