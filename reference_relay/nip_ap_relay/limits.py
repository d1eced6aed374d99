"""What the relay can be set to, and announces in its NIP-11 document: numbers, not rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

JUNE = "2026-06"
NOVEMBER = "2026-11"

_KIB = 1024


class Limits:
    """Sizes in bytes, times in seconds (facts/relay-behaviour.md 7)."""

    clock_tolerance = 900
    longest_content = 256 * _KIB
    filters_at_once = 10
    subscriptions_at_once = 1024
    longest_subscription_id = 256
    largest_limit = 5000
    auth_window = 60
    auth_required = True
    x_pubkey_accepted = True
    body_limit = 1024 * _KIB
    frame_limits: ClassVar[Mapping[str, int]] = {JUNE: 64 * _KIB, NOVEMBER: 512 * _KIB}
