"""Serve one unusual relay: python -m tests.unusual NAME PORT."""

from __future__ import annotations

import sys

from tests.unusual.habits import HABITS
from tests.unusual.serving import serve

if __name__ == "__main__":
    serve(HABITS[sys.argv[1]](), int(sys.argv[2]))
