"""What a relay offers, as values; probes find it (checking/probes.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nip_ap.model.greeting import SILENT, Greeting

FAR = 0.02
"""Seconds of round trip from which on a relay is far away."""

YES, NO, UNKNOWN = "yes", "no", "unknown"


@dataclass(frozen=True)
class Capability:
    """One thing that a relay may offer. `evidence` says what the probe did and saw."""

    name: str
    offered: str
    evidence: str
    claimed: bool | None = None

    @property
    def contradiction(self) -> str:
        """A claim of NIP-11 that the probe refutes; empty where there is none."""
        if self.claimed and self.offered == NO:
            return f"NIP-11 claims {self.name}, but {self.evidence}"
        return ""


@dataclass(frozen=True)
class Capabilities:
    """All that was probed, and the revision of NIP-AP that the relay speaks."""

    found: Mapping[str, Capability]
    spec: str
    spec_reason: str
    information: Mapping[str, Any] = field(default_factory=dict)
    answers: bool = True
    silence: str = ""
    lag: float = 0.0
    """Seconds by which an OK ran ahead of what the relay serves, the longest that was seen."""
    spec_is_clear: bool = True
    """Whether the revision was found out or chosen; else what only one of them has is undecided."""
    warnings: tuple[str, ...] = ()
    """What else to know before anything is judged, as sentences."""
    greeting: Greeting = SILENT
    """How the relay does NIP-42."""
    round_trip: float = 0.0
    """Seconds that the fastest answer took."""

    @property
    def is_far(self) -> bool:
        """Whether the relay is so far away that a run mostly waits for answers to travel."""
        return self.round_trip >= FAR

    def __getitem__(self, name: str) -> Capability:
        return self.found[name]

    def offers(self, name: str) -> bool:
        """Whether a probe found it."""
        return name in self.found and self.found[name].offered == YES

    def enforces(self, name: str) -> bool:
        """Whether a duty is enforced or at least claimed: then the relay is held to it."""
        return self.offers(name) or (name in self.found and self.found[name].claimed is True)

    def limit(self, name: str) -> int | None:
        """A number of the NIP-11 `limitation` object."""
        value = self.information.get("limitation", {}).get(name)
        return value if type(value) is int else None

    @property
    def contradictions(self) -> list[str]:
        """Every refuted claim and what else is odd about the relay, as sentences."""
        found = [one.contradiction for one in self.found.values() if one.contradiction]
        found += self.warnings
        if self.lag:
            found.append(
                f"OK true came up to {self.lag * 1000:.0f} ms before the event could be read; "
                "checks other than AP-READ-12 wait until it can"
            )
        return found

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for the report and for workers."""
        return {
            "found": [asdict(one) for one in self.found.values()],
            "spec": self.spec,
            "spec_reason": self.spec_reason,
            "information": dict(self.information),
            "answers": self.answers,
            "silence": self.silence,
            "lag": self.lag,
            "spec_is_clear": self.spec_is_clear,
            "warnings": list(self.warnings),
            "greeting": self.greeting.to_json(),
            "round_trip": self.round_trip,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Capabilities:
        """What `to_json` gave."""
        found = {one["name"]: Capability(**one) for one in value["found"]}
        parts = {
            "found": found,
            "warnings": tuple(value["warnings"]),
            "greeting": Greeting.from_json(value["greeting"]),
        }
        return cls(**{**value, **parts})
