"""What a user asked for and cannot be had; key files and baselines as read from disk."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from nip_ap.model.baseline import Baseline, BaselineError, read_baseline
from nip_ap.model.clauses import register
from nip_ap.model.faults import UsageFault
from nip_ap.nostr import SecretKey


class SettingsError(UsageFault, ValueError):
    """Something that the user asked for and that cannot be done."""


class KeyFileError(SettingsError):
    """A key file that cannot be used; the message never repeats its content."""


def read_keys(path: str | None) -> dict[str, SecretKey]:
    """Secret keys by role from a JSON object of hex strings. Raises KeyFileError."""
    if path is None:
        return {}
    try:
        parsed = json.loads(Path(path).read_text(encoding="utf-8"))
        return {role: SecretKey.from_hex(text) for role, text in parsed.items()}
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be read: {error.strerror}") from None
    except (ValueError, AttributeError):
        raise KeyFileError(
            f"the key file {path} must be a JSON object of roles to 64 hex digits, "
            'such as {"owner": "...", "stranger": "...", "limited": "..."}'
        ) from None


def baseline_at(path: str | Path | None) -> Baseline | None:
    """The baseline in a file, as of today; None where none was given. Raises SettingsError."""
    if path is None:
        return None
    try:
        return read_baseline(Path(path), register(), datetime.now(UTC).date())
    except BaselineError as error:
        raise SettingsError(str(error)) from None
