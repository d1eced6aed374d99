"""Rogues of restarts."""

from __future__ import annotations

from nip_ap.nostr import Event
from nip_ap_relay.policy import NOVEMBER, Policy
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row, Store


@rogue(
    "forgets-on-crash",
    turns_red="AP-DUR-01 AP-DUR-05",
    blinds="AP-DUR-02 AP-DUR-04",
    because="It answers from a write buffer that reaches the disk at a clean stop only.",
    remedy="Commit to disk before you send OK true.",
)
class ForgetsOnCrash(Policy):
    def commits_before_answering(self) -> bool:
        return False


@rogue(
    "resurrects-on-restart",
    turns_red="AP-DUR-02",
    blinds="AP-DUR-04",
    because="At its start it reads a log that has every version and no deletion.",
    remedy="Apply deletions and replacements again when you rebuild state at start.",
)
class ResurrectsOnRestart(Policy):
    def opens(self, store: Store) -> None:
        store.restore_everything()


@rogue(
    "stop-ignored",
    turns_red="AP-DUR-03",
    because="Asked to stop, it waits for its clients to leave first, and they do not.",
    remedy="On SIGTERM, close the connections yourself and stop within a bounded time.",
)
class StopIgnored(Policy):
    def stops_when_asked(self) -> bool:
        return False


@rogue(
    "deleted-forgotten-on-restart",
    turns_red="AP-DUR-04",
    because="What it deleted it remembers in memory, so a restart makes it forget.",
    remedy="Store tombstones in the database, not in memory.",
)
class DeletedForgottenOnRestart(Policy):
    def opens(self, store: Store) -> None:
        store.forget_all_deleted()


@rogue(
    "first-write-after-restart-wins",
    turns_red="AP-DUR-05",
    because="It compares with heads in a cache, which is empty after a start.",
    remedy="Read the head from the database where the cache has none.",
)
class FirstWriteAfterRestartWins(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._written: set[str | None] = set()

    def as_stored(self, event: Event) -> Event:
        self._written.add(self.address(event))
        return event

    def supersedes(self, incoming: Event, head: Row) -> bool:
        return head.address not in self._written or super().supersedes(incoming, head)
