"""Serve one unusual relay: python -m tests.unusual NAME PORT FILE."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.unusual.habits import HABITS
from tests.unusual.serving import serve

if __name__ == "__main__":
    serve(HABITS[sys.argv[1]](), int(sys.argv[2]), Path(sys.argv[3]))
