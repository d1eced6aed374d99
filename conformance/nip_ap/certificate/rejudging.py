"""Judging a run again: the recorded frames to the same scenarios, without the relay.

What follows from the frames is followed again: the capabilities from the preflight's transcript,
each verdict from its check's. What a check did beyond the wire, such as starting a process of
somebody's migrator, cannot be done again; such checks are named, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from nip_ap.certificate.document import Certificate
from nip_ap.checking.check import Surface
from nip_ap.checking.preflight import preflight
from nip_ap.engine.controller import SuiteController
from nip_ap.engine.runner import run_pytest
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.report import PREFLIGHT_PATH
from nip_ap.model.result import Result
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.reading import read_transcript
from nip_ap.wire import Diverged, Playback, WireError


@dataclass(frozen=True)
class Rejudged:
    """The outcome of each check of a certificate."""

    agreeing: tuple[str, ...]
    differing: Mapping[str, str]
    """By check: the verdict that was signed, the one found now, and why."""
    beyond: Mapping[str, str]
    """By check: why it cannot be judged again from its transcript."""
    preflight: str = ""
    """What is wrong with the preflight; empty where it agrees."""

    @property
    def agrees(self) -> bool:
        """Whether nothing speaks against the certificate."""
        return not self.differing and not self.preflight


def rejudge(certificate: Certificate, folder: Path, workers: int) -> Rejudged:
    """Judge the transcripts in the folder of a report again."""
    content = certificate.content
    settings = settings_of(content)
    unknown = Subject("", content["target"]["url"], Capabilities({}, settings.spec, ""))
    given = content["run"]["given_keys"]
    context = Context(settings, (unknown,), str(folder), given)
    playback = Playback(read_transcript(folder / PREFLIGHT_PATH))
    try:
        found = preflight(Surface(context, playback, {}), playback)
    except (Diverged, WireError) as error:
        return Rejudged((), {}, {}, f"it does not fit: {playback.divergence or error}")
    playback.finish()
    complaint = playback.divergence or _differing(found, content)
    if complaint:
        return Rejudged((), {}, {}, complaint)
    abilities = tuple(content["run"]["abilities"])
    relay = replace(unknown, capabilities=found, is_disposable=True, abilities=abilities)
    controller = SuiteController(settings, {})
    controller.context = replace(context, subjects=(relay,))
    run_pytest(controller, workers)
    (run,) = controller.runs()
    return compared(certificate.verdicts, {one.check: one for one in run.results})


def compared(signed: Mapping[str, Verdict], found: Mapping[str, Result]) -> Rejudged:
    """The signed verdicts compared with those that were found now."""
    agreeing, differing, beyond = [], {}, {}
    for check, verdict in signed.items():
        result = found.get(check)
        if result is None:
            differing[check] = f"{verdict} was signed; this suite has no such check"
        elif result.beyond:
            beyond[check] = result.beyond
        elif result.verdict is verdict:
            agreeing.append(check)
        else:
            why = f": {result.reason}" if result.reason else ""
            differing[check] = f"{verdict} was signed, {result.verdict} is found{why}"
    return Rejudged(tuple(agreeing), differing, beyond)


def settings_of(content: Mapping[str, Any]) -> Settings:
    """The settings of a certified run, as far as they are told."""
    known = {one.name for one in fields(Settings)}
    told = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in content["run"]["settings"].items()
        if name in known
    }
    return Settings(**{**told, "seed": content["run"]["seed"], "keep_all_frames": True})


def _differing(found: Capabilities, content: Mapping[str, Any]) -> str:
    """How capabilities that were found now differ from the signed ones; empty where they agree."""
    offered = {one.name: one.offered for one in found.found.values()}
    different = [
        f"{name} {content['capabilities'].get(name, 'absent')} was signed, {now} is found"
        for name, now in offered.items()
        if content["capabilities"].get(name) != now
    ]
    if found.spec != content["run"]["spec"]:
        different.append(
            f"revision {content['run']['spec']} was signed, {found.spec} is found "
            f"({found.spec_reason})"
        )
    return "; ".join(different)
