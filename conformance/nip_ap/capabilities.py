"""What a relay offers, found by probing; what NIP-11 says is compared with it, not believed.

Each probe is one function below, registered by its decorator: name, and what it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
import orjson

from nip_ap.actor import HTTP, WS, Actor, address
from nip_ap.clauses import JUNE, NOVEMBER
from nip_ap.evidence import Inconclusive
from nip_ap.nostr import PERSONA, Draft
from nip_ap.wire import NoAnswer, Unreachable, WireError

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

    def __getitem__(self, name: str) -> Capability:
        return self.found[name]

    def offers(self, name: str) -> bool:
        """Whether a probe found it."""
        return name in self.found and self.found[name].offered == YES

    def limit(self, name: str) -> int | None:
        """A number of the NIP-11 `limitation` object."""
        value = self.information.get("limitation", {}).get(name)
        return value if type(value) is int else None

    @property
    def contradictions(self) -> list[str]:
        """Every refuted claim, as sentences."""
        return [one.contradiction for one in self.found.values() if one.contradiction]

    def to_json(self) -> dict[str, Any]:
        """A JSON object, for the report and for workers."""
        return {
            "found": [asdict(one) for one in self.found.values()],
            "spec": self.spec,
            "spec_reason": self.spec_reason,
            "information": dict(self.information),
            "answers": self.answers,
            "silence": self.silence,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Capabilities:
        """What `to_json` gave."""
        found = {one["name"]: Capability(**one) for one in value["found"]}
        return cls(**{**value, "found": found})


@dataclass
class Probing:
    """What probes share: two keys, the NIP-11 document, and one persona that was accepted."""

    url: str
    owner: Actor
    stranger: Actor
    now: int
    information: Mapping[str, Any]
    slug: str = "probe"

    def persona(self, slug: str) -> Draft:
        """An unshared persona, as every revision accepts it."""
        return Draft(PERSONA, self.now, (("d", slug),), _BODY % "")


# A body that also a relay accepts which minds the fields that June required.
_BODY = '{"display_name":"Probe %s","system_prompt":"You are a probe."}'

Probe = Callable[[Probing], tuple[str, str]]

PROBES: dict[str, Probe] = {}
_NIPS = {"auth": 42, "count": 45, "search": 50}


def probe(name: str) -> Callable[[Probe], Probe]:
    """Register a probe; it gives (yes, no or unknown, what it did and saw)."""

    def register(function: Probe) -> Probe:
        PROBES[name] = function
        return function

    return register


@probe("auth")
def _auth(probing: Probing) -> tuple[str, str]:
    door = probing.owner.ws
    if door.challenge is None:
        return NO, "no AUTH challenge came on a connection that wrote and read"
    if not door.authenticated and not door.authenticate().accepted:
        return NO, "a challenge came, but a correct answer to it was refused"
    return YES, "a NIP-42 challenge came and its answer was accepted"


@probe("count")
def _count(probing: Probing) -> tuple[str, str]:
    wanted = address(probing.owner, probing.slug)
    try:
        counted = probing.owner.ws.count([wanted])
    except NoAnswer as error:
        return NO, f"COUNT was not answered: {error}"
    if counted.refusal is not None:
        return NO, f"COUNT was refused: {counted.refusal!r}"
    return YES, f"COUNT answered {counted.count}"


@probe("http")
def _http(probing: Probing) -> tuple[str, str]:
    try:
        reading = probing.owner.http.query([address(probing.owner, probing.slug)])
    except WireError as error:
        return NO, f"POST /query: {error}"
    if reading.refusal is not None:
        return NO, f"POST /query answered HTTP {reading.status}: {reading.refusal!r}"
    return YES, f"POST /query answered {len(reading)} event(s)"


@probe("search")
def _search(probing: Probing) -> tuple[str, str]:
    from nip_ap.nostr import Filter

    word = f"word{probing.owner.pubkey[:12]}"
    draft = Draft(
        PERSONA,
        probing.now,
        (("d", "probe-search"), ("shared", "true")),
        _BODY % word,
    )
    event = probing.owner.publish(draft)
    for via in (WS, HTTP):
        try:
            reading = probing.owner.door(via).query(
                [Filter.of(kinds=[PERSONA], search=word, limit=5)]
            )
        except WireError:
            continue
        if event in reading and len(reading) == 1:
            return YES, f"a search over {via} for a fresh word found the one persona that has it"
    return NO, "a search for a fresh word of a stored persona did not find it"


def explore(probing: Probing, *, spec: str) -> Capabilities:
    """Probe a relay. Raises Unreachable; a relay that does not answer gives `answers=False`.

    `spec` is a revision, or "auto" to find it out by reading an unshared persona as a stranger.
    """
    fallback = NOVEMBER if spec == "auto" else spec
    try:
        event = probing.owner.publish(probing.persona(probing.slug))
        reading = probing.owner.read(address(probing.owner, probing.slug))
    except (NoAnswer, Inconclusive) as error:
        return _silent(probing, fallback, str(error))
    except Unreachable:
        raise
    except WireError as error:
        return _silent(probing, fallback, str(error))
    if event not in reading:
        return _silent(
            probing, fallback, "an ordinary persona was accepted but its author cannot read it",
            answers=True,
        )  # fmt: skip
    found = {name: _found(name, function, probing) for name, function in PROBES.items()}
    revision, reason = (spec, "chosen by --spec") if spec != "auto" else _revision(probing)
    return Capabilities(found, revision, reason, probing.information)


def _silent(probing: Probing, spec: str, why: str, *, answers: bool = False) -> Capabilities:
    found = {name: Capability(name, UNKNOWN, f"not probed: {why}") for name in PROBES}
    return Capabilities(found, spec, "not probed", probing.information, answers, why)


def _found(name: str, function: Probe, probing: Probing) -> Capability:
    try:
        offered, evidence = function(probing)
    except (WireError, Inconclusive) as error:
        offered, evidence = UNKNOWN, f"the probe broke down: {error}"
    nips = probing.information.get("supported_nips")
    claimed = _NIPS[name] in nips if name in _NIPS and isinstance(nips, list) else None
    return Capability(name, offered, evidence, claimed)


def _revision(probing: Probing) -> tuple[str, str]:
    """Author-only unless shared came with the November text (facts/relay-behaviour.md 10.11)."""
    wanted = address(probing.owner, probing.slug)
    try:
        foreign = probing.stranger.read(wanted)
    except (WireError, Inconclusive) as error:
        return NOVEMBER, f"a stranger's read of an unshared persona broke down: {error}"
    if foreign.events:
        return JUNE, "a second key can read an unshared persona"
    return NOVEMBER, "a second key cannot read an unshared persona that its author reads"


def relay_information(url: str, client: httpx.Client, limit: float) -> dict[str, Any]:
    """The NIP-11 document; empty where there is none that can be read."""
    base = "http" + url.removeprefix("ws")
    try:
        response = client.get(base, headers={"Accept": "application/nostr+json"}, timeout=limit)
        document = orjson.loads(response.content)
    except (httpx.HTTPError, orjson.JSONDecodeError):
        return {}
    return document if isinstance(document, dict) else {}
