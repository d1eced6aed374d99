"""What the evidence says of a relay and its run, compared with what was signed.

Nothing that can be derived from the transcripts is believed: name, software, version and the digest
of the NIP-11 document come out of the recorded answer to the preflight, as do capabilities and
revision; counts and the verdicts of clauses follow from the verdicts of checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from nip_ap.certificate.form import unix_seconds
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.clauses import register
from nip_ap.model.frame import SENT, Frame
from nip_ap.model.relay_url import relay_url
from nip_ap.model.report import Document, TargetName
from nip_ap.model.run import Run
from nip_ap.reporting.composing import report_of, target_report
from nip_ap.targets.kinds import KINDS

_IDENTITY = ("name", "software", "version", "information_sha256")
_SHOWN = 200


def subject_faults(found: Capabilities, target: Mapping[str, Any]) -> Iterator[str]:
    """How the relay that the preflight met differs from the one that was signed."""
    met = msgspec.structs.asdict(
        target_report(target["url"], found.information, TargetName(target.get("kind", "")))
    )
    for name in _IDENTITY:
        if target[name] != met[name]:
            yield (
                f"the {_words(name)} {shown(target[name])} was signed, and the recorded NIP-11 "
                f"document gives {shown(met[name])}"
            )


def capability_faults(found: Capabilities, content: Mapping[str, Any]) -> Iterator[str]:
    """How capabilities and revision that were found now differ from the signed ones."""
    signed = content["capabilities"]
    offered = {one.name: one.offered for one in found.found.values()}
    for name in sorted({*signed, *offered}):
        if signed.get(name) != offered.get(name):
            was, now = signed.get(name, "absent"), offered.get(name, "no such capability")
            yield f"{name} {shown(was, '')} was signed, {now} is found"
    if found.spec != content["run"]["spec"]:
        yield (
            f"revision {content['run']['spec']} was signed, {found.spec} is found "
            f"({found.spec_reason})"
        )


def url_faults(target: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the relay's address and kind on their face."""
    try:
        plain = relay_url(target["url"])
    except ValueError as error:
        yield f"the relay's URL: {error}"
        return
    if plain != target["url"]:
        yield f"the relay's URL {target['url']} is written by the suite as {plain}"
    kinds = [one.name for one in KINDS]
    kind = target.get("kind", "")
    if kind not in kinds:
        yield f"{shown(kind)} is not a kind of target; those are {', '.join(kinds)}"
    elif target["bundled"] != (kind == "bundled"):
        yield f"a relay of the kind {kind} with `bundled` {target['bundled']}"


def names_url(frames: Sequence[Frame], url: str) -> bool:
    """Whether something that was signed in a transcript names the relay's URL (NIP-42)."""
    tag = f'["relay","{url}"]'
    return any(one.direction == SENT and tag in one.text for one in frames)


def derived_document(run: Run, content: Mapping[str, Any]) -> Document:
    """The report that follows from a run that was judged again."""
    told = content["run"]
    return report_of(
        run,
        register(),
        started=unix_seconds(told["started"]),
        seconds=told["seconds"],
        target=TargetName(content["target"].get("kind", "")),
        workers=1,
    ).document


def report_faults(document: Document, derived: Document) -> Iterator[str]:
    """How a report.json differs from the one that follows from the evidence."""
    said, follows = document.to_json(), derived.to_json()
    for name in ("verdict", "complete", "missing", "counts", "by_rule", "findings"):
        if said.get(name) != follows.get(name):
            yield (
                f"report.json has {name} {shown(said.get(name))}, and "
                f"{shown(follows.get(name))} follows from the transcripts"
            )
    for part, key, names in (
        ("capabilities", "name", ("offered", "claimed")),
        ("clauses", "id", ("group", "title", "text", "level", "source", "verdict", "checks")),
        ("checks", "id", ("sentence", "clauses", "level", "verdict", "transcript")),
    ):
        theirs = {one[key]: one for one in said[part]}
        ours = {one[key]: one for one in follows[part]}
        if len(theirs) < len(said[part]):
            yield f"report.json lists one of its {part} more than once"
        for one in sorted({*theirs, *ours}):
            for name in names:
                was, now = theirs.get(one, {}).get(name), ours.get(one, {}).get(name)
                if was != now:
                    yield (
                        f"report.json has the {name} {shown(was)} for {one[:_SHOWN]}, and "
                        f"{shown(now)} follows from the transcripts"
                    )


def shown(value: object, quotes: str = "'") -> str:
    """A value in a sentence, cut where it is long."""
    if value is None:
        return "none"
    text = str(value)
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f"{quotes}{text}{quotes}" if isinstance(value, str) else text


def _words(name: str) -> str:
    return "digest of the NIP-11 document" if name == "information_sha256" else name
