"""A process of the load generator: a task on standard input, what it saw on standard output."""

from __future__ import annotations

import asyncio
import os
import sys

import orjson

from nip_ap.load.connection import Refused
from nip_ap.load.generator import Task
from nip_ap.load.processes import play


def main() -> None:
    """Play one task in step with the process that started this one, and end with it."""
    task = Task.from_json(orjson.loads(sys.stdin.buffer.readline()))
    try:
        share = play(task, _conduct)
    except Refused as reason:
        _say("refused", str(reason).encode())
        return
    _say("share", share.to_bytes())


async def _conduct(stage: str, number: int) -> int:
    _say(stage, str(number).encode())
    line = await asyncio.to_thread(sys.stdin.buffer.readline)
    if not line:
        os._exit(1)  # whoever started this is gone
    return int(line)


def _say(word: str, rest: bytes) -> None:
    sys.stdout.buffer.write(word.encode() + b" " + rest + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
