"""The bundled relay as a command, and what is left of a run: processes, listeners."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

BUNDLED = f"{sys.executable} -m nip_ap_relay --port {{port}} --db {{dir}}/relay.db"
LIMIT = 20.0


def processes_with(mark: str) -> dict[int, str]:
    """The command lines of the processes whose environment or command line holds a mark."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            known = words + (folder / "environ").read_bytes()
        except OSError:
            continue
        if mark.encode() in known and int(folder.name) != os.getpid() and words:
            found[int(folder.name)] = words.replace(b"\0", b" ").decode()
    return found


def listens(port: int) -> bool:
    """Whether somebody listens on a port of the loopback interface."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except ConnectionRefusedError:
        return False
    return True


def soon(condition) -> bool:
    """Whether something becomes true within the limit."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
