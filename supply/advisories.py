"""Looks for known advisories about what the image installs: `tox run -e advisories`.

Exit codes: 0 none is known, or they cannot be looked up here, which is said; 1 some are.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PINS = Path(__file__).with_name("image.txt")
_LIMIT = 300


def audited(pins: Path) -> tuple[Any, str]:
    """What pip-audit finds, None where it cannot look; and its last words."""
    words = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip"]
    words += ["--progress-spinner", "off", "--format", "json", "--requirement", str(pins)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return None, f"no answer in {_LIMIT} s"
    said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    try:
        return json.loads(done.stdout), said
    except ValueError:
        return None, said


def told(found: Any, said: str) -> tuple[int, list[str]]:
    """The exit code and the lines about a finding."""
    if found is None:
        return 0, [f"skipped: advisories cannot be looked up here: {said}"]
    packages = found["dependencies"]
    unknown = [one for one in packages if "skip_reason" in one]
    lines = [
        f"{one['name']} {one['version']}: {flaw['id']}, fixed in "
        f"{', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in packages
        for flaw in one.get("vulns", ())
    ]
    if lines:
        return 1, lines
    if unknown and len(unknown) == len(packages):
        return 0, [f"skipped: advisories cannot be looked up here: {unknown[0]['skip_reason']}"]
    lines = [f"not looked up: {one['name']}: {one['skip_reason']}" for one in unknown]
    return 0, [*lines, f"no advisory about {len(packages) - len(unknown)} packages"]


def main() -> int:
    """Look, and print what was found."""
    code, lines = told(*audited(PINS))
    sys.stdout.write("\n".join(lines) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
