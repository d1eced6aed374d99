"""Credentials that are the same for a whole run, because the relay has to know of them.

The bundled relay is told at its start what these keys may write. For any other relay its operator
puts keys with such credentials into the file of --keys.
"""

from __future__ import annotations

from collections.abc import Mapping

from nip_ap.nostr import SecretKey

LIMITED, USERS_ONLY = "limited", "users-only"

ABILITIES = {LIMITED: "limited-key", USERS_ONLY: "users-only-key"}
"""The role of each such key, and the need of a clause or check that it serves."""

_SCOPES = {
    LIMITED: "messages:write,channels:write,channels:read",
    USERS_ONLY: "users:write",
}


def run_key(seed: str, role: str, keys: Mapping[str, SecretKey]) -> SecretKey:
    """The run's key of a role: the user's own, or one that depends on the seed alone."""
    return keys.get(role) or SecretKey.derived(seed, "run key", role)


def grants(seed: str, keys: Mapping[str, SecretKey]) -> dict[str, str]:
    """What the bundled relay is to let each of these keys write: scopes by public key."""
    return {run_key(seed, role, keys).pubkey: scopes for role, scopes in _SCOPES.items()}
