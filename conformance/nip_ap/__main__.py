"""`python -m nip_ap` is the `nip-ap` command."""

from __future__ import annotations

import sys

EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command; one that is interrupted while it is imported says no more than that."""
    try:
        from nip_ap.cli import main as command
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(EXIT_INTERRUPTED)
    command(prog_name="nip-ap")


if __name__ == "__main__":
    main()
