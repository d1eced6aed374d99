"""What came of a load: which writes were acknowledged, delivered and read, and how fast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nip_ap.load.generator import Read, Share
from nip_ap.load.script import Write
from nip_ap.load.shape import Shape
from nip_ap.model.latency import summary

TO_OK, TO_LIVE, TO_EOSE = "publish to OK", "publish to live", "REQ to EOSE"


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it should be, in words, and the write that it is about."""

    write: str
    what: str


@dataclass(frozen=True)
class Outcome:
    """The shares of all processes, put together."""

    shape: Shape
    shares: tuple[Share, ...]

    @cached_property
    def writes(self) -> dict[str, Write]:
        """Every event that was sent, by id."""
        return {write.id: write for share in self.shares for write in share.writes}

    @cached_property
    def accepted(self) -> list[Write]:
        """The writes that got OK true, in the order of their answers."""
        found = [write for write in self.writes.values() if write.accepted]
        return sorted(found, key=lambda write: write.answered)

    @property
    def refused(self) -> list[Write]:
        """The writes that got OK false."""
        return [one for one in self.writes.values() if one.answered and not one.accepted]

    @property
    def unanswered(self) -> list[Write]:
        """The writes that got no OK in time."""
        return [write for write in self.writes.values() if not write.answered]

    @cached_property
    def lost(self) -> dict[str, str]:
        """The connections that the relay ended, and how."""
        return {who: reason for share in self.shares for who, reason in share.lost.items()}

    @property
    def heads(self) -> dict[str, Write]:
        """By slug the write that has to be its head; not where an answer is missing."""
        unclear = {write.slug for write in self.unanswered}
        heads: dict[str, Write] = {}
        for write in sorted(self.accepted, key=lambda write: write.order):
            if write.slug not in unclear:
                heads.setdefault(write.slug, write)
        return heads

    # -- faults ----------------------------------------------------------------

    @property
    def misread(self) -> list[Fault]:
        """Reads right after an OK that did not give what was acknowledged."""
        return [
            Fault(read.write, f"the read right after its OK gave {read.head[:8] or 'nothing'}")
            for read in self._reads
            if read.head != read.write
        ]

    @property
    def undelivered(self) -> list[Fault]:
        """Acknowledged writes that did not come once to each subscriber that is still there."""
        faults = []
        for who, came in self._deliveries:
            copies = Counter(identifier for identifier, _ in came)
            faults += [
                Fault(write.id, f"{who} got it {copies[write.id]} times")
                for write in self.accepted
                if copies[write.id] != 1
            ]
        return faults

    @property
    def listeners(self) -> int:
        """Subscribers that were connected to the end."""
        return len(self._deliveries)

    @property
    def _reads(self) -> list[Read]:
        return [read for share in self.shares for read in share.reads]

    @cached_property
    def _deliveries(self) -> list[tuple[str, Sequence[tuple[str, float]]]]:
        return [
            (who, came)
            for share in self.shares
            for who, came in share.deliveries
            if who not in self.lost
        ]

    # -- figures ---------------------------------------------------------------

    def figures(self) -> dict[str, Any]:
        """What was done, and how much of it a second once warm."""
        timed = [write for write in self.accepted if write.is_timed]
        began = min((write.sent for write in timed), default=0.0)
        seconds = max((write.answered for write in timed), default=0.0) - began
        delivered = sum(at >= began for _, came in self._deliveries for _, at in came)
        return {
            "publishers": self.shape.publishers,
            "subscribers": self.shape.subscribers,
            "processes": self.shape.processes,
            "sent": len(self.writes),
            "accepted": len(self.accepted),
            "refused": len(self.refused),
            "unanswered": len(self.unanswered),
            "connections lost": len(self.lost),
            "steady seconds": round(seconds, 3),
            "events a second": round(len(timed) / seconds, 1) if seconds else None,
            "deliveries a second": round(delivered / seconds, 1) if seconds else None,
        }

    def latencies(self) -> list[dict[str, Any]]:
        """What report.json holds of each latency that was measured once warm."""
        timed = {write.id: write for write in self.accepted if write.is_timed}
        measured = {
            TO_OK: [write.answered - write.sent for write in timed.values()],
            TO_LIVE: [
                at - timed[identifier].sent
                for _, came in self._deliveries
                for identifier, at in came
                if identifier in timed
            ],
            TO_EOSE: [read.ended - read.asked for read in self._reads if read.is_timed],
        }
        return [summary(seconds, name).to_json() for name, seconds in measured.items() if seconds]
