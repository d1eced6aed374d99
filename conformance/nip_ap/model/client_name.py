"""What a client under test is called: a word or two of its command, not all of it."""

from __future__ import annotations

import itertools
import shlex
from pathlib import PurePath

_LONGEST = 100


def client_name(command: str) -> str:
    """`node read.mjs` of `node --flag examples/read.mjs {relay}`: what stands before the first
    placeholder, without options and folders."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    before = itertools.takewhile(lambda word: "{" not in word, words)
    named = [PurePath(word).name for word in before if not word.startswith("-")]
    return " ".join(named[:2])[:_LONGEST]
