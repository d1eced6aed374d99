"""Judging a run again: the recorded frames to the same scenarios, without the relay.

What follows from the frames is followed again: the capabilities from the preflight's transcript,
each verdict from its check's. What a check did beyond the wire, such as starting a process of
somebody's migrator, cannot be done again; such checks are named, with the reason.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from nip_ap.certificate.deriving import (
    capability_faults,
    derived_document,
    names_url,
    subject_faults,
)
from nip_ap.certificate.document import Certificate, role_in
from nip_ap.certificate.files import TookTooLong
from nip_ap.certificate.form import NOT_TOLD
from nip_ap.checking.check import Surface
from nip_ap.checking.preflight import preflight
from nip_ap.engine.controller import SuiteController
from nip_ap.engine.runner import run_pytest
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.clauses import READER
from nip_ap.model.report import PREFLIGHT_PATH, Document
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Context, Subject
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.reading import read_transcript
from nip_ap.wire import Diverged, Playback, WireError

_GRACE = 10


class CameToNaught(Exception):
    """Judging again broke off; the message says with what."""


@dataclass(frozen=True)
class Rejudged:
    """The outcome of each check of a certificate."""

    agreeing: tuple[str, ...] = ()
    differing: Mapping[str, str] = field(default_factory=dict)
    """By check: the verdict that was signed, the one found now, and why."""
    beyond: Mapping[str, str] = field(default_factory=dict)
    """By check: why it cannot be judged again from its transcript."""
    preflight: str = ""
    """What is wrong with the preflight; empty where it agrees."""
    document: Document | None = None
    """The report that follows from the transcripts."""
    is_url_shown: bool = False
    """Whether a signed event of the preflight names the relay's URL."""

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
        return Rejudged(preflight=f"it does not fit: {playback.divergence or error}")
    playback.finish()
    different = [*subject_faults(found, content["target"]), *capability_faults(found, content)]
    complaint = playback.divergence or "; ".join(different)
    if complaint:
        return Rejudged(preflight=complaint)
    abilities = tuple(content["run"]["abilities"])
    relay = replace(unknown, capabilities=found, is_disposable=True, abilities=abilities)
    controller = SuiteController(settings, {})
    controller.context = replace(context, subjects=(relay,))
    run_pytest(controller, workers)
    (run,) = controller.runs()
    judged = compared(certificate.verdicts, {one.check: one for one in run.results})
    return replace(
        judged,
        document=derived_document(_as_signed(run, certificate, judged), content),
        is_url_shown=names_url(playback.recorded, unknown.url),
    )


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
    known = {one.name for one in fields(Settings)} - set(NOT_TOLD)
    told = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in content["run"]["settings"].items()
        if name in known
    }
    kept = {"seed": content["run"]["seed"], "keep_all_frames": True}
    reader = content.get("client", "") if role_in(content) == READER else ""
    return Settings(**{**told, **kept, "reader": reader})


def _as_signed(run: Run, certificate: Certificate, judged: Rejudged) -> Run:
    """The run with the signed verdicts of checks that cannot be judged again."""
    signed = certificate.verdicts
    results = tuple(
        replace(one, verdict=signed[one.check]) if one.check in judged.beyond else one
        for one in run.results
    )
    return replace(run, results=results)


# -- within bounds -------------------------------------------------------------------------


def rejudge_within(certificate: Certificate, folder: Path, workers: int, limit: float) -> Rejudged:
    """Judge again in a process of its own, for so many seconds. Raises TookTooLong, CameToNaught.

    The transcripts are somebody else's: they may make a scenario wait, or compute, without an end.
    """
    if limit <= 0:
        raise TookTooLong("judging again")
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe(duplex=False)
    process = spawning.Process(
        target=_rejudge_apart, args=(there, certificate, folder, workers, limit)
    )
    process.start()
    there.close()
    try:
        if not here.poll(limit):
            raise TookTooLong("judging again")
        answer = here.recv()
    except EOFError:
        raise CameToNaught("its process ended without a result") from None
    finally:
        _end(process)
        here.close()
    if isinstance(answer, Rejudged):
        return answer
    raise CameToNaught(str(answer))


def _rejudge_apart(
    answers: Connection, certificate: Certificate, folder: Path, workers: int, limit: float
) -> None:
    """In the process of its own, whose workers end with it."""
    os.setsid()
    signal.alarm(math.ceil(limit) + _GRACE)  # should the other process be gone by then
    try:
        answers.send(rejudge(certificate, folder, workers))
    except Exception as error:
        answers.send(f"{type(error).__name__}: {error}")


def _end(process: SpawnProcess) -> None:
    if process.pid is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()
