"""What a user asked for and cannot be had; key files and baselines as read from disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nip_ap.model.baseline import Baseline, BaselineError, read_baseline
from nip_ap.model.clauses import Register
from nip_ap.model.faults import UsageFault
from nip_ap.nostr import SecretKey
from nip_ap.secret_files import SecretFileError, secret_text


class SettingsError(UsageFault, ValueError):
    """Something that the user asked for and that cannot be done."""


class KeyFileError(SettingsError):
    """A key file that cannot be used; the message never repeats its content."""


def read_keys(path: str | None) -> dict[str, SecretKey]:
    """The first set of keys in a file, by role. Raises KeyFileError."""
    return next(iter(read_key_sets(path)), {})


def read_key_sets(path: str | None) -> list[dict[str, SecretKey]]:
    """All sets of keys in a file: a JSON object of roles, or an array of these.

    One check at a time has a set. Raises KeyFileError.
    """
    if path is None:
        return []
    try:
        parsed = json.loads(secret_text(Path(path)))
        listed = parsed if isinstance(parsed, list) else [parsed]
        sets = [_key_set(one) for one in listed]
    except SecretFileError as error:
        raise KeyFileError(str(error)) from None
    except (ValueError, AttributeError, TypeError):
        raise KeyFileError(
            f"the key file {path} must be a JSON object of roles to 64 hex digits, "
            'such as {"owner": "...", "stranger": "...", "limited": "..."}, or an array of these'
        ) from None
    if not sets:
        raise KeyFileError(f"the key file {path} is an array without a set of keys")
    return sets


def _key_set(value: Any) -> dict[str, SecretKey]:
    return {role: SecretKey.from_hex(text) for role, text in value.items()}


def public_keys(sets: Sequence[Mapping[str, SecretKey]]) -> dict[str, str]:
    """The public keys of all sets by role; those of later sets under the role and a number."""
    found = {}
    for number, keys in enumerate(sets, 1):
        for role, key in keys.items():
            found[role if number == 1 else f"{role} {number}"] = key.pubkey
    return found


def baseline_at(path: str | Path | None, known: Register) -> Baseline | None:
    """The baseline in a file, as of today; None where none was given. Raises SettingsError."""
    if path is None:
        return None
    try:
        return read_baseline(Path(path), known, datetime.now(UTC).date())
    except BaselineError as error:
        raise SettingsError(str(error)) from None
