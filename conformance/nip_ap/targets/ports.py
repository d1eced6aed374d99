"""Ports for relays that the suite starts."""

from __future__ import annotations

import random
import socket

_FIRST, _LAST = 20_000, 29_999
_TRIES = 100


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on. Raises OSError.

    It lies below the range from which systems take ports for outgoing connections: a relay that
    starts again on its port would find it taken, and a client that knocks while the relay is down
    could be given that very port and talk to itself.
    """
    dice = random.SystemRandom()
    for _ in range(_TRIES):
        port = dice.randint(_FIRST, _LAST)
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port among {_TRIES} between {_FIRST} and {_LAST}")
