"""The rules of the relay, with a clock that can be set."""

from __future__ import annotations

from nip_ap.nostr import Filter
from nip_ap_relay.policy import Policy
from nip_ap_relay.stub.faults import Faults
from nip_ap_relay.submission import Submission


class ControlledPolicy(Policy):
    """The rules of the relay, with a clock that can be set."""

    name = "stub"

    def __init__(self, spec: str, faults: Faults) -> None:
        super().__init__(spec)
        self.faults = faults

    def now(self) -> int:
        """The relay's clock, moved as ordered."""
        return super().now() + self.faults.orders.clock_offset

    def time_is_near(self, submission: Submission) -> str | None:
        """The window is an order too."""
        self.clock_tolerance = self.faults.orders.window
        return super().time_is_near(submission)

    def id_is_the_hash(self, submission: Submission) -> str | None:
        """A forged event is stored where that is an order."""
        return None if self.faults.orders.trusting else super().id_is_the_hash(submission)

    def signature_is_valid(self, submission: Submission) -> str | None:
        """As for the id."""
        return None if self.faults.orders.trusting else super().signature_is_valid(submission)

    def row_limit(self, one: Filter) -> int:
        """The size of an answer is an order too."""
        page = self.faults.orders.page
        own = super().row_limit(one)
        return own if page is None else min(own, page)

    def auth_time_is_near(self, created_at: int, now: int) -> bool:
        """Who is there does not depend on the clock: its subject is the date of events."""
        return True

    def http_time_is_near(self, created_at: int, now: int) -> bool:
        """As for NIP-42."""
        return True

    def http_status(self, refusal: str) -> int:
        """A rate limit is 429."""
        return 429 if refusal.startswith("rate-limited:") else super().http_status(refusal)
