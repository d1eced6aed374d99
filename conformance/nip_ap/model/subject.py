"""One relay of a run, and what a worker process needs to run checks on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from nip_ap.model.baseline import Baseline
from nip_ap.model.capabilities import NO, YES, Capabilities
from nip_ap.model.clauses import REVISIONS, Clause
from nip_ap.model.deadline import NEVER, Deadline
from nip_ap.model.frame import Frame
from nip_ap.model.greeting import ANSWERED
from nip_ap.model.judgement import Inconclusive, NotApplicable, ScenarioMistake, UnmetClaim
from nip_ap.model.profile import BUZZ, exemption
from nip_ap.model.recipe import Recipe
from nip_ap.model.settings import Settings

RATE_LIMIT = "rate-limit"
LIMIT_MET = "rate limit"
"""The fact of a check that says which rate limit its process had met by then."""

_NOT_PROBED = {
    "restart": "the suite does not control the relay's life (give --cmd, --image or --compose)",
    "limited-key": "no credential without users:write is at hand (a `limited` key in --keys)",
    "users-only-key": "no credential with users:write alone is at hand (`users-only` in --keys)",
    "load": "the relay is not on this machine and --load was not given",
    "migrator": "no migrator was given (--migrator CMD)",
    "reader": "no reader was given (--reader CMD)",
    "reader-key": "the command of --reader has no {key}, so it cannot say who reads",
    "reader-slug": "the command of --reader has no {slug}, so it cannot be asked for one persona",
}

ABILITIES = frozenset(_NOT_PROBED)
"""What a run may have of the user's, beyond what a relay offers."""


def is_for_want_of_means(reason: str) -> bool:
    """Whether a check did not apply for what the suite lacked, and not the relay."""
    return reason in _NOT_PROBED.values()


@dataclass(frozen=True)
class Subject:
    """One relay of a run. Most runs have one, named ""; a proof has one for each rogue.

    `own` makes another such relay for a check that kills it; `log` is the file of its output.
    """

    name: str
    url: str
    capabilities: Capabilities
    is_disposable: bool = False
    abilities: tuple[str, ...] = ()
    checks: tuple[str, ...] | None = None
    preflight: tuple[Frame, ...] = ()
    """The transcript of the probes; workers do not need it."""
    own: Recipe | None = None
    log: str = ""

    def wants(self, check: str) -> bool:
        """Whether a check is to run on this relay; most runs have no such choice."""
        return self.checks is None or check in self.checks

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for workers."""
        return {
            "name": self.name,
            "url": self.url,
            "capabilities": self.capabilities.to_json(),
            "is_disposable": self.is_disposable,
            "abilities": list(self.abilities),
            "checks": self.checks,
            "own": None if self.own is None else self.own.to_json(),
            "log": self.log,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Subject:
        """What `to_json` gave."""
        return cls(
            name=value["name"],
            url=value["url"],
            capabilities=Capabilities.from_json(value["capabilities"]),
            is_disposable=value["is_disposable"],
            abilities=tuple(value["abilities"]),
            checks=None if value["checks"] is None else tuple(value["checks"]),
            own=None if value["own"] is None else Recipe.from_json(value["own"]),
            log=value["log"],
        )

    def require(
        self,
        clause: Clause,
        needs: Iterable[str],
        claims: Iterable[str] = (),
        profile: str = BUZZ,
    ) -> None:
        """Raise NotApplicable or Inconclusive where a clause cannot be judged on this relay.

        Raises UnmetClaim where that is for want of something that --claim says is there.
        """
        capabilities = self.capabilities
        if not capabilities.answers and not (clause.id == ANSWERED and capabilities.greeting.fault):
            raise Inconclusive(f"the relay did not answer the preflight: {capabilities.silence}")
        if not capabilities.spec_is_clear and set(clause.revisions) != set(REVISIONS):
            raise Inconclusive(
                f"{clause.id} is of revision {', '.join(clause.revisions)} alone, and which one "
                f"the relay speaks is {capabilities.spec_reason}"
            )
        if not clause.holds_in(capabilities.spec):
            raise NotApplicable(
                f"{clause.id} is not part of revision {capabilities.spec} "
                f"({capabilities.spec_reason})"
            )
        exempt = exemption(clause, profile, capabilities.information)
        if exempt:
            raise NotApplicable(exempt)
        for need in needs:
            try:
                self._require(need)
            except NotApplicable as error:
                if need not in claims:
                    raise
                raise UnmetClaim(f"{need}, as --claim says", str(error)) from None

    def _require(self, need: str) -> None:
        if need in self.abilities:
            return
        if need in _NOT_PROBED:
            raise NotApplicable(_NOT_PROBED[need])
        if need not in self.capabilities.found:
            raise ScenarioMistake(f"no probe and no ability is called {need!r}")
        found = self.capabilities[need]
        if found.offered == NO:
            raise NotApplicable(f"the relay does not offer {need}: {found.evidence}")
        if found.offered != YES:
            raise Inconclusive(f"whether the relay offers {need} is unknown: {found.evidence}")


@dataclass(frozen=True)
class Context:
    """What a worker process needs to run checks."""

    settings: Settings
    subjects: tuple[Subject, ...]
    evidence: str = ""
    """The folder of a report whose transcripts are judged again; "" where relays are tested."""
    given_keys: Mapping[str, str] = field(default_factory=dict)
    """The public keys, by role, whose secrets are not derived from the seed: those of --keys."""
    baseline: Baseline | None = None
    board: str = ""
    """The folder in which workers tell each other of relays that fell (checking/vigil.py)."""
    deadline: Deadline = NEVER
    """When the run has to be over."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "board": self.board,
            "deadline": self.deadline.to_json(),
            "evidence": self.evidence,
            "given_keys": dict(self.given_keys),
            "baseline": self.baseline and self.baseline.to_json(),
            "settings": asdict(self.settings),
            "subjects": [subject.to_json() for subject in self.subjects],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Context:
        """What `to_json` gave."""
        settings: dict[str, Any] = {
            name: tuple(item) if isinstance(item, list) else item
            for name, item in value["settings"].items()
        }
        return cls(
            Settings(**settings),
            tuple(map(Subject.from_json, value["subjects"])),
            value["evidence"],
            value["given_keys"],
            value["baseline"] and Baseline.from_json(value["baseline"]),
            value["board"],
            Deadline.from_json(value["deadline"]),
        )

    def subject(self, name: str) -> Subject:
        """The relay of that name."""
        return next(subject for subject in self.subjects if subject.name == name)


def limited_in_the_run(subject: Subject, facts: Iterable[Mapping[str, Any]]) -> Subject:
    """The relay with the rate limit that checks met on it, where the preflight had met none."""
    met = [str(one[LIMIT_MET]) for one in facts if LIMIT_MET in one]
    known = subject.capabilities.found.get(RATE_LIMIT)
    if not met or known is None or known.offered == YES:
        return subject
    found = replace(known, offered=YES, evidence=f"met in the run: {met[-1]}")
    capabilities = replace(
        subject.capabilities, found={**subject.capabilities.found, RATE_LIMIT: found}
    )
    return replace(subject, capabilities=capabilities)
