"""The form of a certificate's content: strict types and bounded numbers, whatever made it.

Form alone: whether the content is true is asked elsewhere. What is bounded here is what makes work
for those who verify.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from nip_ap.model.settings import Settings
from nip_ap.model.verdict import Verdict

NOT_TOLD = (
    *("keys", "ca", "only", "migrator", "reader", "repeat", "replay", "keep_all_frames"),
    "scenarios",
)
"""Settings that no certificate shows: paths and commands of the issuer's, and what has to be so."""

MOST: Mapping[str, float] = {
    "examples": 500,
    "publishers": 1000,
    "subscribers": 1000,
    "load_events": 1_000_000,
    "load_seconds": 3600,
    "kills": 100,
    "migrator_load": 10_000,
    "reader_load": 100_000,
    "answer_limit": 3600,
}
"""The most that the settings of a certified run may be: whoever verifies does the work again."""

MOST_CHECKS = 5000
_FIRST_YEAR = 2025

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\Z", re.ASCII)

Text = Annotated[str, Meta(max_length=1000)]
Name = Annotated[str, Meta(max_length=300)]
Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
ShortDigest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{12,32}\Z")]
Count = Annotated[int, Meta(ge=0, le=MOST_CHECKS)]
Scalar = bool | int | float | Text | None


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """An object of the content. Another version of the suite may write more into it."""


class Suite(_Part, frozen=True, kw_only=True):
    """The suite that made it."""

    name: Name
    version: Name
    code_sha256: Digest
    register_sha256: Digest


class RunForm(_Part, frozen=True, kw_only=True):
    """How the suite ran."""

    seed: Name
    started: Name
    seconds: Annotated[float, Meta(ge=0, le=10_000_000)]
    python: Name
    hypothesis: Name
    spec: Name
    settings: Annotated[
        dict[Name, Scalar | Annotated[list[Text], Meta(max_length=100)]], Meta(max_length=100)
    ]
    abilities: Annotated[list[Name], Meta(max_length=100)]
    given_keys: Annotated[dict[Name, Digest], Meta(max_length=100)]


class Target(_Part, frozen=True, kw_only=True):
    """The relay."""

    url: Text
    kind: Name = ""
    bundled: bool
    name: str | None
    software: str | None
    version: str | None
    information_sha256: Digest | None


class ContentForm(_Part, frozen=True, kw_only=True):
    """The whole content."""

    format: Name
    suite: Suite
    run: RunForm
    target: Target
    capabilities: Annotated[dict[Name, Name], Meta(max_length=1000)]
    role: Literal["relay", "reader", "migrator"] = "relay"
    client: Name = ""
    verdict: Name
    level: Name
    checks: Annotated[list[tuple[Name, Verdict, ShortDigest]], Meta(max_length=MOST_CHECKS)]
    not_judged_again: Annotated[dict[Text, Count], Meta(max_length=MOST_CHECKS)]
    preflight_sha256: Digest
    transcripts_sha256: Digest


_PARTS: Mapping[str, type[msgspec.Struct]] = {
    "": ContentForm,
    "suite": Suite,
    "run": RunForm,
    "target": Target,
}


def complaint_about(content: Any, form: str) -> str:
    """What is wrong with the form of a content; empty where nothing is."""
    if not isinstance(content, dict) or content.get("format") != form:
        return f"its content is not of the format {form}"
    checks = content.get("checks")
    if isinstance(checks, list) and len(checks) > MOST_CHECKS:
        return f"it lists {len(checks)} checks, and no suite has more than {MOST_CHECKS}"
    try:
        msgspec.convert(content, ContentForm, strict=True)
        unix_seconds(content["run"]["started"])
    except msgspec.ValidationError as error:
        return f"its content is not of the right form: {error}"
    except ValueError as error:
        return str(error)
    return bounds(content["run"]["settings"])


def bounds(settings: Mapping[str, Any]) -> str:
    """Which number among the settings is beyond what can be verified; empty where none is."""
    for name, most in MOST.items():
        value = settings.get(name, 0)
        if isinstance(value, (int, float)) and not -1 <= value <= most:
            return (
                f"the setting {name} is {value}, and {most:g} is the most that can be certified: "
                "whoever verifies does the work again"
            )
    return ""


def unix_seconds(started: str) -> float:
    """The time at which a run began. Raises ValueError."""
    try:
        if not _TIME.match(started):
            raise ValueError
        found = datetime.fromisoformat(started).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"its content has no time that can be read: {started!r}, and not such as "
            "2026-11-24T18:00:00+00:00"
        ) from None
    if found.year < _FIRST_YEAR:
        raise ValueError(f"its run is said to be of {started}, before there was a suite")
    return found.timestamp()


def beyond_this_suite(content: Mapping[str, Any]) -> list[str]:
    """What this very suite would not write; its own certificates have nothing of it."""
    found = []
    for place, form in _PARTS.items():
        part = content[place] if place else content
        surplus = sorted(part.keys() - set(form.__struct_fields__))
        where = f"{place}." if place else ""
        found += [f"`{where}{name}`: this suite writes no such field" for name in surplus]
    return found + _settings(content["run"])


def _settings(run: Mapping[str, Any]) -> list[str]:
    written = told(Settings(seed="")).keys()
    settings = run["settings"]
    found = [
        f"the setting {name}: a certificate of this suite never has it"
        for name in sorted(settings.keys() - written)
    ]
    found += [
        f"the setting {name} is not there, and a certificate of this suite always has it"
        for name in sorted(written - settings.keys())
    ]
    try:
        typed = {name: value for name, value in settings.items() if name in written}
        msgspec.convert({**typed, "seed": run["seed"]}, Settings, strict=True)
    except msgspec.ValidationError as error:
        found.append(f"its settings are not of the right form: {error}")
        return found
    if settings.get("seed") != run["seed"]:
        found.append(
            f"the seed is {run['seed']} for the run and {settings.get('seed')} among the settings"
        )
    return found


def told(settings: Settings) -> dict[str, Any]:
    """What a certificate says of a run's settings: all that a verdict may depend on."""
    return {name: value for name, value in asdict(settings).items() if name not in NOT_TOLD}
