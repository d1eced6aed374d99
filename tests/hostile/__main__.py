"""Serve one hostile relay on a free port, which is printed: python -m tests.hostile NAME."""

from __future__ import annotations

import asyncio
import sys

from tests.hostile.relay import serve
from tests.hostile.vices import VICES


def announce(port: int) -> None:
    """Tell whoever started this where the relay is."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until killed."""
    relay = VICES[sys.argv[1]]()
    asyncio.run(serve(relay, announce))


if __name__ == "__main__":
    main()
