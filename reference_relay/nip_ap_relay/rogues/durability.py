"""Rogues of restarts."""

from __future__ import annotations

from nip_ap_relay.policy import Policy
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Store


@rogue(
    "forgets-on-crash",
    turns_red="AP-DUR-01",
    blinds="AP-DUR-02",
    because="It answers from a write buffer that reaches the disk at a clean stop only.",
)
class ForgetsOnCrash(Policy):
    def commits_before_answering(self) -> bool:
        return False


@rogue(
    "resurrects-on-restart",
    turns_red="AP-DUR-02",
    because="At its start it reads a log that has every version and no deletion.",
)
class ResurrectsOnRestart(Policy):
    def opens(self, store: Store) -> None:
        store.restore_everything()


@rogue(
    "stop-ignored",
    turns_red="AP-DUR-03",
    because="Asked to stop, it waits for its clients to leave first, and they do not.",
)
class StopIgnored(Policy):
    def stops_when_asked(self) -> bool:
        return False
